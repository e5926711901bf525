"""The cases of operators on 8 bits: every integer, with scales, zero points and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.definition.specs import Spec

__all__ = ["quantized_cases"]

Array = NDArray[Any]
Parts = tuple[str, list[Array], dict[str, float | int], int]

_ALL = np.arange(256, dtype=np.uint8)
_SLOPES = (0.0, 1.0, -1.0, 0.25, 0.5, -0.125, 1.5, 0.1, 0.01, -0.3, 1e-30, 1e30)
_ALPHAS = (0.5, 0.1, -1.0, 3.0, 0.0)
_ZEROS = (0, 1, 127, 128, 254, 255)

_SLOPE_SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (1,),
    (5,),
    (4, 1),
    (3, 1, 1),
    (1, 3, 1, 1),
    (3, 4, 5),
    (2, 1, 1, 1),
    (2, 3, 4, 5),
)


def quantized_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Yields a case for each pair of scales and zero points, with all integers, then other shapes.

    Every second scale is a power of two: with the slopes that are, they give ties.

    Args:
        spec: the operator; one in floating point has no such cases.
        dtype: the element type.
        quick: fewer cases.
    """
    if not spec.is_quantized or dtype not in spec.element_types:
        return
    random = np.random.default_rng(8)
    for number in range(6 if quick else 60):
        scales = 2.0 ** random.integers(-9, 2, 2) if number % 2 else 10 ** random.uniform(-4, 0, 2)
        x_zero, y_zero = (int(zero) for zero in random.choice(_ZEROS, 2))
        given = _scalars(scales[0], x_zero, scales[1], y_zero)
        for label, inputs, attributes in _with_parameters(spec, given):
            name = f"steps {scales[0]:.3g} to {scales[1]:.3g}, zeros {x_zero} to {y_zero}{label}"
            yield f"{number}: {name}", inputs, attributes, 1
    yield from _shapes(spec, random)


def _with_parameters(
    spec: Spec, given: list[Array]
) -> Iterator[tuple[str, list[Array], dict[str, float | int]]]:
    """All integers with every parameter: slopes in one tensor, on planes and on the last axis."""
    if spec.parameter_source == "input":
        slopes = np.array(_SLOPES, np.float32)
        x = np.broadcast_to(_ALL, (slopes.size, 256))
        yield ", planes", [np.ascontiguousarray(x), *given, slopes[:, None]], {}
        yield ", last axis", [np.ascontiguousarray(x.T), *given, slopes], {}
        return
    (attribute,) = spec.attributes
    for value in (attribute.default, *_ALPHAS):
        yield f", {attribute.name} {value:g}", [_ALL, *given], {attribute.name: value}


def _shapes(spec: Spec, random: np.random.Generator) -> Iterator[Parts]:
    """Shapes of x, with slopes of every shape that broadcasts, and tails of every length."""
    given = _scalars(0.037, 131, 0.021, 40)
    is_sloped = spec.parameter_source == "input"
    for shape in _SLOPE_SHAPES if is_sloped else ((), (2, 3, 4, 5)):
        x = random.integers(0, 256, (2, 3, 4, 5)).astype(np.uint8)
        slopes = [random.normal(size=shape).astype(np.float32)] if is_sloped else []
        yield f"slope {shape}" if is_sloped else f"shape {shape}", [x, *given, *slopes], {}, 1
    one_slope = [np.full((), 0.3, np.float32)] if is_sloped else []
    for count in (0, *range(1, 68, 3), 4099):
        yield f"length {count}", [np.resize(_ALL, count), *given, *one_slope], {}, 1


def _scalars(x_scale: float, x_zero: int, y_scale: float, y_zero: int) -> list[Array]:
    """The inputs between X and the slope, in the table's order."""
    return [
        np.array(x_scale, np.float32),
        np.array(x_zero, np.uint8),
        np.array(y_scale, np.float32),
        np.array(y_zero, np.uint8),
    ]
