"""The cases of operators on 8 bits: every integer, with scales, zero points and parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import draft
from onnx_acts.conformance.odd_quantized_cases import odd_quantized_cases, scalars
from onnx_acts.conformance.parameter_cases import written_by_others
from onnx_acts.conformance.slope_cases import ILLEGAL
from onnx_acts.definition.specs import Spec

__all__ = ["quantized_cases", "refused_quantized_cases"]

Array = NDArray[Any]

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


def quantized_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Yields a case for each pair of scales and zero points, with all integers, then other shapes.

    Every second scale is a power of two: with the slopes that are, they give ties.

    Args:
        spec: the operator, one on 8 bits.
        dtype: the element type.
        quick: fewer cases.
    """
    random = np.random.default_rng(8)
    for number in range(6 if quick else 60):
        scales = 2.0 ** random.integers(-9, 2, 2) if number % 2 else 10 ** random.uniform(-4, 0, 2)
        x_zero, y_zero = (int(zero) for zero in random.choice(_ZEROS, 2))
        given = scalars(scales[0], x_zero, scales[1], y_zero)
        every = list(_with_parameters(spec, given))
        name = f"{number}: steps {scales[0]:.3g} to {scales[1]:.3g}, zeros {x_zero} to {y_zero}"
        for label, inputs, attributes in every:
            yield draft(spec, f"{name}{label}", inputs, attributes)
        label, inputs, attributes = every[number % len(every)]
        yield draft(spec, f"{name}{label}, held", inputs, attributes, held=True, runs=2)
    yield from _shapes(spec, random)
    yield from _held(spec, random)
    yield from _nan_scales(spec)
    yield from _written(spec)
    yield from odd_quantized_cases(spec, quick)


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


def _shapes(spec: Spec, random: np.random.Generator) -> Iterator[Case]:
    """Shapes of x, with slopes of every shape that broadcasts, and tails of every length."""
    given = scalars(0.037, 131, 0.021, 40)
    is_sloped = spec.parameter_source == "input"
    for shape in _SLOPE_SHAPES if is_sloped else ((), (2, 3, 4, 5)):
        x = random.integers(0, 256, (2, 3, 4, 5)).astype(np.uint8)
        slopes = [random.normal(size=shape).astype(np.float32)] if is_sloped else []
        name = f"slope {shape}" if is_sloped else f"shape {shape}"
        yield draft(spec, name, [x, *given, *slopes])
    one_slope = [np.full((), 0.3, np.float32)] if is_sloped else []
    x = np.zeros((0, 3), np.uint8)
    yield draft(spec, f"shape {x.shape}", [x, *given, *one_slope])
    for count in (0, *range(1, 68, 3), 4099):
        yield draft(spec, f"length {count}", [np.resize(_ALL, count), *given, *one_slope])


def _held(spec: Spec, random: np.random.Generator) -> Iterator[Case]:
    """Tails and long tensors, where the model holds all but X, as quantized networks do.

    The last two are so long that threads share them; these also with everything given.
    """
    given = scalars(0.037, 131, 0.021, 40)
    is_sloped = spec.parameter_source == "input"
    for count in (1, 15, 31, 33, 63, 65, 97, 127, 4099, 70_001, 131_101):
        shape = (count // 3, 3) if is_sloped and count > 64 else (count,)
        x = np.resize(random.permutation(_ALL), shape)
        slopes = [random.normal(size=shape[1:]).astype(np.float32)] if is_sloped else []
        yield draft(spec, f"held, shape {shape}", [x, *given, *slopes], held=True, runs=2)
        if count > 65_536:
            yield draft(spec, f"given, shape {shape}", [x, *given, *slopes], sizes="fixed")


def _nan_scales(spec: Spec) -> Iterator[Case]:
    """Scales that are NaN: then every result is, and becomes the step 0."""
    slopes = [np.full((), 0.3, np.float32) for _ in spec.inputs[5:]]
    for x_scale, y_scale in ((np.nan, 0.04), (0.04, np.nan)):
        given = scalars(x_scale, 131, y_scale, 40)
        for sizes, held in (("fixed", False), ("named", True)):
            name = f"scales {x_scale} and {y_scale}{', held' if held else ''}"
            yield draft(spec, name, [_ALL, *given, *slopes], sizes=sizes, held=held)


def _written(spec: Spec) -> Iterator[Case]:
    """Scalars as vectors of one value, and attributes as ONNX's own kinds: both are common."""
    given = [array.reshape(1) for array in scalars(0.037, 131, 0.021, 40)]
    slopes = [np.full((), 0.3, np.float32) for _ in spec.inputs[5:]]
    for held in (False, True):
        name = f"scalars as vectors{', held' if held else ''}"
        yield draft(spec, name, [_ALL, *given, *slopes], sizes="fixed", held=held)
    if spec.attributes:
        yield from written_by_others(spec, [_ALL, *given, *slopes])


def refused_quantized_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Slopes of every illegal kind, and lists in place of scalars; see `quantized_cases`."""
    given = scalars(0.037, 131, 0.021, 40)
    slopes = [np.full((), 0.3, np.float32) for _ in spec.inputs[5:]]
    for place, size, held in itertools.product(range(4), (2, 0), (False, True)):
        lists = list(given)
        lists[place] = np.resize(given[place], size)
        name = spec.inputs[1 + place]
        yield draft(
            spec,
            f"{name} of {size} values{', held' if held else ''}",
            [_ALL, *lists, *slopes],
            held=held,
            refused=f"{spec.name}.*{name} .*shape",
        )
    for shape, slope_shape in ILLEGAL if slopes else ():
        inputs = [np.zeros(shape, np.uint8), *given, np.full(slope_shape, 0.3, np.float32)]
        name = f"slope {slope_shape} on {shape}"
        yield draft(spec, name, inputs, refused=f"{spec.name}.*slope of shape")
