"""The cases, by group, made from the operator table alone; the same ones every time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.values import (
    dense_values,
    parameter_values,
    random_values,
    special_values,
)
from onnx_acts.definition import reference
from onnx_acts.definition.specs import Spec, spec_of
from onnx_acts.definition.validation import accepts

__all__ = ["GROUPS", "cases", "find_case"]

Array = NDArray[Any]
Attributes = dict[str, float | int]

_SLOPE = 0.23
"""The parameter input where a group is not about it."""

_TAIL_BLOCK = 64
_TAIL = 31
"""Elements before the tail, a multiple of every vector width, and of the longest tail."""


_SHARED = 65_537
"""So many elements threads share."""

_MANY_DRAWS = 2**20 + 5
"""More elements than 18 bits number blocks of four for."""


def cases(spec: Spec, dtype: str, group: str, quick: bool = False) -> Iterator[Case]:
    """Yields the cases of one group; none where the group does not apply to the operator.

    Args:
        spec: the operator.
        dtype: the element type.
        group: one of `GROUPS`.
        quick: fewer of them, for a first look.
    """
    for name, inputs, attributes, outputs in GROUPS[group](spec, dtype, quick):
        yield Case(spec.name, dtype, inputs, attributes, outputs, group, name)


def find_case(operator: str, dtype: str, group: str, name: str) -> Case:
    """Returns the case of that name, as a failure's program names it.

    Raises:
        ValueError: there is none.
    """
    for case in cases(spec_of(operator), dtype, group):
        if case.name == name:
            return case
    raise ValueError(f"there is no case {name!r} in the group {group} of {operator} {dtype}")


Parts = tuple[str, list[Array], Attributes, int]
Generator = Callable[[Spec, str, bool], Iterator[Parts]]


def _special(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Every special value at every position of whole vectors and of a tail."""
    values = special_values(dtype)
    tiled = np.resize(values, _TAIL_BLOCK + _TAIL)
    for shift in range(0, values.size, 16 if quick else 1):
        x = np.resize(np.roll(values, shift), tiled.size)
        yield f"shifted by {shift}", _with_slope(spec, x), {}, 1


