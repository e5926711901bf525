"""Shadows: a second run in which every value is moved by as much as its type rounds.

How far the shadow of a value is from the value shows how far rounding alone can move it (Monte
Carlo arithmetic, after Parker 1997). A real number is moved by up to half a unit of its type's
precision; a number of 8 bits that quantization has rounded, by one step in every fourth element.
The random numbers depend on a seed and on the value's name alone, so every run gives the same.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.tolerance import as_double, epsilon, is_real
from onnx_acts.verifying.values import Value

__all__ = ["moved", "stepped"]

_NEVER, _UP = 0.75, 0.875
"""Of a random number from 0 to 1: below the one no step, above the other a step up."""


def moved(value: Value, name: str, seed: int, eps: float = 0.0) -> Value:
    """A real array with every element moved by up to half its precision; anything else as it is.

    Args:
        value: the value.
        name: its name, which the random numbers depend on.
        seed: the other thing that they depend on.
        eps: the precision, where that of the type is finer.
    """
    if not isinstance(value, np.ndarray) or not is_real(value.dtype) or not value.size:
        return value
    eps = max(eps, epsilon(value.dtype))
    factor = 1 + eps * (_random(value, name, seed) - 0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(as_double(value) * factor).astype(value.dtype)


def stepped(value: Value, name: str, seed: int) -> Value:
    """An array of integers, some of them a step up or down; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or not value.size:
        return value
    random = _random(value, name, seed)
    steps = np.where(random < _NEVER, 0, np.where(random < _UP, -1, 1))
    limits = np.iinfo(value.dtype)
    inside = np.clip(value.astype(np.int64) + steps, limits.min, limits.max)
    return np.asarray(inside).astype(value.dtype)


def _random(value: NDArray[Any], name: str, seed: int) -> NDArray[np.float64]:
    generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    return np.asarray(generator.random(value.shape))
