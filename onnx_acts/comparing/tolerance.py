"""How far two runtimes may be from each other.

Rounding accumulates in a network, in each runtime in its own way, so a fixed tolerance is either
too wide for a small module or too narrow for a deep one. The allowed difference of element i is

    8 * max(noise, eps_c * scale) + (1 + promise) * ulp_i

noise is the rounding error that this output has by itself: the largest difference between two runs
that compute the same and round differently. For PyTorch these are the module in its element type
and in float64 (for float64 modules: in float32, scaled to float64); for a file, one run and another
in which every value is moved by as much as its type rounds. A single activation has a noise of half
a unit in the last place; a deep network has that of its sums, of which any element may get as much
as the unluckiest one, because runtimes fuse and order operations in other ways. Sums that cancel
leave an absolute error, hence the floor eps_c * scale: eps_c is the distance from 1 to the next
number in the compute type (float32, or float64 for float64), scale the largest finite magnitude in
the output. ulp_i is one unit in the last place of the element, and promise the largest error, in
ULP, that the function bodies of the model's operators may have (`specs.py`).

No noise counts for more than 64 * eps * scale in float32 and float64 and 4 * eps * scale in 16-bit
types, eps being that of the output's type: a noise of that size says nothing about rounding. Where
there is no second run, 8 and 1 times eps * scale stand for the noise.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from onnx_acts.definition.specs import spec_of

__all__ = ["as_double", "epsilon", "is_real", "largest", "noise_of", "spacing", "tolerance_of"]

_FACTOR = 8
_LIMIT = {"float16": 4, "bfloat16": 4, "float32": 64, "float64": 64}
_UNKNOWN = {"float16": 1, "bfloat16": 1, "float32": 8, "float64": 8}

Array = NDArray[np.float64]


def is_real(dtype: np.dtype[Any]) -> bool:
    """Whether an element type is one of the real ones that the tolerance knows."""
    return dtype.name in _LIMIT


def epsilon(dtype: np.dtype[Any]) -> float:
    """The distance from 1 to the next number of a real element type."""
    return float(_limits(dtype).eps)


def largest(dtype: np.dtype[Any]) -> float:
    """The largest finite number of a real element type."""
    return float(_limits(dtype).max)


def _limits(dtype: np.dtype[Any]) -> Any:
    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]  # it has no annotations


def noise_of(value: NDArray[Any], other: NDArray[Any]) -> Array | None:
    """The rounding error in each element of `value`, from a run in another element type.

    Where one of the two is not finite the error is 0. None where there is no estimate.
    """
    if not (is_real(value.dtype) and is_real(other.dtype)) or value.shape != other.shape:
        return None
    with np.errstate(invalid="ignore"):
        difference = np.abs(as_double(value) - as_double(other))
    ratio = min(1.0, epsilon(value.dtype) / epsilon(other.dtype))
    return np.where(np.isfinite(difference), difference, 0.0) * ratio


def tolerance_of(
    want: NDArray[Any],
    noise: Array | None,
    operators: Collection[str],
    dtype: np.dtype[Any] | None = None,
) -> Array:
    """The allowed absolute difference of every element of an output; 0 for integers.

    Args:
        want: what is right, of any shape but empty.
        noise: see `noise_of`.
        operators: the activations in the model.
        dtype: the element type that is compared, where `want` itself has a finer one.
    """
    dtype = want.dtype if dtype is None else dtype
    if not is_real(want.dtype) or not is_real(dtype):
        return np.zeros(want.shape)
    values = np.abs(as_double(want))
    tiny = float(_limits(dtype).tiny)
    scale = max(float(values[np.isfinite(values)].max(initial=0.0)), tiny)
    floor = epsilon(np.dtype("float64" if dtype == np.float64 else "float32")) * scale
    unit = epsilon(dtype) * scale
    if noise is None:
        noise = np.asarray(_UNKNOWN[dtype.name] * unit)
    limit = _LIMIT[dtype.name] * unit
    most = max(min(float(noise[np.isfinite(noise)].max(initial=0.0)), limit), floor)
    promise = max(
        (spec_of(name).promise.body.get(dtype.name, 0.0) for name in operators), default=0.0
    )
    return _FACTOR * most + (1 + promise) * spacing(want, dtype)


def spacing(want: NDArray[Any], dtype: np.dtype[Any] | None = None) -> Array:
    """One unit in the last place of each element; 1 for integers and what is not finite."""
    dtype = want.dtype if dtype is None else dtype
    if not is_real(want.dtype) or not is_real(dtype):
        return np.ones(want.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        typed = np.abs(as_double(want)).astype(dtype)
        found = np.spacing(typed).astype(np.float64)
    return np.where(np.isfinite(found), found, 1.0)


def as_double(array: NDArray[Any]) -> Array:
    """The values in float64."""
    return array.astype(np.float64)
