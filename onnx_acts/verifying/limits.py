"""How far an output of a model may be from the reference's, and how far it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.difference import Difference, difference_of
from onnx_acts.comparing.limits import Limits
from onnx_acts.comparing.tolerance import as_double, is_real, tolerance_of
from onnx_acts.verifying.judging import QUANTIZED_FACTOR, Got, coarser, integer_limit
from onnx_acts.verifying.references import Wanted

__all__ = ["compared", "described"]

_ROUNDING = "what rounding explains"
_BITS = "what rounding to 8 bits explains"
_EXACT = "integers are equal"


def described(limits: Limits) -> str:
    """The tolerance in words."""
    if limits:
        return f"the caller's: atol {limits.atol or 0.0:g} + rtol {limits.rtol or 0.0:g} * |want|"
    return "what rounding explains (onnx_acts.comparing.tolerance)"


def compared(
    wanted: Wanted,
    got: NDArray[Any],
    walked: Got | None,
    operators: Collection[str],
    limits: Limits,
    *,
    is_same_run: bool,
) -> tuple[Difference, str]:
    """Judges an output of a whole model.

    Args:
        wanted: what it should be.
        got: what it is.
        walked: the same output as the walk has computed it, node by node, with its shadow.
        operators: the activations in the model.
        limits: the caller's tolerance.
        is_same_run: whether the walk had the same inputs.

    Returns:
        How far it is, and what the limit was, in words.
    """
    want = wanted.value
    kinds = [array.dtype.kind if not is_real(array.dtype) else "f" for array in (want, got)]
    if len({"i" if kind == "u" else kind for kind in kinds}) > 1:
        reason = f"it is {got.dtype.name}, the reference is {want.dtype.name}"
        size = max(want.size, got.size)
        return Difference(same=False, reason=reason, elements=size, compared=size), reason
    if want.shape != got.shape or not want.size or kinds[0] in "OSU":
        return difference_of(want, got, np.zeros(())), _EXACT
    if limits:
        allowed = limits.allowed(want)
        return difference_of(want, got, allowed, _dtype(want, got)), described(limits)
    if kinds[0] != "f":
        return _integers(want, got, walked, is_same_run=is_same_run)
    dtype = coarser(want.dtype, got.dtype)
    if walked is not None and walked.coarsest is not None:
        dtype = coarser(dtype, walked.coarsest)
    noise = wanted.noise if wanted.is_known else np.zeros(want.shape)
    found = _noise(walked)
    if noise is not None and found is not None:
        noise = np.maximum(noise, found)
    limit = tolerance_of(want, noise, operators, dtype)
    if walked is None or not walked.is_quantized:
        return difference_of(want, got, limit, dtype), _ROUNDING
    step = walked.bounds[0].step if walked.bounds is not None else 0.0
    limit = np.maximum(limit, QUANTIZED_FACTOR * (found or 0.0) + step)
    return difference_of(want, got, limit, dtype), _BITS


def _dtype(want: NDArray[Any], got: NDArray[Any]) -> np.dtype[Any]:
    return coarser(want.dtype, got.dtype) if is_real(want.dtype) else want.dtype


def _noise(walked: Got | None) -> float | None:
    """The largest distance between an output and its shadow."""
    if walked is None:
        return None
    value, shadow = walked.value, walked.shadow
    if not (isinstance(value, np.ndarray) and isinstance(shadow, np.ndarray)):
        return None
    if not is_real(value.dtype) or value.shape != shadow.shape:
        return None
    with np.errstate(invalid="ignore"):
        apart = np.abs(as_double(value) - as_double(shadow))
    return float(apart[np.isfinite(apart)].max(initial=0.0))


def _integers(
    want: NDArray[Any], got: NDArray[Any], walked: Got | None, *, is_same_run: bool
) -> tuple[Difference, str]:
    """Judges integers: those that stand for real numbers as these, others but for ties exactly."""
    is_known = walked is not None and isinstance(walked.value, np.ndarray)
    if walked is None or not is_known or not (is_same_run or walked.grid):
        return difference_of(want, got, np.zeros(())), _EXACT
    limit = integer_limit(walked)
    limit = limit if limit.shape in ((), want.shape) else np.zeros(())
    return difference_of(want, got, limit), _BITS if walked.grid else _EXACT
