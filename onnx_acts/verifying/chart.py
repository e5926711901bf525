"""The network's depth against its error, as a picture in SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Sequence

from onnx_acts.comparing.difference import Difference
from onnx_acts.verifying.result import NodeRecord

__all__ = ["chart"]

_WIDTH, _HEIGHT = 1000, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 46
_LOWEST, _HIGHEST = -10, 1
"""Decades of the axis: of the value's largest number. Below and above, points stand at the edge."""

_TICKS = 8


def chart(records: Sequence[NodeRecord], count: int) -> str:
    """Draws what each node shows, and where a difference begins.

    Args:
        records: the nodes.
        count: how many there are in the graph.
    """
    judged = [item for item in records if item.total is not None or item.local is not None]
    if not judged:
        return ""

    def x(index: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (index + 0.5) / max(count, 1)

    parts = [*_axes(x, count)]
    parts += _line([(x(r.index), _y(_limit(r.total))) for r in judged if r.total], "limit")
    parts += _line([(x(r.index), _y(_error(r.total))) for r in judged if r.total], "total")
    for record in judged:
        parts += _points(record, x(record.index))
    label = "Largest error of each node's value, as a share of the value's largest number"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _error(difference: Difference) -> float:
    """The largest difference, as a share of the largest number."""
    if difference.reason:
        return math.inf
    return difference.max_abs / difference.scale if difference.scale else difference.max_abs


def _limit(difference: Difference) -> float:
    """The limit, likewise."""
    return difference.allowed / difference.scale if difference.scale else difference.allowed


def _y(error: float) -> float:
    """Where an error stands."""
    if error == 0:
        decade: float = _LOWEST
    elif math.isfinite(error):
        decade = min(max(math.log10(error), _LOWEST), _HIGHEST)
    else:
        decade = _HIGHEST
    span = _HEIGHT - _TOP - _BOTTOM
    return _TOP + span * (_HIGHEST - decade) / (_HIGHEST - _LOWEST)


def _axes(x: Callable[[int], float], count: int) -> Iterator[str]:
    for decade in range(_LOWEST, _HIGHEST + 1):
        y = _y(10.0**decade)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if decade % 2 == 0:
            text = "≤ 1e-10" if decade == _LOWEST else "1" if decade == 0 else f"1e{decade}"
            place = f'x="{_LEFT - 8}" y="{y + 4:.1f}"'
            yield f'<text class="tick" {place} text-anchor="end">{text}</text>'
    step = max(1, -(-count // _TICKS))
    for index in range(0, count, step):
        yield (
            f'<text class="tick" x="{x(index):.1f}" y="{_HEIGHT - _BOTTOM + 18}"'
            f' text-anchor="middle">{index}</text>'
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield (
        f'<text class="name" x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">node, from the'
        " inputs to the outputs</text>"
    )
    yield (
        f'<text class="name" x="{_LEFT - 56}" y="16">largest error, as a share of the value\'s'
        " largest number</text>"
    )


def _line(points: Sequence[tuple[float, float]], kind: str) -> Iterator[str]:
    if len(points) > 1:
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="{kind}" points="{text}"/>'


def _points(record: NodeRecord, x: float) -> Iterator[str]:
    """The marks of one node, with what they mean as their title."""
    operator = html.escape(f"{record.index} {record.operator} {record.name}".strip())
    if record.local is not None and record.status != "causes":
        y = _y(_error(record.local))
        yield (
            f'<rect class="local" x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4">'
            f"<title>{operator}, on the reference's values: {_error(record.local):.2g}</title>"
            "</rect>"
        )
    if record.total is not None:
        y = _y(_error(record.total))
        yield (
            f'<circle class="total" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
            f"<title>{operator}, in the model: {_error(record.total):.2g}</title></circle>"
        )
    if record.status == "causes" and record.local is not None:
        y = _y(_error(record.local))
        ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"'
        yield f'<line class="cause" {ends}/>'
        yield (
            f'<path class="cause" d="M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6 -7z">'
            f"<title>{operator} causes a difference: {_error(record.local):.2g}</title></path>"
        )
        anchor, shift = ("end", -9) if x > _WIDTH * 0.7 else ("start", 9)
        yield (
            f'<text class="cause" x="{x + shift:.1f}" y="{_TOP + 10}" text-anchor="{anchor}">'
            f"{operator}</text>"
        )
