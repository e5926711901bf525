"""How one constant differs from another, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.tolerance import as_double, epsilon, is_real, largest
from onnx_acts.verifying.judging import coarser, is_tensor, is_text

__all__ = ["as_there", "differs"]

_ROUNDED = 4
"""By how many units a constant may differ that was converted to another type."""

_CLAMPED = 1e4
"""What onnxconverter-common writes for larger numbers, unless it is told another one."""

_LARGE = 0.1
"""The share of the largest number of a type from which a number may stand for larger ones."""


def as_there(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """What is here in the element type of what is there, with the numbers that got clamped."""
    with np.errstate(over="ignore", invalid="ignore"):
        value = a.astype(b.dtype)
    clamped = _clamped(a, b)
    return np.where(clamped, b, value) if clamped.any() else value


def _clamped(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Which numbers are large here, and larger there than the type here holds, or a tool writes."""
    if a.shape != b.shape or not (is_real(a.dtype) and is_real(b.dtype)):
        return np.zeros(a.shape, bool)
    if epsilon(a.dtype) <= epsilon(b.dtype):
        return np.zeros(a.shape, bool)
    x, y, most = as_double(a), as_double(b), largest(a.dtype)
    is_end = (np.abs(y) > most) | (np.abs(x) == _CLAMPED)
    is_large = (np.abs(x) >= _LARGE * most) & (np.abs(y) >= np.abs(x))
    return np.asarray(is_end & is_large & (np.sign(x) == np.sign(y)))


def differs(
    a: NDArray[Any],
    b: NDArray[Any],
    share: float = 0.0,
    step: float = 0.0,
    *,
    counts_clamped: bool = True,
) -> str:
    """How one array differs from another, up to a conversion of its type; empty if it does not.

    Args:
        a: what is here.
        b: what is there.
        share: by how much of the largest number any may differ.
        step: by how much any may differ.
        counts_clamped: whether large numbers that stand for ones that the type cannot hold count.
    """
    if is_text(a) and is_text(b) and a.shape == b.shape:
        count = int((a != b).sum())
        return f"differs in {count} of {a.size} strings" if count else ""
    if not (is_tensor(a) and is_tensor(b)) or is_real(a.dtype) != is_real(b.dtype):
        return ""
    if a.shape != b.shape and a.size != b.size:
        return f"has the shape {list(a.shape)} here, {list(b.shape)} there"
    if a.shape != b.shape:
        a = a.reshape(b.shape)
    x, y = as_double(a), as_double(b)
    scale = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
    eps = _ROUNDED * epsilon(coarser(a.dtype, b.dtype)) if is_real(a.dtype) else 0.0
    with np.errstate(invalid="ignore"):
        near = np.maximum(eps * np.maximum(np.abs(y), 1e-3 * scale), max(share * scale, step))
        wrong = ~((np.abs(x - y) <= near) | (x == y))
        wrong &= ~(np.isnan(x) & np.isnan(y))
    if not counts_clamped:
        wrong &= ~_clamped(a, b)
    if not wrong.any():
        return ""
    if a.ndim >= 2 and a.shape == a.T.shape and np.allclose(x.T, y, rtol=eps, atol=eps * scale):
        return "is transposed"
    with np.errstate(invalid="ignore"):
        apart = np.where(wrong, np.nan_to_num(np.abs(x - y), nan=np.inf), -1.0)
    where = tuple(map(int, np.unravel_index(int(apart.argmax()), apart.shape)))
    return (
        f"differs in {int(wrong.sum())} of {wrong.size} elements, most at {list(where)}:"
        f" {x[where]:.6g} here, {y[where]:.6g} there"
    )
