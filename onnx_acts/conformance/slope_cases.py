"""Cases about parameter tensors: every shape that broadcasts, every kind that must be refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import SLOPE, draft
from onnx_acts.conformance.odd_slopes import odd_slopes
from onnx_acts.conformance.values import random_values
from onnx_acts.definition.specs import Spec

__all__ = ["ILLEGAL", "illegal_slopes", "legal_slopes", "slope_cases"]

Array = NDArray[Any]
Shape = tuple[int, ...]

_WHOLE = (2, 3, 4, 5)

_QUICK_SLOPES: tuple[Shape, ...] = (
    (),
    (1,),
    (5,),
    (3, 1, 1),
    _WHOLE,
    (1, 3, 1, 1),
    (3, 4, 5),
    (4, 1),
    (2, 1, 1, 1),
)

ILLEGAL: tuple[tuple[Shape, Shape], ...] = (
    ((), (1,)),
    ((3,), (1, 1)),
    ((3,), (2,)),
    ((3,), (0,)),
    ((1,), (3,)),
    ((1,), (0,)),
    ((2, 1), (3,)),
    ((2, 3), (5, 1)),
    ((2, 3), (2,)),
    ((2, 3), (2, 1, 1)),
    ((0, 3), (2,)),
    ((0, 3), (2, 3)),
    ((3, 0), (2,)),
    ((2, 3, 4), (3,)),
    ((2, 3, 4), (2, 3)),
    ((2, 3, 4), (3, 4, 1)),
    ((2, 3, 4), (1, 2, 3, 4)),
    ((2, 3, 4), (2, 3, 1, 4)),
    ((2, 3, 4, 5), (3,)),
    ((2, 3, 4, 5), (4, 5, 1)),
)
"""Shapes of x and of slopes that do not broadcast to it, or would enlarge it."""


_REPEATED: tuple[tuple[Shape, Shape], ...] = (((40, 100), (40, 1)), ((90, 5, 6), (5, 1)))
"""More elements than a small buffer has: a pattern as long as X, and one that comes again."""

_LONG: tuple[tuple[Shape, Shape], ...] = (
    ((22_003, 3), (3,)),
    ((2, 3, 11_003), (3, 1)),
    ((3_301, 21), (3_301, 1)),
    ((5, 13_243), (13_243,)),
)
"""So long that threads share them, which begin between the slopes: a short pattern again and again,
one slope for many elements, one for a few, and a long pattern."""


_HIGH: tuple[tuple[Shape, Shape], ...] = (
    ((2,) * 10, (2, 1, 2, 1, 1, 2, 1, 2, 1)),
    ((1, 2) * 9, (2, *(1, 1, 1, 2) * 4)),
)
"""More dimensions than most programs have room for, with slopes along some of them."""


def slope_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Parameter tensors: shapes that networks have, all others, random ones, odd values."""
    if spec.parameter_source != "input":
        return
    first = dict.fromkeys(_slope_shapes(quick))
    later = [*_HIGH, *_long_shapes(dtype, quick), (_WHOLE, (3, 1, 5))]
    for number, (shape, slope_shape) in enumerate(dict.fromkeys([*first, *later])):
        x = random_values(dtype, shape, 2 * number)
        slope = np.abs(random_values(dtype, slope_shape, 2 * number + 1))
        since = 1 if (shape, slope_shape) in first else 2
        name = f"slope {slope_shape} on {shape}"
        yield draft(spec, name, [x, _finite(slope)], vectors=since)
    for number, (shape, slope_shape) in enumerate(_held_shapes(dtype, quick)):
        x, slope = (random_values(dtype, item, 99 + number) for item in (shape, slope_shape))
        # Of sizes that have names ONNX Runtime knows only the slope's.
        for sizes in ("named", "fixed")[number % 2 :: 1 + quick]:
            name = f"held slope {slope_shape} on {shape}, {sizes}"
            inputs = [x, _finite(np.abs(slope))]
            yield draft(spec, name, inputs, sizes=sizes, held=True, runs=2)
    for name, inputs in odd_slopes(dtype):
        since = 1 if name.startswith("slope values: ") else 2
        yield draft(spec, name, inputs, vectors=since)


def legal_slopes(shape: Shape) -> Iterator[Shape]:
    """Every shape that broadcasts to another one: trailing dimensions, each whole or 1."""
    for kept in range(len(shape) + 1):
        choices = [sorted({1, size}) for size in shape[len(shape) - kept :]]
        yield from itertools.product(*choices)


def illegal_slopes(spec: Spec, dtype: str) -> Iterator[tuple[str, list[Array]]]:
    """Names and inputs of a slope tensor's refusals."""
    for shape, slope_shape in ILLEGAL:
        x = random_values(dtype, shape, 3)
        yield f"slope {slope_shape} on {shape}", [x, np.full(slope_shape, SLOPE).astype(x.dtype)]


def _finite(slope: Array) -> Array:
    """Zeros, infinities and NaNs replaced: they have cases of their own."""
    return np.where(np.isfinite(slope) & (slope != 0), slope, slope.dtype.type(SLOPE))


def _held_shapes(dtype: str, quick: bool) -> Iterator[tuple[Shape, Shape]]:
    """Pairs of shapes where the model holds the slope, as a network does; long ones last."""
    yield from ((_WHOLE, slope) for slope in _QUICK_SLOPES[2 : 4 if quick else None])
    yield from _REPEATED
    if dtype == "float32" or not quick:
        yield from _LONG


def _long_shapes(dtype: str, quick: bool) -> Sequence[tuple[Shape, Shape]]:
    """The long ones where the slope is an input: there no model has to be held in mind."""
    return _LONG if not quick else _LONG[1:2] if dtype == "float32" else ()


def _slope_shapes(quick: bool) -> Iterator[tuple[Shape, Shape]]:
    """Pairs of the shapes of x and of a slope that broadcasts to it."""
    yield from ((_WHOLE, slope) for slope in _QUICK_SLOPES)
    yield from [((6,), (6,)), ((4, 9), (9,)), ((2, 5, 33), (5, 1)), ((1, 64, 1), (64, 1))]
    yield from [((2, 65, 7, 7), (65, 1, 1)), ((0, 3), (3,)), ((3, 1, 70), (1, 70)), ((), ())]
    random = np.random.default_rng(2015)
    for _ in range(3 if quick else 30):
        shape = tuple(int(size) for size in random.integers(1, 8, random.integers(1, 7)))
        kept = shape[random.integers(0, len(shape) + 1) :]
        yield shape, tuple(int(size) if random.random() < 0.6 else 1 for size in kept)
    for shape in () if quick else ((7,), (3, 19), (2, 3, 17), _WHOLE, (3, 2, 1, 2, 9), (2, 0, 3)):
        yield from ((shape, slope) for slope in legal_slopes(shape))