def _dense(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """One sweep over the element type for the defaults, one for other parameters."""
    x = dense_values(dtype, quick)
    yield "defaults", _with_slope(spec, x), {}, 1
    if spec.parameter_source != "none":
        other: Attributes = {a.name: a.default + 0.7 for a in spec.attributes if a.kind == "real"}
        yield "parameter 0.7 larger", _with_slope(spec, x, _SLOPE + 0.7), other, 1


def _shapes(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Empty, 0-d, deep, odd and strided arrays."""
    shapes: list[tuple[int, ...]] = [(), (0,), (0, 3), (3, 0, 2), (1,), (1, 1, 1), (2, 3, 5, 7)]
    shapes += [(2,) * 10, (1,) * 9 + (3,), (33, 1), (1, 4099)]
    for number, shape in enumerate(shapes):
        yield f"shape {shape}", _with_slope(spec, random_values(dtype, shape, number)), {}, 1
    lengths = (1, 24, 47, 63, 70) if quick else range(1, 71)
    for length in (*lengths, _SHARED, *([3 * _SHARED + 1] if not quick else [])):
        x = random_values(dtype, (length,), 1000 + length)
        yield f"length {length}", _with_slope(spec, x), {}, 1
    for name, x in _strided(dtype).items():
        yield name, _with_slope(spec, x), {}, 1


def _strided(dtype: str) -> dict[str, Array]:
    """Arrays that do not lie in memory as a fresh one would."""
    x = random_values(dtype, (38, 66), 7)
    odd_bytes = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype)
    return {
        "every second column": x[:, ::2],
        "reversed": x[::-1, ::-1],
        "transposed": x.T,
        "repeated with stride 0": np.broadcast_to(x[:1], (5, 66)),
        "one element past an aligned address": x.reshape(-1)[1:],
        "not aligned to its elements": odd_bytes,
    }


def _slopes(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Parameter tensors: fixed shapes that networks have, random ones, odd values."""
    if spec.parameter_source != "input":
        return
    for number, (shape, slope_shape) in enumerate(_slope_shapes(quick)):
        x = random_values(dtype, shape, 2 * number)
        slope = np.abs(random_values(dtype, slope_shape, 2 * number + 1))
        yield f"slope {slope_shape} on {shape}", [x, _finite(slope)], {}, 1
    for name, slope in _slope_values(dtype).items():
        x = np.repeat(special_values(dtype)[:, None], slope.size, axis=1)
        yield f"slope values: {name}", [x, slope], {}, 1


def _slope_values(dtype: str) -> dict[str, Array]:
    """Parameter values by kind, in the element type."""
    values = reference.rounded(list(parameter_values().values()), numpy_type(dtype))
    finite = np.isfinite(values) & (values != 0)
    negative = np.signbit(values)
    return {
        "positive": values[finite & ~negative],
        "negative": values[finite & negative],
        "zero": np.zeros(1, values.dtype),
        "negative zero": -np.zeros(1, values.dtype),
        "infinite": values[np.isinf(values)],
        "NaN": values[np.isnan(values)],
    }


def _finite(slope: Array) -> Array:
    """Zeros, infinities and NaNs replaced: they have cases of their own."""
    return np.where(np.isfinite(slope) & (slope != 0), slope, slope.dtype.type(_SLOPE))


def _slope_shapes(quick: bool) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of the shapes of x and of a slope that broadcasts to it."""
    full = (2, 3, 4, 5)
    for slope in ((), (1,), (5,), (3, 1, 1), full, (1, 3, 1, 1), (3, 4, 5), (4, 1), (2, 1, 1, 1)):
        yield full, slope
    yield from [((6,), (6,)), ((4, 9), (9,)), ((2, 5, 33), (5, 1)), ((1, 64, 1), (64, 1))]
    yield from [((2, 65, 7, 7), (65, 1, 1)), ((0, 3), (3,)), ((3, 1, 70), (1, 70)), ((), ())]
    random = np.random.default_rng(2015)
    for _ in range(3 if quick else 30):
        shape = tuple(int(size) for size in random.integers(1, 8, random.integers(1, 7)))
        kept = shape[random.integers(0, len(shape) + 1) :]
        yield shape, tuple(int(size) if random.random() < 0.6 else 1 for size in kept)


def _attributes(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Attribute values: alone, or every ordered pair that the operator accepts."""
    names = [attribute.name for attribute in spec.attributes if attribute.kind == "real"]
    if not names:
        return
    x = np.concatenate([special_values(dtype), random_values(dtype, (203,), 11)])
    if len(spec.outputs) > 1:
        yield "all outputs", _with_slope(spec, x), {}, len(spec.outputs)
    for chosen in itertools.product(parameter_values().items(), repeat=len(names)):
        attributes: Attributes = dict(zip(names, (value for _, value in chosen), strict=True))
        if accepts(spec, attributes) and not (quick and len({k for k, _ in chosen}) > 1):
            label = ", ".join(
                f"{name}={text}" for name, (text, _) in zip(names, chosen, strict=True)
            )
            yield label, _with_slope(spec, x), attributes, 1


def _training(spec: Spec, dtype: str, quick: bool) -> Iterator[Parts]:
    """Random draws for several seeds, with every output."""
    if spec.parameter_source != "draw":
        return
    on: Attributes = {a.name: 1 for a in spec.attributes if a.kind == "flag"}
    (seed_name,) = (a.name for a in spec.attributes if a.kind == "seed")
    bounds = [a.name for a in spec.attributes if a.kind == "real"]
    seeds = (0, 2**40 + 17, 1, -1, 2**63 - 1)
    for seed in seeds[: 2 if quick else None]:
        for shape in ((7,), (2, 3, 5), (1001,), (0, 3), ()):
            x = random_values(dtype, shape, 5)
            yield f"seed {seed}, shape {shape}", [x], {**on, seed_name: seed}, len(spec.outputs)
    if not quick:
        x = random_values(dtype, (_MANY_DRAWS,), 7)
        yield f"shape {x.shape}", [x], on, len(spec.outputs)
    x = random_values(dtype, (130,), 6)
    for value in (0.25, 0.1):
        equal: Attributes = {**on, **dict.fromkeys(bounds, value)}
        yield f"both bounds {value}", [x], equal, len(spec.outputs)


def _with_slope(spec: Spec, x: Array, slope: float = _SLOPE) -> list[Array]:
    """X and, for each further input, one number of the same rank or less."""
    shape = (1,) * min(1, x.ndim)
    return [x, *(np.full(shape, slope).astype(x.dtype) for _ in spec.inputs[1:])]


GROUPS: dict[str, Generator] = {
    "special": _special,
    "dense": _dense,
    "shapes": _shapes,
    "slopes": _slopes,
    "attributes": _attributes,
    "training": _training,
}
"""The groups of cases, in the order of the report."""
