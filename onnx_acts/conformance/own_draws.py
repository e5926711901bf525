"""The verdict on a random generator of another kind: the law of draws in place of their bits.

The library must give the reference's bits. Who brings a generator of their own is asked instead
that the slopes keep the law (`law.py`), that Y is X times them, and that the seed decides them
(`seeds.py`). A few draws prove nothing: short cases are left open, and those that are about the law
decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import Comparison, compare, misclassified, ulp, ulp_error
from onnx_acts.conformance.law import wrong_draws, wrong_noise
from onnx_acts.definition.reference import rounded

__all__ = [
    "OWN_DRAWS",
    "drawn_at_zero",
    "has_reference_noise",
    "judge_own_draws",
    "slopes_in",
]

Array = NDArray[Any]

OWN_DRAWS = (
    "it draws from a generator of its own: its slopes keep the law, and Y = noise * X, but the bits"
    " are not those of Philox"
)
_NO_NOISE = "it returned one output of 2; the slopes in it keep the law"


@np.errstate(invalid="ignore")  # signalling NaNs
def has_reference_noise(outputs: Sequence[Array], case: Case) -> bool:
    """Whether the noise of a case in training is the reference's, and could be another.

    Args:
        outputs: what a runtime computed: Y and the noise.
        case: the case.
    """
    low, high = case.real_values
    noise, right = outputs[1], rounded(case.exact()[1], numpy_type(case.dtype))
    same = (noise.shape, noise.dtype) == (right.shape, right.dtype) and (noise == right).all()
    return bool(same and low < high and (case.inputs[0] < 0).any())


@np.errstate(all="ignore")
def judge_own_draws(outputs: Sequence[Array], case: Case) -> Comparison:
    """Judges Y and the noise of a case in training; or Y alone, where there is no noise.

    Args:
        outputs: what a runtime computed.
        case: the case.
    """
    x, kind = case.inputs[0], numpy_type(case.dtype)
    if not outputs:
        return _wrong(case, f"gave no outputs, expected {case.outputs}")
    y, *noises = outputs
    if (y.shape, y.dtype) != (x.shape, kind):
        found, wanted = (f"{a.dtype} of shape {a.shape}" for a in (y, x))
        return _wrong(case, f"got {found}, expected {wanted}")
    elsewhere = compare(y[~(x < 0)], x[~(x < 0)].astype(np.longdouble), kind, 0.5)
    reason = elsewhere.message or (
        wrong_noise(noises[0], case) or _wrong_product(y, noises[0], x)
        if noises
        else wrong_draws(_alone(y, x), case, units=1.0)
    )
    if reason:
        return _wrong(case, reason, outputs)
    if not noises:
        return Comparison(0.0, open=_NO_NOISE)
    return Comparison(0.0, outputs=tuple(outputs), open="" if case.law else OWN_DRAWS)


def _wrong_product(y: Array, noise: Array, x: Array) -> str:
    """What is wrong with Y: at most a unit from the product with a slope that rounds to noise."""
    negative = x < 0
    y, slope, wide = y[negative], *(a[negative].astype(np.longdouble) for a in (noise, x))
    product = slope * wide
    unit = np.where(np.isfinite(product), ulp(product, y.dtype), 1)
    rest = np.abs(wide) * ulp(slope, y.dtype) / 2 / unit
    # Of a slope that rounds to zero the product need not be zero.
    classes = misclassified(y, product) & (product != 0)
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


def _alone(y: Array, x: Array) -> NDArray[np.float64]:
    slopes, told = slopes_in(y, x)
    return slopes[told]


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
