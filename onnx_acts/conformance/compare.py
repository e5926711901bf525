"""Comparison with the exact value, in units in the last place (ULP).

An error in ULP is |got - exact| / ulp(exact), where ulp(v) is the distance between neighbouring
numbers of the element type in v's binade: 2^(floor(log2 |v|) - m) with m stored mantissa bits.

- Below the smallest normal number the distance no longer shrinks: ulp is the smallest subnormal.
- Above the largest finite number the grid is continued as if the exponent had no limit, and
  everything from 2^(largest exponent + 1) on counts as that one value. So infinity for an exact
  value that rounds to infinity is no error, and the largest finite number there is off by 1 ULP.

A distance hides what is not a number on that grid. So NaN, the infinities, the sign and a true zero
are classes: an element whose class is wrong is wrong, whatever the promise.

Integers have no such grid: their error is the difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import limits_of
from onnx_acts.definition.reference import rounded

__all__ = ["Comparison", "broken", "compare", "misclassified", "ulp", "ulp_error"]

Array = NDArray[Any]

_LARGEST_REPORTED = 1e300


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        max_ulp: the largest error of the elements whose class is right; 0 where there are none.
        wrong: how many elements break the promise.
        worst: flat index of the worst of them, None where all are right or the arrays have
            different shapes or element types.
        message: what is wrong in one line, empty where nothing is.
        outputs: what the runtime returned, where one was asked.
        raised: whether it raised an error instead.
        open: why there is no verdict, where nothing is wrong and nothing is proven.
        about: what a record must be about to explain it, where no element of an output tells.
        runs: of a case that was run more than once, those that break the promise: the case, X
            perhaps turned around, and the verdict. Records must explain each.
    """

    max_ulp: float
    wrong: int = 0
    worst: int | None = None
    message: str = ""
    outputs: Sequence[Array] = ()
    raised: bool = False
    open: str = ""
    about: str = ""
    runs: Sequence[tuple[Any, Comparison]] = ()

    @property
    def ok(self) -> bool:
        """Whether every element keeps the promise."""
        return not self.message


@np.errstate(all="ignore")  # signalling NaNs and overflow are what this is about
def compare(
    got: Array, exact: Array, dtype: np.dtype[Any], promise: float, is_certain: bool = False
) -> Comparison:
    """Judges a result.

    Args:
        got: what a runtime computed.
        exact: the true values in a wider type, as `onnx_acts.reference.exact` gives them.
        dtype: the element type that `got` must have.
        promise: the largest error allowed, in ULP; of integers the largest difference. 0.5 means
            correctly rounded, ties to even: the very bits. For float64 the true values have 64
            bits, so there the promise is widened by what their own error can cost, 2^-8 ULP; if it
            is 0.5, only beside a tie.
        is_certain: the true values round as the truth itself does, in float64 too: no slack then.
    """
    if got.dtype != dtype or got.shape != exact.shape:
        found, wanted = (
            f"{a} of shape {b}" for a, b in ((got.dtype, got.shape), (dtype, exact.shape))
        )
        return Comparison(0.0, exact.size, None, f"got {found}, expected {wanted}")
    got, exact = got.reshape(-1), exact.reshape(-1)
    if np.issubdtype(dtype, np.integer):
        return _compare_steps(got, exact, promise)
    classes, errors = misclassified(got, exact), ulp_error(got, exact)
    wrong = _broken(got, exact, promise, is_certain, classes, errors)
    max_ulp = float(np.max(errors, where=~classes, initial=0.0))
    if not wrong.any():
        return Comparison(max_ulp)
    worst = int(np.argmax(np.where(classes, np.inf, np.where(wrong, errors, -1))))
    message = (
        f"got {_text(got[worst])}, exact {_text(exact[worst])}: "
        + ("wrong class" if classes[worst] else f"{float(errors[worst]):.4g} ULP")
        + f" (promise {promise:g} ULP; {int(wrong.sum())} of {got.size} elements, first"
        f" {int(np.argmax(wrong))})"
    )
    return Comparison(max_ulp, int(wrong.sum()), worst, message)


