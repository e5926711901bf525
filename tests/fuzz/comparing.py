"""What is equal enough."""

from __future__ import annotations

import numpy as np

from tests.fuzz.case import Array, Error

__all__ = ["difference"]


def difference(
    got: Array, wanted: Array, error: Error, undefined: Array | None = None
) -> tuple[str, str]:
    """Returns the kind of difference and a description, both empty where there is none.

    Zeros may differ in sign: a formula such as 0 - w*0 loses it.

    Args:
        got: the result.
        wanted: what the original gives.
        error: how far they may be apart.
        undefined: of a result of `approximate`, where NaN arrives, if no form on the way makes a
            number of it (`tests.fuzz.undefined`): only there may the forms differ by more than
            rounding.
    """
    if got.dtype != wanted.dtype:
        return "dtype", f"{got.dtype} for {wanted.dtype}"
    if got.shape != wanted.shape:
        return "shape", f"{got.shape} for {wanted.shape}"
    if np.isinf(error.relative):
        return "", ""
    if got.dtype.kind != "f":
        same = np.array_equal(got, wanted)
        return ("", "") if same else ("integers", f"{got.tolist()} for {wanted.tolist()}")
    with np.errstate(all="ignore"):
        return _difference(got, wanted, error, undefined)


def _difference(
    got: Array, wanted: Array, error: Error, undefined: Array | None
) -> tuple[str, str]:
    ignored = np.zeros(got.shape, bool)
    if undefined is not None and error.undefined_at_infinity:
        # An ELU that makes a number of NaN may stand after p*x + q*abs(x).
        ignored |= undefined & (np.isnan(wanted) | error.loses_nan)
    if undefined is not None and error.loses_nan:
        ignored |= undefined & np.isnan(got)
    if (got.dtype == np.float16 or error.is_narrow) and error.depth > 1:
        ignored |= ~np.isfinite(wanted) | ~np.isfinite(got)
    is_other = (np.isnan(got) != np.isnan(wanted)) & ~ignored
    if is_other.any():
        return "NaN", _example(got, wanted, is_other)
    top = float(np.finfo(got.dtype).max)
    here, there = (np.clip(array.astype(np.float64), -top, top) for array in (got, wanted))
    relative = error.relative + (0 if undefined is None else error.loose)
    wrong = ~(np.abs(here - there) <= relative * np.abs(there) + error.absolute)
    wrong &= ~np.isnan(wanted) & ~ignored
    if not wrong.any():
        return "", ""
    is_class = (np.isinf(got) != np.isinf(wanted)) & wrong
    return "infinity" if is_class.any() else "value", _example(got, wanted, wrong)


def _example(got: Array, wanted: Array, wrong: Array) -> str:
    index = int(np.argmax(wrong))
    pair = got.reshape(-1)[index], wanted.reshape(-1)[index]
    return f"element {index}: got {pair[0]!r}, the original gives {pair[1]!r}"
