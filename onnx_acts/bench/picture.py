"""The picture of a benchmark: bars against the copy's bandwidth, and networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onnx_acts.bench.peers import COPIES, PEERS
from onnx_acts.bench.rows import Row
from onnx_acts.bench.workload import SIZES

__all__ = ["check_picture", "save_picture"]

_PANEL = (3.6, 3.4)
"""Inches."""


def check_picture(path: str) -> None:
    """Requires that `save_picture` can draw to a path, before the work.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the file's name ends in no picture format.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise ImportError(
            "the picture needs matplotlib: install it with `pip install matplotlib`"
        ) from error
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in FigureCanvasBase.filetypes:
        known = ", ".join(sorted(FigureCanvasBase.filetypes))
        raise ValueError(f"--picture {path}: the name must end in a picture format: {known}")


def save_picture(rows: Sequence[Row], path: str) -> None:
    """Draws one panel for each element type, and one for the networks.

    A type's bars are bandwidths over the copy's, at the largest size and the fewest threads. A
    network's bars are speeds over that of the standard file, with the fewest threads.

    Raises:
        ImportError, ValueError: as in `check_picture`; or no row has more than copies.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    operators = _largest([row for row in rows if row.shares is None])
    networks = _fewest_threads([row for row in rows if row.shares is not None])
    panels = [[row for row in operators if row.dtype == dtype] for dtype in _dtypes(operators)]
    panels = [chosen for chosen in (*panels, networks) if _names(chosen)]
    if not panels:
        raise ValueError("there is nothing to draw: no row with more than copies was measured")
    size = (_PANEL[0] * len(panels) + 1, _PANEL[1])
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for panel, chosen in zip(axes, panels, strict=True):
        _draw(panel, chosen, _names(chosen))
    handles = {label: handle for panel in axes for handle, label in _legend(panel)}
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=len(handles))
    figure.savefig(path, dpi=120)


def _dtypes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.dtype for row in rows))


def _largest(rows: Sequence[Row]) -> list[Row]:
    """The rows of the largest size and, of these, the fewest threads."""
    if not rows:
        return []
    size = max((row.size for row in rows), key=lambda name: math.prod(SIZES[name]))
    return _fewest_threads([row for row in rows if row.size == size])


def _fewest_threads(rows: Sequence[Row]) -> list[Row]:
    threads = min((row.threads for row in rows), default=0)
    return [row for row in rows if row.threads == threads]


def _names(rows: Sequence[Row]) -> list[str]:
    """Ours and the peers that were measured, without variants."""
    measured = {name for row in rows for name in row.times} - set(COPIES)
    return [p.name for p in PEERS if p.name in measured and p.variant is None]


def _draw(panel: Any, rows: Sequence[Row], names: Sequence[str]) -> None:
    """One panel: a group of bars for each row, a colour for each peer."""
    of_network = rows[0].shares is not None
    height: Callable[[Row, str], float] = _speed if of_network else _bandwidth
    width = 0.8 / len(names)
    colours = {peer.name: f"C{number}" for number, peer in enumerate(PEERS)}
    for number, name in enumerate(names):
        places = [place + number * width for place in range(len(rows))]
        heights = [height(row, name) for row in rows]
        panel.bar(places, heights, width, label=name, color=colours[name])
    panel.set_xticks([place + 0.4 - width / 2 for place in range(len(rows))])
    panel.set_xticklabels([row.name for row in rows], rotation=30)
    panel.axhline(1, color="black", linewidth=0.8)
    where = "networks" if of_network else f"{rows[0].dtype}, {rows[0].size}"
    panel.set_title(f"{where}, {rows[0].threads} thread(s)", fontsize="medium")
    panel.set_ylabel("speed / standard file" if of_network else "bandwidth / copy's bandwidth")


def _bandwidth(row: Row, name: str) -> float:
    ratio = row.to_copy(name)
    return 1 / ratio if ratio else 0.0


def _speed(row: Row, name: str) -> float:
    ours, standard = row.to_ours(name), row.to_ours("standard")
    return standard / ours if ours and standard else 0.0


def _legend(panel: Any) -> list[tuple[Any, str]]:
    handles, labels = panel.get_legend_handles_labels()
    return list(zip(handles, labels, strict=True))
