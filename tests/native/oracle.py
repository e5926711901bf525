"""What the kernels must compute, by NumPy alone: long double, and rounding by definition."""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}


def compute_type(dtype: str) -> type[np.floating[Any]]:
    """The type that a parameter is rounded to."""
    return np.float64 if dtype == "float64" else np.float32


def all_16_bit(dtype: str) -> Array:
    """Every bit pattern of a 16-bit type but NaN, as float64."""
    with np.errstate(invalid="ignore"):
        values = np.arange(65536, dtype=np.uint16).view(DTYPES[dtype]).astype(np.float64)
    return values[~np.isnan(values)]


@functools.cache
def _magnitudes(dtype: str) -> Array:
    """The numbers >= 0 of a 16-bit type in order, and the one that would follow the largest."""
    top = {"float16": 0x7C00, "bfloat16": 0x7F80}[dtype]
    finite = np.arange(top, dtype=np.uint16).view(DTYPES[dtype]).astype(np.longdouble)
    return np.append(finite, 2 * finite[-1] - finite[-2])


def nearest(values: Array, dtype: str) -> Array:
    """`values` (long double) rounded to a 16-bit type by comparing distances, ties to even."""
    grid = _magnitudes(dtype)
    size = np.minimum(np.abs(values), grid[-1])
    above = np.clip(np.searchsorted(grid, size), 1, len(grid) - 1)
    down, up = size - grid[above - 1], grid[above] - size
    chosen = np.where((up < down) | ((up == down) & (above % 2 == 0)), above, above - 1)
    result = np.where(chosen == len(grid) - 1, np.inf, grid[chosen])
    return np.copysign(np.where(np.isnan(values), np.nan, result), values).astype(np.float64)


def leaky(x: Array, slope: Any, dtype: str) -> Array:
    """Returns x < 0 ? slope * x : x, the exact product rounded once.

    64 bits of significand hold any product but that of two float64 numbers, which float64
    arithmetic itself rounds correctly.
    """
    wide = np.float64 if dtype == "float64" else np.longdouble
    with np.errstate(all="ignore"):
        product = x.astype(wide) * np.asarray(slope).astype(wide)
        return rounded(np.where(x < 0, product, x.astype(wide)), dtype)


def rounded(values: Array, dtype: str) -> Array:
    """`values` (long double) rounded once, as float64."""
    if dtype in ("float16", "bfloat16"):
        return nearest(values, dtype)
    with np.errstate(all="ignore"):
        return values.astype(DTYPES[dtype]).astype(np.float64)


def elu(x: Array, alpha: Any) -> Array:
    """Returns x < 0 ? alpha * expm1(x) : x in long double.

    The result is nearer to zero than alpha * x and than alpha. Where long double cannot show that,
    it is moved by one step, so that a half-way case is rounded to the right side.
    """
    wide = x.astype(np.longdouble)
    factor = np.longdouble(alpha)
    with np.errstate(all="ignore"):
        y = factor * np.expm1(wide)
        stuck = np.isfinite(x) & np.isfinite(y) & (y != 0) & ((y == factor * wide) | (y == -factor))
        y = np.where(stuck, np.nextafter(y, np.longdouble(0)), y)
        return np.where(x < 0, y, wide)


def assert_same(got: Array, want: Array, x: Array) -> None:
    """Equal values, NaN for NaN and zeros of the same sign; shows the first few that are not."""
    same = (got == want) & (np.signbit(got) == np.signbit(want))
    wrong = np.flatnonzero(~(same | (np.isnan(got) & np.isnan(want))))
    rows = [f"x {x[i]!r}: {got[i]!r}, not {want[i]!r}" for i in wrong[:5]]
    assert len(wrong) == 0, f"{len(wrong)} of {len(x)} differ: " + "; ".join(rows)


def draws(seed: int, count: int) -> Array:
    """Philox 4x32-10 in Python integers: `count` words, element i is word i % 4 of block i // 4."""
    mask, words = 0xFFFFFFFF, []
    for block in range(-(-count // 4)):
        c = [block & mask, block >> 32, 0, 0]
        key = [seed & mask, (seed >> 32) & mask]
        for _ in range(10):
            a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(b >> 32) ^ c[1] ^ key[0], b & mask, (a >> 32) ^ c[3] ^ key[1], a & mask]
            key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
        words += c
    return np.array(words[:count], dtype=np.float64)
