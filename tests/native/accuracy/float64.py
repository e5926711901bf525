"""Float64: the leaky family against exact fractions, ELU against mpmath."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.compare import ulp_error
from tests.native.accuracy.applying import apply

Array = NDArray[Any]

# Everyday slopes, the longest significand, one whose products are subnormal or overflow.
SLOPES = [0.01, 0.25, 11 / 48, -0.7, 1.5, 1 + 2.0**-52, 1e-308, 1e308]
# As in accuracy_float32.cc, and a power of two whose products may be subnormal.
ALPHAS = [1.0, 1.6732632423543772, 0.5, 0.1, -0.7, 1.9999999999999998,
          1.3745741187449156e-307, 1e-300, 2.0**-1000, 1e-310, 1e308]  # fmt: skip
LEAKY_INPUTS = 10_000
# Signalling and negative NaN, infinity, both zeros.
PASSING = np.array([0x7FF4000000000001, 0xFFF8000000000077, 0x7FF0000000000000, 0, 1 << 63],
                   dtype=np.uint64).view(np.float64)  # fmt: skip


def inputs(count: int) -> Array:
    """Negative numbers, one at random from each of `count` strata.

    A fifth each: strata of the exponent, from the smallest number to where ELU has long been flat;
    strata of [-40, 0], of [-2, 0] and of [-0.5, 0]; numbers from a unit to a sixteenth away from
    where the reduction of the argument steps to the next power of two: n + 0.5 (without a fused
    multiply-add) and n + 0.68 (with one) times ln(2).
    """
    random = np.random.default_rng(2016)
    fifth = count // 5
    place = (np.arange(fifth) + random.random(fifth)) / fifth
    rest = np.arange(count - 4 * fifth)
    steps = (rest % 58 + np.where(rest // 58 % 2, 0.5, 0.68)) * np.log(2)
    offsets = np.exp2(random.uniform(-52, -4, len(rest))) * random.choice([-1, 1], len(rest))
    parts = [np.exp2(1084 * place - 1074), 40 * place, 2 * place, 0.5 * place, steps + offsets]
    return -np.concatenate(parts)


def leaky(program: Path, level: str) -> Iterator[dict[str, Any]]:
    """The records of ReLU, LeakyReLU, RReLU and PReLU: the bits must be right."""
    negative = inputs(LEAKY_INPUTS)
    x = np.concatenate([negative, np.ldexp(negative, 600), -negative, PASSING])
    kept = np.where(x < 0, 0.0, x)
    yield _exact_record(program, level, "ReLU", None, x, kept)
    for slope in SLOPES:
        want = np.where(x < 0, _products(slope, x), x)
        for op in ("LeakyReLU", "PReLU"):
            yield _exact_record(program, level, op, slope, x, want)


def _exact_record(
    program: Path, level: str, op: str, slope: float | None, x: Array, want: Array
) -> dict[str, Any]:
    got, unlike = apply(program, level, op, slope or 0.0, x)
    differ = np.flatnonzero(got.view(np.uint64) != want.view(np.uint64))
    return {
        "op": "LeakyReLU, RReLU" if op == "LeakyReLU" else op,
        "dtype": "float64",
        "parameter": "" if slope is None else repr(slope),
        "inputs": len(x),
        "oracle": "the definition" if slope is None else "exact fractions, rounded once",
        "level": level,
        "wrong": len(differ) + unlike,
        "worst": None,
        "at": repr(float(x[differ[0]])) if len(differ) else None,
    }


def _products(slope: float, x: Array) -> Array:
    """The product where x < 0, by whole numbers; anything elsewhere."""
    return np.array([_product(slope, float(value)) if value < 0 else 0.0 for value in x])


def _product(slope: float, x: float) -> float:
    try:
        size = float(abs(Fraction(slope) * Fraction(x)))
    except OverflowError:
        size = math.inf
    return math.copysign(size, slope * x)


def elu(program: Path, level: str, count: int) -> Iterator[dict[str, Any]]:
    """The records of ELU: the largest errors."""
    x = inputs(count)
    high, low = _expm1(count)
    for alpha in ALPHAS:
        y, unlike = apply(program, level, "ELU", alpha, x)
        wrong_signs = int((np.signbit(y) != np.signbit(alpha * high)).sum())
        worst, at = _largest_error(alpha, x, y, high, low)
        yield {
            "op": "ELU",
            "dtype": "float64",
            "parameter": "1" if alpha == 1 else repr(alpha),
            "inputs": count,
            "oracle": "mpmath",
            "level": level,
            "wrong": wrong_signs + unlike,
            "worst": worst,
            "at": repr(at),
        }


@functools.cache
def _expm1(count: int) -> tuple[Array, Array]:
    """expm1 of `inputs(count)` to 106 bits, as sums of two float64."""
    with mpmath.workprec(160):
        values = [mpmath.expm1(value) for value in inputs(count)]
        high = [float(value) for value in values]
        low = [float(value - first) for value, first in zip(values, high, strict=True)]
    return np.array(high), np.array(low)


def _largest_error(
    alpha: float, x: Array, y: Array, high: Array, low: Array
) -> tuple[float, float]:
    """The largest error in ULP and its x.

    Long double finds the worst inputs, to a thousandth of a unit; mpmath decides among those.
    """
    exact = np.longdouble(alpha) * (high.astype(np.longdouble) + low)
    candidates = np.argsort(ulp_error(y, exact))[-100:]
    errors = [_exact_error(alpha, float(x[i]), float(y[i])) for i in candidates]
    worst = int(np.argmax(errors))
    return errors[worst], float(x[candidates[worst]])


def _exact_error(alpha: float, x: float, y: float) -> float:
    """The error of one result in ULP; the unit is that of float64 at the exact value."""
    with mpmath.workprec(160):
        exact = mpmath.mpf(alpha) * mpmath.expm1(x)
        exponent = max(int(mpmath.floor(mpmath.log(abs(exact), 2))), -1022)
        return float(abs(mpmath.mpf(y) - exact) / mpmath.mpf(2) ** (exponent - 52))
