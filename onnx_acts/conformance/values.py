"""Numbers worth trying, by element type: special values, dense sweeps and odd parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import limits_of, numpy_type
from onnx_acts.definition import reference
from onnx_acts.definition.specs import Spec

__all__ = [
    "boundary_values",
    "dense_values",
    "nan_values",
    "near_ties",
    "odd_values",
    "parameter_values",
    "random_values",
    "special_values",
    "tie_parameters",
]

Array = NDArray[Any]


def special_values(dtype: str) -> Array:
    """NaN, infinities, zeros, subnormals, limits, and where exp(x) - 1 changes its character."""
    kind = numpy_type(dtype)
    limits = limits_of(kind)
    tiny, step = float(limits.smallest_normal), float(limits.smallest_subnormal)
    magnitudes = [0.0, step, tiny - step, tiny, 1e-25, 1e-8, 2.0**-limits.nmant, 0.01, 1.0, 3.5]
    magnitudes += [float(limits.max), math.inf]
    signed = [sign * value for value in magnitudes for sign in (1, -1)]
    edges = np.array(_saturation(kind)).astype(kind)
    neighbours = [np.nextafter(edges, kind.type(goal)) for goal in (-math.inf, 0)]
    return np.concatenate([[kind.type(math.nan)], np.array(signed, kind), edges, *neighbours])


def boundary_values(dtype: str) -> Array:
    """Subnormals, the ends of the normal numbers, and each edge of exp and of its reductions.

    exp saturates, underflows, and is computed from the nearest multiple of log 2: there are all of
    them, the ones between two, and neighbours of each.
    """
    kind = numpy_type(dtype)
    limits = limits_of(kind)
    step, tiny = float(limits.smallest_subnormal), float(limits.smallest_normal)
    counts = np.arange(64)
    ends = np.concatenate([counts * step, tiny + (counts - 32) * step]).astype(kind)
    halves = np.arange(2 * (limits.nmant - limits.minexp + 4)) / 2
    edges = (-math.log(2) * halves).astype(kind)
    towards = [kind.type(goal) for goal in (-math.inf, math.inf)]
    near, spread = [edges], [np.array(_saturation(kind), kind)]
    for goal in towards:
        beside = spread[0]
        near.append(np.nextafter(edges, goal))
        for _ in range(32):
            beside = np.nextafter(beside, goal)
            spread.append(beside)
    return np.concatenate([ends, -ends, *near, *spread])


def nan_values(dtype: str) -> Array:
    """NaNs whose bits are in one half alone, so that what looks at the other sees an infinity.

    The first or the last bit of the mantissa, all of them, all of the lower half or of the upper
    one; each with both signs.
    """
    kind = numpy_type(dtype)
    word, count = np.dtype(f"uint{8 * kind.itemsize}"), limits_of(kind).nmant
    infinity = int(np.array(math.inf, kind).view(word))
    every, lower = 2**count - 1, 2 ** (count // 2) - 1
    found = [infinity | bits for bits in (1, 2 ** (count - 1), every, lower, every - lower)]
    signs = [bits | 1 << 8 * kind.itemsize - 1 for bits in found]
    return np.array([*found, *signs], word).view(kind)


def _saturation(kind: np.dtype[Any]) -> list[float]:
    return [-edge * math.log(2) for edge in _saturation_exponents(kind)]


def magnitudes(random: np.random.Generator, first: int, end: int, count: int) -> Array:
    """Positive numbers from 2^first to 2^end, as many in each binade.

    By exact steps alone: NumPy's exp has other last bits on other processors.
    """
    exponents = random.integers(first, end, count)
    return np.asarray(np.ldexp(random.uniform(1, 2, count), exponents))


def odd_values(dtype: str, count: int = 2048) -> Array:
    """Negative numbers whose last bit is set, of ordinary size and subnormal.

    Their products with 1/2, 3/2 and the like are ties wherever a bit is lost.
    """
    kind = numpy_type(dtype)
    word = np.dtype(f"uint{8 * kind.itemsize}")
    random = np.random.default_rng(31)
    plain = -magnitudes(random, -6, 6, count).astype(kind)
    small = -random.integers(1, 2**8, count // 8) * float(limits_of(kind).smallest_subnormal)
    bits = np.concatenate([plain, small.astype(kind)]).view(word) | word.type(1)
    return np.asarray(bits.view(kind))


def near_ties(spec: Spec, dtype: str, tried: int, kept: int = 512) -> Array:
    """Of many numbers those whose true result is nearest to the middle between two numbers.

    Args:
        spec: the operator, with its default parameters.
        dtype: the element type, of 32 or 64 bits.
        tried: how many numbers to choose from.
        kept: how many to keep.
    """
    kind = numpy_type(dtype)
    x = -magnitudes(np.random.default_rng(47), -12, 5, tried).astype(kind)
    slopes = [np.full(1, 0.23).astype(kind) for _ in spec.inputs[1:]]
    with np.errstate(all="ignore"):
        exact = reference.exact(spec, [x, *slopes])[0]
        near = exact.astype(kind)
        other = np.nextafter(near, np.where(exact > near, np.inf, -np.inf).astype(kind))
        gap = np.abs(other.astype(exact.dtype) - near)
        distance = np.abs(np.abs(exact - near) / gap - exact.dtype.type(0.5))
    nearest: Array = np.argsort(distance, kind="stable")[:kept]
    return np.asarray(x[nearest])


def _saturation_exponents(kind: np.dtype[Any]) -> list[int]:
    """The k for which exp(-k log 2) is where expm1 rounds to -1, or where exp underflows."""
    limits = limits_of(kind)
    return [limits.nmant + 1, limits.nmant + 2, -limits.minexp, limits.nmant - limits.minexp + 1]


def dense_values(dtype: str, quick: bool = False) -> Array:
    """Every value of a 16-bit type, NaNs too; else a sweep that visits every exponent.

    Args:
        dtype: the element type.
        quick: fewer values for each exponent of the wider types.
    """
    kind = numpy_type(dtype)
    if kind.itemsize == 2:
        return np.arange(2**16, dtype=np.uint16).view(kind)
    limits = limits_of(kind)
    bias = -limits.minexp + 1
    # The middle of the range is where curves bend: more values for each exponent there.
    coarse, fine = (4, 64) if quick else (32, 1024)
    exponents = np.arange(2 * bias + 1)
    middle = exponents[(exponents > bias - limits.nmant - 8) & (exponents < bias + 12)]
    unsigned = np.concatenate(
        [_bit_patterns(kind, exponents, coarse), _bit_patterns(kind, middle, fine)]
    ).view(kind)
    return np.concatenate([unsigned, -unsigned])


def _bit_patterns(kind: np.dtype[Any], exponents: NDArray[np.int64], count: int) -> Array:
    """Bit patterns of `count` values in each binade, the first and the last of it among them."""
    word = np.dtype(f"uint{8 * kind.itemsize}")
    mantissa_bits = limits_of(kind).nmant
    random = np.random.default_rng(20160)
    mantissas = random.integers(0, 2**mantissa_bits, (exponents.size, count), dtype=np.uint64)
    mantissas[:, 0], mantissas[:, 1] = 0, 2**mantissa_bits - 1
    patterns = (exponents.astype(np.uint64)[:, None] << np.uint64(mantissa_bits)) | mantissas
    return patterns.astype(word).reshape(-1)


def random_values(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    """Normally distributed values, a few of them special."""
    random = np.random.default_rng(seed)
    values = (2 * random.standard_normal(shape)).astype(numpy_type(dtype))
    chosen = random.random(shape) < 0.15
    special = random.choice(special_values(dtype), shape)
    return np.where(chosen, special, values)


def parameter_values() -> dict[str, float]:
    """Parameters by name: zeros, negative, tiny, huge, not representable in 32 bits, infinite."""
    return {
        "0": 0.0,
        "-0": -0.0,
        "0.1": 0.1,
        "1": 1.0,
        "-0.5": -0.5,
        "1/3": 1 / 3,
        "16777217": 16777217.0,
        "1e-42": 1e-42,
        "3e38": 3e38,
        "1e39": 1e39,
        "inf": math.inf,
        "-inf": -math.inf,
        "nan": math.nan,
    }


def tie_parameters() -> dict[str, float]:
    """Parameters by name that lie in the middle between two numbers of an element type, and more.

    Rounded too early, to the tensor's type, each becomes another one.
    """
    middles = {f"1+{odd}*2^-{bits}": 1 + odd * 2.0**-bits for bits in (8, 11, 24) for odd in (1, 3)}
    near = {"1+2^-52": 1 + 2.0**-52, "-1": -1.0, "0.5": 0.5, "2^-149": 2.0**-149}
    return {**middles, **near, "2^-1074": 2.0**-1074, **_FAR}


_FAR = {"-16777217": -16777217.0, "-3e38": -3e38, "1.7e308": 1.7e308, "-1.7e308": -1.7e308}
"""Parameters with which results are large, of the other sign too."""
