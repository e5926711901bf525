"""Cases on 8 bits with odd numbers, odd shapes, and X written over."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import draft
from onnx_acts.definition.specs import Spec

__all__ = ["odd_quantized_cases", "scalars"]

Array = NDArray[Any]

_ALL = np.arange(256, dtype=np.uint8)

_PARAMETERS = (math.nan, math.inf, -math.inf, -0.0, 1e-42, 3e38, 1 + 2.0**-23, 1 / 3)

_SCALES = (
    (1e-42, 0.04),
    (0.04, 1e-42),
    (math.inf, 0.04),
    (0.04, math.inf),
    (3e38, 1e-30),
    (-0.04, 0.02),
)
"""Subnormal and infinite ones, two whose quotient is too large, and one below zero."""

_MILLION = 2**20 + 5
_HIGH = (1, 2) * 5


def odd_quantized_cases(spec: Spec, quick: bool) -> Iterator[Case]:
    """Yields a case for each odd parameter and pair of scales, then odd shapes.

    Args:
        spec: the operator, one on 8 bits.
        quick: fewer cases.
    """
    given = scalars(0.037, 131, 0.021, 40)
    is_sloped = spec.parameter_source == "input"
    if is_sloped:
        slopes = np.array(_PARAMETERS, np.float32)
        x = np.ascontiguousarray(np.broadcast_to(_ALL, (slopes.size, 256)))
        for held in (False, True):
            name = f"odd slopes{', held' if held else ''}, some too large"
            inputs = [x, *given, slopes[:, None]]
            yield draft(spec, name, inputs, held=held, runs=1 + held, vectors=2)
    for item in spec.attributes:
        for value in _PARAMETERS:
            name = f"odd {item.name} {value:g}"
            yield draft(spec, name, [_ALL, *given], {item.name: value}, vectors=2)
    slope = [np.full((), 0.3, np.float32)] if is_sloped else []
    for x_scale, y_scale in _SCALES:
        scales = scalars(x_scale, 131, y_scale, 40)
        with np.errstate(over="ignore"):
            is_large = np.isinf(scales[0] / scales[2])
        name = f"odd scales {x_scale:g} and {y_scale:g}{', too large' if is_large else ''}"
        yield draft(spec, name, [_ALL, *scales, *slope], vectors=2)
    yield from _odd_shapes(spec, given, slope, quick)


def _odd_shapes(spec: Spec, given: list[Array], slope: list[Array], quick: bool) -> Iterator[Case]:
    """No dimensions, many, strides, X written over, and more elements than 20 bits count."""
    random = np.random.default_rng(9)
    x = random.integers(0, 256, _HIGH).astype(np.uint8)
    slopes = [random.normal(size=(2, 1, 2, 1, 1, 1, 2)).astype(np.float32) for _ in slope]
    yield draft(spec, f"{x.ndim} dimensions", [x, *given, *slopes], vectors=2)
    yield draft(spec, "no dimensions", [np.array(100, np.uint8), *given, *slope], vectors=2)
    x = random.integers(0, 256, (37, 53)).astype(np.uint8)
    yield draft(spec, "transposed in memory", [x.T, *given, *slope])
    for sizes in ("fixed",) if quick else ("named", "fixed", "unnamed"):
        name = f"X written over, {sizes}"
        inputs = [x, *given, *slope]
        yield draft(spec, name, inputs, sizes=sizes, within="X written over")
    if not quick:
        x = np.resize(random.permutation(_ALL), _MILLION)
        yield draft(spec, f"length {x.size}", [x, *given, *slope])


def scalars(x_scale: float, x_zero: int, y_scale: float, y_zero: int) -> list[Array]:
    """The inputs between X and the slope, in the table's order."""
    return [
        np.array(x_scale, np.float32),
        np.array(x_zero, np.uint8),
        np.array(y_scale, np.float32),
        np.array(y_zero, np.uint8),
    ]
