"""The inputs where floating point differs from real arithmetic, and what activations give there.

For other inputs the description in real numbers is enough; these are looked at one by one.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import ml_dtypes
import numpy as np

from onnx_acts.graph.view import Array

__all__ = ["Points", "elu", "is_close", "is_same", "leaky", "points", "relu"]

_FINITE_SLOPES = (0.25, -0.5, 1.0, 3.0, 0.0, -0.0)
_OTHER_SLOPES = (np.inf, -np.inf, np.nan)


@dataclasses.dataclass(frozen=True)
class Points:
    """The inputs and, for each, a slope that is no constant (0 where there is none).

    Attributes:
        x: the inputs, of shape (points, 1).
        slope: the slopes, of the same shape.
        probes: the numbers that a slope that is no constant stands for in real arithmetic, of
            shape (1, probes); empty where there is none.
        is_ordinary: where `approximate` promises a number near the activation's.
        epsilon: the distance from 1 to the next number.
        smallest: the smallest number above 0.
    """

    x: Array
    slope: Array
    probes: Array
    is_ordinary: Array
    epsilon: float
    smallest: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self.x.dtype


@functools.cache
def points(dtype: np.dtype[Any], has_slope: bool, is_finite: bool) -> Points:
    """The points of an element type.

    Args:
        dtype: the element type.
        has_slope: each input meets each slope.
        is_finite: the slope is taken to be finite.
    """
    info = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    largest, smallest = float(info.max), float(info.smallest_subnormal)
    sizes = np.array([0, smallest, float(info.smallest_normal), 0.3, 1, 2.5, largest, np.inf])
    inputs = np.concatenate([sizes, -sizes, [np.nan]])
    slopes = _FINITE_SLOPES if is_finite else _FINITE_SLOPES + _OTHER_SLOPES
    x, slope = np.array([(x, w) for x in inputs for w in (slopes if has_slope else (0.0,))]).T
    is_ordinary = (np.abs(x) < largest) & np.isfinite(slope)
    x, slope = x.astype(dtype)[:, None], slope.astype(dtype)[:, None]
    probes = np.array([slopes[: 4 if has_slope else 0]])
    return Points(x, slope, probes, is_ordinary[:, None], float(info.eps), smallest)


def relu(x: Array) -> Array:
    """ReLU."""
    return np.asarray(np.maximum(x, x.dtype.type(0)))


def leaky(x: Array, slope: Array) -> Array:
    """LeakyReLU and PReLU."""
    return np.where(x < 0, slope * x, x)


def elu(x: Array, alpha: Array) -> Array:
    """ELU."""
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, x.dtype.type(0))), x)


def is_same(found: Array, wanted: Array) -> Array:
    """Equal, or both NaN."""
    return np.asarray((found == wanted) | (np.isnan(found) & np.isnan(wanted)))


def is_close(found: Array, wanted: Array, room: Array) -> Array:
    """The same, or within some room."""
    distance = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    return np.asarray(is_same(found, wanted) | (np.isfinite(distance) & (distance <= room)))
