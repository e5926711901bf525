"""Drawings of errors, as SVG inside a page: a signed curve over the inputs, and a histogram.

Colours and fonts come from the page's style sheet, so that one drawing serves light, dark and
paper. The numbers are written with few digits, so that the same run gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from onnx_acts.conformance.recording import HALF, LAST_BINADE, STEPS, Record, first_binade

__all__ = ["curve_svg", "histogram_svg"]

_WIDTH, _HEIGHT = 400, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 6, 12, 22
_MINUS = "\u2212"

_BAR = 20
"""Width of a bar of a histogram, with its gap."""

_BAR_HEIGHT = 84
_BAR_NAMES = ("0", "≤½", "≤1", "≤2", "≤4", "≤16", "≤2⁸", "≤2¹⁶", "more", "class")


def curve_svg(record: Record, dtype: str, promise: float, label: str) -> str:
    """The least and the largest signed error in each column of inputs.

    The vertical axis is linear up to 1 ULP and logarithmic beyond. Results of a wrong class (a lost
    NaN, infinity or sign) are crosses on the upper edge. Dashed lines are the promise.
    """
    top = max((max(-low, high) for low, high in record.curve.values()), default=0.0)
    top = max(1.0, top, promise)
    height = max(_stretched(top) * 1.04, 1.04)

    def y(error: float) -> float:
        middle = _TOP + (_HEIGHT - _TOP - _BOTTOM) / 2
        return middle - _stretched(error) / height * (_HEIGHT - _TOP - _BOTTOM) / 2

    parts = [
        f'<svg class="curve" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">',
        *_horizontal_lines(top, promise, y),
        *_ticks(dtype),
        _band(record, y),
    ]
    parts += [_cross(_x(column), _TOP - 5) for column in sorted(record.wrong)]
    return "".join(parts) + "</svg>"


def _stretched(error: float) -> float:
    """Linear up to 1, then one more for each factor of ten."""
    size = abs(error)
    return math.copysign(size if size <= 1 else 1 + math.log10(size) * 0.5, error)


def _x(column: float) -> float:
    """Columns in order: large and negative at the left, zero in the middle."""
    whole = 2 * HALF + 3
    return _LEFT + (column + HALF + 1.5) / whole * (_WIDTH - _LEFT - _RIGHT)


def _horizontal_lines(top: float, promise: float, y: Callable[[float], float]) -> list[str]:
    """The axis, the promise on either side, and figures at the left."""
    decades = math.floor(math.log10(top)) if top > 1 else 0
    step = max(1, math.ceil(decades / 3))
    marks = [0.0, *(10.0**power for power in range(0, decades + 1, step))]
    parts = []
    for value in sorted({*marks, *(-mark for mark in marks)}):
        name = "axis" if value == 0 else "grid"
        parts.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), name))
        parts.append(_text(_LEFT - 4, y(value) + 3, _number(value), "end"))
    for value in (promise, -promise) if promise else ():
        parts.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "promise"))
    return parts


def _ticks(dtype: str) -> Iterable[str]:
    """Powers of two below the drawing, at places of their own."""
    first = first_binade(dtype)
    powers = [first, first // 2, 0, LAST_BINADE]
    for power in powers:
        place = (power - first) / (LAST_BINADE - first) * HALF + 0.5
        for sign in (-1, 1):
            x = _x(sign * place)
            yield _line(x, _HEIGHT - _BOTTOM, x, _HEIGHT - _BOTTOM + 3, "axis")
            if sign > 0 or power != first:
                yield _text(
                    x, _HEIGHT - 8, f"{_MINUS if sign < 0 else ''}{_power(power)}", "middle"
                )


def _power(power: int) -> str:
    if power == 0:
        return "1"
    raised = str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"2{raised}"


def _band(record: Record, y: Callable[[float], float]) -> str:
    """One path around the least and the largest errors, in steps; broken where nothing was."""
    runs: list[list[int]] = []
    for column in sorted(record.curve):
        if not runs or column != runs[-1][-1] + 1:
            runs.append([])
        runs[-1].append(column)
    path = []
    for run in runs:
        upper = [(column, y(record.curve[column][1]) - 0.4) for column in run]
        lower = [(column, y(record.curve[column][0]) + 0.4) for column in reversed(run)]
        points = [
            f"{_x(column + side):.1f},{height:.1f}"
            for line, sides in ((upper, (-0.5, 0.5)), (lower, (0.5, -0.5)))
            for column, height in line
            for side in sides
        ]
        path.append("M" + "L".join(points) + "Z")
    return f'<path class="band" d="{"".join(path)}"/>'


def _cross(x: float, y: float) -> str:
    return f'<path class="cross" d="M{x - 2:.1f},{y - 2:.1f}l4,4m0,-4l-4,4"/>'


def histogram_svg(counts: Sequence[int], label: str) -> str:
    """How many errors are in each step; the height is logarithmic, the count stands above."""
    most = math.log10(max(counts) + 1) or 1.0
    width, base = _BAR * len(counts) + 6, _BAR_HEIGHT - 16
    parts = [
        f'<svg class="bars" viewBox="0 0 {width} {_BAR_HEIGHT}" role="img" aria-label="{label}">'
    ]
    for place, (count, name) in enumerate(zip(counts, _BAR_NAMES, strict=True)):
        left = 3 + place * _BAR
        high = math.log10(count + 1) / most * (base - 16)
        kind = "wrong" if place > len(STEPS) else "bar"
        parts.append(
            f'<rect class="{kind}" x="{left + 1}" y="{base - high:.1f}" width="{_BAR - 3}"'
            f' height="{high:.1f}"><title>{name}: {count:,}</title></rect>'
        )
        if count:
            parts.append(_text(left + _BAR / 2, base - high - 3, _short(count), "middle"))
        parts.append(_text(left + _BAR / 2, base + 11, name, "middle"))
    parts.append(_line(3, base, width - 3, base, "axis"))
    return "".join(parts) + "</svg>"


def _short(count: int) -> str:
    """A count in four characters."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return (
                f"{count / size:.0f}{letter}"
                if count >= 10 * size
                else f"{count / size:.1f}{letter}"
            )
    return str(count)


def _number(value: float) -> str:
    """A figure of the vertical axis."""
    size = abs(value)
    text = f"{size:g}" if size < 1000 else f"10{_power(round(math.log10(size)))[1:]}"
    return ("+" if value > 0 else _MINUS if value < 0 else "") + text


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> str:
    return f'<line class="{name}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
