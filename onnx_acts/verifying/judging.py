"""Whether one value of a model is what the reference says, up to rounding."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.difference import Difference, difference_of
from onnx_acts.comparing.tolerance import as_double, epsilon, is_real, tolerance_of
from onnx_acts.verifying.quantities import Grid
from onnx_acts.verifying.values import Value

__all__ = [
    "QUANTIZED_FACTOR",
    "Got",
    "are_comparable",
    "coarser",
    "integer_limit",
    "is_tensor",
    "is_text",
    "judge",
    "real_of",
]

QUANTIZED_FACTOR = 4
"""By how many times the noise of quantization a value may differ: its shadow has some of it."""


@dataclasses.dataclass(frozen=True)
class Got:
    """A value to judge.

    Attributes:
        value: the value.
        shadow: the same with everything moved by rounding, see `shadows`.
        grid: the numbers that its integers stand for.
        bounds: the grid, and its type, out of which the value has come as a real number.
        is_quantized: whether quantization is among what has made it.
        coarsest: the coarsest real type of what has made it; None where that is its own.
    """

    value: Value
    shadow: Value
    grid: Grid | None = None
    bounds: tuple[Grid, np.dtype[Any]] | None = None
    is_quantized: bool = False
    coarsest: np.dtype[Any] | None = None


def is_tensor(value: Value) -> bool:
    """Whether a value is an array of numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind not in "OSU"


def is_text(value: Value) -> bool:
    """Whether a value is an array of strings."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "OSU"


def coarser(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The real type of two with fewer digits."""
    return a if epsilon(a) >= epsilon(b) else b


def real_of(got: Got) -> Got:
    """The same as real numbers, where it has a grid."""
    if got.grid is None or not is_tensor(got.value) or is_real(_array(got.value).dtype):
        return got
    value = _array(got.value)
    shadow = got.grid.real(_array(got.shadow))
    bounds = (got.grid, value.dtype)
    return dataclasses.replace(
        got, value=got.grid.real(value), shadow=shadow, grid=None, bounds=bounds
    )


def are_comparable(want: Value, got: Got) -> bool:
    """Whether both are numbers of one kind."""
    if not (is_tensor(want) and is_tensor(got.value)):
        return is_text(want) and is_text(got.value)
    a, b = _array(want), _array(got.value)
    kinds = [("b" if x.dtype == bool else "r" if is_real(x.dtype) else "i") for x in (a, b)]
    return kinds[0] == kinds[1] or (kinds == ["r", "i"] and got.grid is not None)


def judge(want: Value, got: Got, operators: Collection[str]) -> Difference:
    """Judges a value that is comparable.

    Args:
        want: what the reference has.
        got: what there is.
        operators: the activations, whose promises widen the tolerance.
    """
    right = _array(want)
    if is_real(right.dtype):
        got = real_of(got)
    value = _array(got.value)
    if right.shape != value.shape or not right.size or is_text(right):
        return difference_of(right, value, np.zeros(()))
    if not is_real(right.dtype):
        return difference_of(right, value, integer_limit(got))
    if got.bounds is not None:
        grid, dtype = got.bounds
        right, value = grid.clipped(right, dtype), grid.clipped(value, dtype)
    limit = _limit(right, got, operators)
    return difference_of(right, value, limit, _dtype(right, got))


def integer_limit(got: Got) -> NDArray[np.float64]:
    """How far rounding may take each element of an integer value.

    Integers that stand for real numbers are some steps apart, as those are. Of any other, as the
    index of the larger of two equal numbers, there is no limit where rounding alone decides it.
    """
    value, shadow = _array(got.value), _array(got.shadow)
    if value.shape != shadow.shape:
        return np.zeros(())
    if got.grid is None:
        return np.where(value != shadow, np.inf, 0.0)
    noise = np.abs(as_double(value) - as_double(shadow)).max(initial=0.0)
    return np.asarray(1.0 + QUANTIZED_FACTOR * noise)


def _limit(want: NDArray[Any], got: Got, operators: Collection[str]) -> NDArray[np.float64]:
    """How far rounding alone may take each element of a real value."""
    value, shadow = as_double(_array(got.value)), as_double(_array(got.shadow))
    with np.errstate(invalid="ignore"):
        noise = np.abs(value - shadow) if value.shape == shadow.shape else np.zeros(want.shape)
    noise = np.where(np.isfinite(noise), noise, 0.0)
    dtype = _dtype(want, got)
    limit = tolerance_of(want, noise, operators, dtype)
    if not got.is_quantized and got.bounds is None:
        return limit
    step = got.bounds[0].step if got.bounds is not None else 0.0
    return np.maximum(limit, QUANTIZED_FACTOR * float(noise.max(initial=0.0)) + step)


def _dtype(want: NDArray[Any], got: Got) -> np.dtype[Any]:
    """The coarsest real type that is involved."""
    dtype = coarser(want.dtype, _array(got.value).dtype)
    return dtype if got.coarsest is None else coarser(dtype, got.coarsest)


def _array(value: Value) -> NDArray[Any]:
    assert isinstance(value, np.ndarray)
    return value
