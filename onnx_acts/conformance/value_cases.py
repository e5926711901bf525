"""Cases about numbers: special ones at every position, sweeps, and where rounding is hard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.drafting import draft, with_parameter, with_slope
from onnx_acts.conformance.products import hard_products
from onnx_acts.conformance.values import (
    boundary_values,
    dense_values,
    nan_values,
    near_ties,
    odd_values,
    special_values,
)
from onnx_acts.definition.specs import Spec
from onnx_acts.definition.validation import accepts

__all__ = ["boundary_cases", "dense_cases", "special_cases"]

Array = NDArray[Any]

_TAIL_BLOCK = 64
_TAIL = 31
"""Elements before the tail, a multiple of every vector width, and of the longest tail."""

_LENGTHS = range(1, 68)
_QUICK_LENGTHS = (1, 3, 24, 63, 67)

_LAST = (0, 4, 2, 24)
"""Of the special values: NaN, the first number below zero, the negative zero and infinity."""

_OTHER_PARAMETERS = (-0.3, 1 + 2**-8, 3.0)
"""Negative, a tie in bfloat16, and one that makes ties of every second product."""

_TIE_PARAMETERS = (0.5, 1.5, -0.75, 1 + 2**-24)
"""Products with odd numbers are ties, of subnormals too; the last one is a tie itself."""


def special_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Every special value at every position of whole vectors and of a tail; then in every length.

    A shorter vector takes its turn with parts of the list, until each value was there. A longer one
    ends with NaN, or with another number that a last lane may lose.
    """
    values = special_values(dtype)
    for shift in range(0, values.size, 16 if quick else 1):
        x = np.resize(np.roll(values, shift), _TAIL_BLOCK + _TAIL)
        yield draft(spec, f"shifted by {shift}", with_slope(spec, x))
    for length in _QUICK_LENGTHS if quick else _LENGTHS:
        starts = range(0, values.size, values.size if quick else length)
        if length >= values.size:
            last = _LAST[(7 - length // 8) % len(_LAST)]
            starts = range((last + 1 - length) % values.size, values.size, values.size)
        for first in starts:
            x = np.resize(np.roll(values, -first), length)
            yield draft(spec, f"length {length}, from {first}", with_slope(spec, x))


def dense_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """One sweep over the element type for the defaults, one for each of some other parameters."""
    x = dense_values(dtype, quick)
    yield draft(spec, "defaults", with_slope(spec, x))
    if numpy_type(dtype).itemsize == 2:
        # A node may compute these at first and look them up later.
        yield draft(spec, "defaults, second run", with_slope(spec, x), sizes="fixed", runs=2)
    if spec.parameter_source == "none":
        return
    larger = {a.name: a.default + 0.7 for a in spec.attributes if a.kind == "real"}
    yield draft(spec, "parameter 0.7 larger", with_slope(spec, x, 0.93), larger)
    for value in () if quick else _OTHER_PARAMETERS:
        yield from _at(spec, f"parameter {value!r}", x, value)


def boundary_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Edges of the type and of exp, exact ties, and the nearest to ties of many numbers.

    A type of 16 bits has all of its numbers in the dense sweeps: there only the ties follow.
    """
    if numpy_type(dtype).itemsize > 2:
        yield draft(spec, "edges", with_slope(spec, boundary_values(dtype)))
        x = near_ties(spec, dtype, 2**13 if quick else 2**17)
        yield draft(spec, "near ties", with_slope(spec, x))
        yield draft(spec, "NaN bits", with_slope(spec, nan_values(dtype)), vectors=2)
    if spec.parameter_source == "none":
        return
    if spec.parameter_source != "input":  # a slope has 16 bits itself
        for name, value, x in () if quick else hard_products(dtype):
            yield from _at(spec, f"product beside a tie, {name}", x, value)
    x = np.concatenate([odd_values(dtype), boundary_values(dtype)])
    for value in _TIE_PARAMETERS[: 2 if quick else None]:
        yield from _at(spec, f"ties of {value!r}", x, value)


def _at(spec: Spec, name: str, x: Array, value: float) -> Iterator[Case]:
    """One case with that parameter, where the operator takes it."""
    inputs, attributes = with_parameter(spec, x, value)
    if accepts(spec, attributes):
        yield draft(spec, name, inputs, attributes)
