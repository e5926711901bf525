"""The law of random slopes: support, mean, distance from the uniform distribution, independence,
and as many bits as floats have.

A runtime with a generator of its own cannot have the reference's bits. Its draws must still be
those of a uniform distribution, one for each element where x < 0, and Y must be their product.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import Comparison, compare
from onnx_acts.conformance.repeats import repeated
from onnx_acts.conformance.resolution import wrong_resolution

__all__ = ["dependent", "judge_law", "kolmogorov_smirnov", "wrong_draws", "wrong_noise"]

Array = NDArray[Any]

_UNLIKELY = 1e-9
"""So seldom a right generator is called wrong."""

_TOO_EVEN = 0.2
"""A distance times the square root of the count that chance stays below once in 1e12."""

_LAGS = 16
"""How far apart draws are compared with each other."""


def judge_law(outputs: list[Array], case: Case, promise: float) -> Comparison:
    """Judges random draws: Y and the noise of a case in training.

    Args:
        outputs: what a runtime computed.
        case: the case; its X is not empty.
        promise: the largest error of Y, in ULP, beside the product of X and the noise.
    """
    with np.errstate(all="ignore"):
        return _judge_law(outputs, case, promise)


def _judge_law(outputs: list[Array], case: Case, promise: float) -> Comparison:
    y, noise = outputs
    reason = wrong_noise(noise, case)
    if reason:
        return Comparison(0.0, case.inputs[0].size, None, reason)
    x, kind = case.inputs[0].astype(np.longdouble), numpy_type(case.dtype)
    product = np.where(x < 0, noise.astype(np.longdouble) * x, x)
    return compare(y, product, kind, promise)


def wrong_noise(noise: Array, case: Case) -> str:
    """What is wrong with the noise of a case in training, or an empty string.

    Args:
        noise: what a runtime gave.
        case: the case.
    """
    x, kind = case.inputs[0], numpy_type(case.dtype)
    if (noise.shape, noise.dtype) != (x.shape, kind):
        return f"noise is {noise.dtype} of shape {noise.shape}"
    negative = x < 0
    if not (noise[~negative] == 1).all():
        return "noise is not 1 where x is not negative"
    key = (_hash(noise), _hash(negative), case.dtype, *case.real_values)
    if key not in _RECENT:
        if len(_RECENT) >= _RECENT_SIZE:
            _RECENT.clear()
        draws = noise[negative].astype(np.float64)
        _RECENT[key] = (
            wrong_draws(draws, case)
            or dependent(noise, negative, case)
            or repeated(noise, negative, case)
            or wrong_resolution(draws, case)
        )
    return _RECENT[key]


_RECENT_SIZE = 16
_RECENT: dict[tuple[object, ...], str] = {}
"""Verdicts on the last draws: several runtimes give the reference's, and one look is enough."""


def _hash(array: Array) -> bytes:
    return hashlib.sha256(array.tobytes()).digest()


def kolmogorov_smirnov(values: Array, low: float, high: float) -> float:
    """The largest distance between the distribution of values and the uniform one.

    Args:
        values: the draws.
        low: the lower bound of the distribution.
        high: the upper one.
    """
    expected = np.clip((np.sort(values) - low) / (high - low), 0, 1)
    steps = np.arange(values.size + 1) / values.size
    return float(max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])))


def wrong_draws(draws: Array, case: Case, units: float = 0.5) -> str:
    """What is wrong with draws, or an empty string.

    Args:
        draws: the slopes of the negative elements, in their order, in float64.
        case: the case in training, for its bounds.
        units: by how many units at the larger bound rounding has moved them, at most.
    """
    (low, high), count = case.real_values, draws.size
    unit = float(limits_of(numpy_type(case.dtype)).eps) * max(abs(low), abs(high)) * units
    if not ((draws >= low - unit) & (draws <= high + unit)).all():  # NaN is not within either
        return f"draws from {draws.min():.6g} to {draws.max():.6g}, not within [{low:g}, {high:g}]"
    width = high - low
    if not count or not 0 < width < math.inf:
        return ""
    off = abs(draws.mean() - (low + high) / 2) / width
    # Hoeffding's and Massart's bounds: how far chance takes the mean and the distribution.
    chance = math.sqrt(math.log(2 / _UNLIKELY) / (2 * count))
    if off > chance + unit / width:
        return f"the mean is off by {off:.3g} of the width, more than chance allows ({chance:.3g})"
    distance = kolmogorov_smirnov(draws, low, high)
    # Numbers of few bits come as steps, which are as far from a line as two units are wide.
    if distance > chance + 2 * unit / width:
        return f"not uniform: Kolmogorov-Smirnov distance {distance:.3g}, chance {chance:.3g}"
    if distance * math.sqrt(count) < _TOO_EVEN:
        return f"more even than chance is: Kolmogorov-Smirnov distance {distance:.3g}"
    return _not_independent((draws - (low + high) / 2) / width, unit / width)


def dependent(slopes: Array, drawn: NDArray[np.bool_], case: Case, units: float = 0.5) -> str:
    """How draws far from each other depend, or an empty string: threads may share a stream.

    Args:
        slopes: one for each element.
        drawn: where they are draws; these keep the law one by one.
        case: the case in training.
        units: see `wrong_draws`.
    """
    (low, high), lags = case.real_values, slopes.size - 1
    if lags < 1 or not 0 < high - low < math.inf:
        return ""
    wide = np.where(drawn, slopes, 0).astype(np.float64).reshape(-1)
    centred = np.where(drawn.reshape(-1), (wide - (low + high) / 2) / (high - low), 0)
    pairs = np.maximum(np.rint(_sums_of_products(drawn.astype(np.float64).reshape(-1))), 1)
    found = np.abs(_sums_of_products(centred) / pairs)
    # Bernstein's bound: a product is within 1/4, its variance is 1/144. Of two sums, as above.
    halves, log = np.maximum(pairs // 2, 1), math.log(4 * lags / _UNLIKELY)
    third = log / (12 * halves)
    bound = third + np.sqrt(third**2 + log / (72 * halves))
    unit = float(limits_of(numpy_type(case.dtype)).eps) * max(abs(low), abs(high)) * units
    excess = found - bound - unit / (high - low)
    at = int(np.argmax(excess))
    if excess[at] <= 0:
        return ""
    return f"draws depend on those {at + 1} elements before: covariance {found[at]:.3g}"


def _sums_of_products(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sums of values[i] * values[i + lag], for each lag from 1 on."""
    size = 1 << (2 * values.size - 1).bit_length()
    power = np.abs(np.fft.rfft(values, size)) ** 2
    return np.asarray(np.fft.irfft(power, size)[1 : values.size])


def _not_independent(centred: Array, unit: float) -> str:
    """What is wrong with the order of draws, which go from -1/2 to 1/2: a ramp has one."""
    for lag in range(1, min(_LAGS, centred.size // 2) + 1):
        products = centred[lag:] * centred[:-lag]
        # Of products that share a draw every other one is left, as Hoeffding's bound asks: so of
        # two sums one has half of the chance. Each product is within 1/4.
        pairs = products.size // 2
        bound = math.sqrt(math.log(4 * _LAGS / _UNLIKELY) / (8 * max(pairs, 1)))
        if abs(products.mean()) > bound + unit:
            return f"draws depend on those {lag} before: covariance {products.mean():.3g}"
    return ""
