"""The verdict on a random generator of another kind: the law of draws in place of their bits.

The library must give the reference's bits. Who brings a generator of their own is asked instead
that the slopes keep the law (`law.py`), that Y is X times them, and that the seed decides them
(`seeds.py`). A few draws prove nothing: short cases are left open, and those that are about the law
decide.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import Comparison, compare, misclassified, ulp, ulp_error
from onnx_acts.conformance.law import dependent, wrong_draws, wrong_noise
from onnx_acts.conformance.resolution import wrong_resolution

__all__ = [
    "OWN_DRAWS",
    "drawn_at_zero",
    "is_fixed",
    "judge_own_draws",
    "slopes_in",
]

Array = NDArray[Any]

OWN_DRAWS = (
    "it draws from a generator of its own: its slopes keep the law, and Y = noise * X, but the bits"
    " are not those of Philox"
)
_SINGLE = 0.501
"""Correctly rounded, in ULP, but for what a bound of 32 bits makes of ties in fewer bits."""

_NO_NOISE = "it returned one output of 2; the slopes in it keep the law"


@np.errstate(all="ignore")
def judge_own_draws(outputs: Sequence[Array], case: Case) -> Comparison:
    """Judges Y and the noise of a case in training; or Y alone, where there is no noise.

    Args:
        outputs: what a runtime computed.
        case: the case.
    """
    x, kind = case.inputs[0], numpy_type(case.dtype)
    if not 0 < len(outputs) <= case.outputs:
        return _wrong(case, f"gave {len(outputs) or 'no'} outputs, expected {case.outputs}")
    y, *noises = outputs
    if (y.shape, y.dtype) != (x.shape, kind):
        found, wanted = (f"{a.dtype} of shape {a.shape}" for a in (y, x))
        return _wrong(case, f"got {found}, expected {wanted}")
    if is_fixed(case):
        return _judge_bound(outputs, case)
    elsewhere = compare(y[~(x < 0)], x[~(x < 0)].astype(np.longdouble), kind, 0.5)
    reason = elsewhere.message or (
        wrong_noise(noises[0], case) or _wrong_product(y, noises[0], x)
        if noises
        else _beyond_bounds(y, case) or _wrong_alone(y, case)
    )
    if reason:
        return _wrong(case, reason, outputs)
    if not noises:
        return Comparison(0.0, open=_NO_NOISE if case.outputs > 1 else OWN_DRAWS)
    return Comparison(0.0, outputs=tuple(outputs), open="" if case.law else OWN_DRAWS)


def is_fixed(case: Case) -> bool:
    """Whether the bounds are equal: then a case in training leaves nothing to draw."""
    low, high = case.real_values
    return low == high


def _judge_bound(outputs: Sequence[Array], case: Case) -> Comparison:
    """The verdict on equal bounds: Y and the noise are as exact as in inference.

    Of a bound that the element type does not have, Y may be the product with all of its digits.
    """
    x, kind, exact = case.inputs[0], numpy_type(case.dtype), case.exact()
    found = [
        compare(got, true, kind, 0.5, case.is_certain)
        for got, true in zip(outputs, exact, strict=False)
    ]
    if not found[0].ok:
        wide = x.astype(np.longdouble)
        product = np.where(x < 0, np.longdouble(case.real_values[0]) * wide, wide)
        unrounded = compare(outputs[0], product, kind, _SINGLE)
        found[0] = unrounded if unrounded.ok else found[0]
    worst = max(found, key=lambda one: not one.ok)
    missing = _NO_NOISE if worst.ok and len(outputs) < len(exact) else ""
    return dataclasses.replace(worst, outputs=tuple(outputs), open=missing)


def _beyond_bounds(y: Array, case: Case) -> str:
    """What is wrong with Y alone: it is x times the bounds at most, whatever x is."""
    x, (low, high), limits = case.inputs[0], case.real_values, limits_of(y.dtype)
    x, y = (array[x < 0].astype(np.longdouble) for array in (x, y))
    infinite = np.isinf(x)
    unit = np.abs(x) * float(limits.eps) * max(abs(low), abs(high))
    unit = np.where(infinite, 0, unit + float(limits.smallest_subnormal))
    least, most = x * high - unit, x * low + unit
    # What is beyond the largest number is infinite by right.
    least = np.where(least < -float(limits.max), -np.inf, least)
    most = np.where(most > float(limits.max), np.inf, most)
    within = (least <= y) & (y <= most)
    signs = ((y < 0) & (high > 0)) | ((y > 0) & (low < 0)) | (np.isnan(y) & (low <= 0 <= high))
    wrong = ~np.where(infinite, ~np.isfinite(y) & signs, within)
    if not wrong.any():
        return ""
    at = int(np.argmax(wrong))
    return (
        f"Y is {float(y[at]):.9g} where x is {float(x[at]):.9g}, not within x times"
        f" [{low:g}, {high:g}] ({int(wrong.sum())} of {y.size} elements)"
    )


def _wrong_product(y: Array, noise: Array, x: Array) -> str:
    """What is wrong with Y: at most a unit from the product with a slope that rounds to noise."""
    negative = x < 0
    y, slope, wide = y[negative], *(a[negative].astype(np.longdouble) for a in (noise, x))
    product = slope * wide
    unit = np.where(np.isfinite(product), ulp(product, y.dtype), 1)
    rest = np.abs(wide) * ulp(slope, y.dtype) / 2 / unit
    # Of a slope that rounds to zero the product need not be zero.
    classes = misclassified(y, product) & ((product != 0) | np.isnan(y))
    errors = ulp_error(y, product)
    wrong = classes | (errors > 1 + np.where(np.isnan(rest), np.inf, rest))
    if not wrong.any():
        return ""
    at = int(np.argmax(wrong))
    return (
        f"Y is {y[at]} where noise * x is {float(product[at]):.9g}:"
        f" {'wrong class' if classes[at] else f'{errors[at]:.4g} ULP'}"
        f" ({int(wrong.sum())} of {y.size} elements)"
    )


def _wrong_alone(y: Array, case: Case) -> str:
    """What is wrong with the slopes in Y."""
    slopes, told = slopes_in(y, case.inputs[0])
    draws = slopes[told]
    return (
        wrong_draws(draws, case, 1.0)
        or dependent(slopes, told, case, 1.0)
        or wrong_resolution(draws, case, is_exact=False)
    )


def slopes_in(y: Array, x: Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What X has been multiplied with, and where: of negative elements whose Y has digits to tell.

    Args:
        y: the output.
        x: the input.
    """
    limits = limits_of(y.dtype)
    tiny, wide = float(limits.smallest_normal), x.astype(np.longdouble)
    told = (x < 0) & np.isfinite(wide) & ~np.isinf(y) & (np.abs(wide) > tiny / limits.eps)
    return (y.astype(np.longdouble) / wide).astype(np.float64), np.asarray(told)


@np.errstate(invalid="ignore")  # signalling NaNs
def drawn_at_zero(outputs: Sequence[Array], case: Case) -> list[Array]:
    """The outputs as if nothing had been drawn where x is 0, as far as that is all the difference.

    Args:
        outputs: Y and the noise.
        case: the case in training.
    """
    x, (low, high) = case.inputs[0], case.real_values
    y, noise = outputs
    zero = x == 0
    wide, ends = noise.astype(np.float64), np.array([low, high]).astype(noise.dtype)
    within = zero & (wide >= float(ends[0])) & (wide <= float(ends[1]))
    return [np.where(zero & (y == 0), x, y), np.where(within, noise.dtype.type(1), noise)]


def _wrong(case: Case, reason: str, outputs: Sequence[Array] = ()) -> Comparison:
    return Comparison(0.0, case.inputs[0].size, None, reason, tuple(outputs))
