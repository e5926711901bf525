"""Tables of text that fit a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

__all__ = ["WIDTH", "columns"]

WIDTH = 100
"""Characters of a line."""

_GAP = "  "

_Rows = Sequence[Sequence[str]]


def columns(rows: _Rows, numbers: Collection[str] = (), keys: int = 1) -> list[str]:
    """Returns the lines of a table, in several parts where it is wider than a line.

    Args:
        rows: the heading and the rows.
        numbers: the headings of columns that stand to the right.
        keys: how many columns each part begins with: those that say what a row is.
    """
    lines: list[str] = []
    for part in _parts(rows, keys):
        lines += [""] if lines else []
        lines += _aligned([[row[index] for index in part] for row in rows], numbers)
    return lines


def _parts(rows: _Rows, keys: int) -> Iterator[list[int]]:
    """The columns of each part, by their numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first = list(range(keys))
    part = list(first)
    for index in range(keys, len(widths)):
        used = sum(widths[i] + len(_GAP) for i in part)
        if part != first and used + widths[index] > WIDTH:
            yield part
            part = list(first)
        part.append(index)
    yield part


def _aligned(rows: _Rows, numbers: Collection[str]) -> list[str]:
    cells = []
    for name, *column in zip(*rows, strict=True):
        width = max(map(len, (name, *column)))
        is_number = name in numbers
        cells.append([c.rjust(width) if is_number else c.ljust(width) for c in (name, *column)])
    return [_GAP.join(line).rstrip() for line in zip(*cells, strict=True)]
