"""How far ONNX Runtime may be from PyTorch.

Rounding accumulates in a network, in each runtime in its own way, so a fixed tolerance is either
too wide for a small module or too narrow for a deep one. The allowed difference of element i is

    8 * max(noise, eps_c * scale) + (1 + promise) * ulp_i

noise is PyTorch's own rounding error in this output: the largest difference between the module run
in its element type and in float64 (for float64 modules: in float32, scaled to float64). A single
activation has a noise of half a unit in the last place; a deep network has that of its sums, of
which any element may get as much as the unluckiest one, because runtimes fuse and order operations
in other ways. Sums that cancel leave an absolute error, hence the floor eps_c * scale: eps_c is the
distance from 1 to the next number in the compute type (float32, or float64 for float64), scale the
largest finite magnitude in the output. ulp_i is one unit in the last place of the element, and
promise the largest error, in ULP, that the function bodies of the model's operators may have
(`specs.py`).

No noise counts for more than 64 * eps * scale in float32 and float64 and 4 * eps * scale in 16-bit
types, eps being that of the output's type: a noise of that size says nothing about rounding. Where
the module cannot run in another type, 8 and 1 times eps * scale stand for the noise.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray

from onnx_acts.definition.specs import spec_of

__all__ = ["as_double", "noise_of", "spacing", "tolerance_of"]

_FACTOR = 8
_LIMIT = {torch.float16: 4, torch.bfloat16: 4, torch.float32: 64, torch.float64: 64}
_UNKNOWN = {torch.float16: 1, torch.bfloat16: 1, torch.float32: 8, torch.float64: 8}
_NUMPY_TYPES: dict[torch.dtype, Any] = {
    torch.float16: np.float16,
    torch.bfloat16: ml_dtypes.bfloat16,
    torch.float32: np.float32,
    torch.float64: np.float64,
}

Array = NDArray[np.float64]


def noise_of(value: torch.Tensor, other: torch.Tensor) -> Array | None:
    """PyTorch's rounding error in each element of `value`, from a run in another element type.

    Where one of the two is not finite the error is 0. None where there is no estimate.
    """
    if not (value.is_floating_point() and other.is_floating_point()) or value.shape != other.shape:
        return None
    with np.errstate(invalid="ignore"):
        difference = np.abs(as_double(value) - as_double(other))
    ratio = min(1.0, torch.finfo(value.dtype).eps / torch.finfo(other.dtype).eps)
    return np.where(np.isfinite(difference), difference, 0.0) * ratio


def tolerance_of(want: torch.Tensor, noise: Array | None, operators: Collection[str]) -> Array:
    """The allowed absolute difference of every element of an output; 0 for integers.

    Args:
        want: what PyTorch gives, of any shape but empty.
        noise: see `noise_of`.
        operators: the activations in the model.
    """
    if want.dtype not in _NUMPY_TYPES:
        return np.zeros(want.shape)
    values = np.abs(as_double(want))
    scale = max(float(values[np.isfinite(values)].max(initial=0.0)), torch.finfo(want.dtype).tiny)
    compute = torch.float64 if want.dtype == torch.float64 else torch.float32
    floor = torch.finfo(compute).eps * scale
    units = spacing(want)
    unit = torch.finfo(want.dtype).eps * scale
    if noise is None:
        noise = np.asarray(_UNKNOWN[want.dtype] * unit)
    limit = _LIMIT[want.dtype] * unit
    largest = max(min(float(noise[np.isfinite(noise)].max(initial=0.0)), limit), floor)
    dtype = str(want.dtype).removeprefix("torch.")
    promise = max((spec_of(name).promise.body[dtype] for name in operators), default=0.0)
    return _FACTOR * largest + (1 + promise) * units


def spacing(want: torch.Tensor) -> Array:
    """One unit in the last place of each element; 1 for integers and what is not finite."""
    if want.dtype not in _NUMPY_TYPES:
        return np.ones(want.shape)
    typed = np.abs(as_double(want)).astype(_NUMPY_TYPES[want.dtype])
    with np.errstate(invalid="ignore"):
        found = np.spacing(typed).astype(np.float64)
    return np.where(np.isfinite(found), found, 1.0)


def as_double(tensor: torch.Tensor) -> Array:
    """The values in float64."""
    array: Array = tensor.detach().cpu().to(torch.float64).numpy()
    return array