@np.errstate(all="ignore")
def broken(got: Array, exact: Array, promise: float, is_certain: bool = False) -> NDArray[np.bool_]:
    """Which elements break the promise; see `compare`.

    Args:
        got: values of a floating-point element type.
        exact: the true values in a wider type.
        promise: the largest error allowed, in ULP.
        is_certain: see `compare`.
    """
    classes, errors = misclassified(got, exact), ulp_error(got, exact)
    return _broken(got, exact, promise, is_certain, classes, errors)


def _broken(
    got: Array, exact: Array, promise: float, is_certain: bool, classes: Array, errors: Array
) -> NDArray[np.bool_]:
    """The same, with what is known of each element: a wrong class, the error."""
    dtype = got.dtype
    right, slack = rounded(exact, dtype), 0.0 if is_certain else _slack(dtype, exact.dtype)
    if promise > 0.5:
        too_far = errors > promise + slack
    elif dtype != np.float64 or is_certain:
        too_far = (got != right) & ~np.isnan(exact)
    else:
        # Where the true value has too few bits to tell which of two numbers is nearer, both are
        # right. (Beside a power of two a neighbour is off by half a unit, and wrong.)
        too_far = errors - ulp_error(right, exact) > 2 * slack
    return np.asarray(classes | (too_far & (got != right)))


def _compare_steps(got: Array, exact: Array, promise: float) -> Comparison:
    """Integers: the error is their difference."""
    errors = np.abs(got.astype(np.int64) - exact.astype(np.int64))
    wrong = errors > promise
    largest = float(np.max(errors, initial=0))
    if not wrong.any():
        return Comparison(largest)
    worst = int(np.argmax(errors))
    message = (
        f"got {got[worst]}, exact {exact[worst]} (promise {promise:g} steps; {int(wrong.sum())} of"
        f" {got.size} elements, first {int(np.argmax(wrong))})"
    )
    return Comparison(largest, int(wrong.sum()), worst, message)


def ulp(exact: Array, dtype: np.dtype[Any]) -> Array:
    """Returns the unit in the last place of `dtype` at each value; see the module's text.

    Args:
        exact: finite values in a wider type.
        dtype: the element type.
    """
    limits = limits_of(dtype)
    _, exponent = np.frexp(exact)
    binade = np.clip(exponent - 1, limits.minexp, limits.maxexp - 1)
    return np.asarray(np.ldexp(exact.dtype.type(1), binade - limits.nmant))


@np.errstate(all="ignore")
def ulp_error(got: Array, exact: Array) -> NDArray[np.float64]:
    """Returns the error of each element in ULP of `got`'s element type.

    It is 0 where either is NaN or where both are the same infinity.

    Args:
        got: values of an element type.
        exact: the true values in a wider type.
    """
    limits = limits_of(got.dtype)
    top = np.ldexp(exact.dtype.type(1), limits.maxexp)
    comparable = ~(np.isnan(got) | np.isnan(exact))
    here = np.where(comparable, np.clip(got.astype(exact.dtype), -top, top), 0)
    there = np.where(comparable, np.clip(exact, -top, top), 0)
    errors = np.abs(here - there) / ulp(there, got.dtype)
    return np.asarray(np.minimum(errors, _LARGEST_REPORTED), dtype=np.float64)


def misclassified(got: Array, exact: Array) -> NDArray[np.bool_]:
    """Where NaN, an infinity, a sign or a zero is lost or made up.

    Args:
        got: values of an element type.
        exact: the true values in a wider type.
    """
    nan = np.isnan(exact)
    # An infinity that was got for a finite value is a matter of distance: it may be right.
    infinite = np.isinf(exact) & ~np.isinf(got)
    zero = (exact == 0) & (got != 0)
    sign = np.signbit(exact) != np.signbit(got)
    return np.asarray((nan != np.isnan(got)) | (~nan & (infinite | zero | sign)))


def _slack(dtype: np.dtype[Any], working: np.dtype[Any]) -> float:
    """What the true values may be wrong by: eight of their units, in ULP of `dtype`.

    glibc documents an error of up to 3 units for expm1 in the working type, and a product can
    double that. (2.2 were seen against MPFR.)
    """
    return float(2.0 ** (limits_of(dtype).nmant - np.finfo(working).nmant + 3))


def _text(value: Any) -> str:
    """A value with digits enough to tell it from its neighbours."""
    return f"{np.longdouble(value):.17g}"
