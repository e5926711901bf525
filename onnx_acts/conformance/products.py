"""Parameters whose product with a number of 16 bits lies right beside a tie.

Such a product goes to one side when it is rounded once, and to the other when a wider type has
rounded it before. A kernel may leave out that care where no product needs it; these are the
shortest parameters that do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.dtypes import limits_of, numpy_type

__all__ = ["hard_products"]

Array = NDArray[Any]

_LENGTHS = (14, 15, 17, 20, 24)
"""Bits of a parameter; with those of a number of 16 bits, float32 has too few from 14 or 17 on."""

_TINY_LENGTH = 13
"""Bits of a parameter that float32 multiplies exactly, but not where the product is subnormal."""


def hard_products(dtype: str) -> Iterator[tuple[str, float, Array]]:
    """Yields a name, a positive parameter and negative numbers that it is hard for.

    Args:
        dtype: an element type; only those of 16 bits have such parameters in float32.
    """
    kind = numpy_type(dtype)
    if kind.itemsize != 2:
        return
    limits = limits_of(kind)
    digits = limits.nmant + 1
    for length in _LENGTHS:
        parameter, whole = _beside_tie(digits, length, length)
        powers = np.arange(limits.minexp, limits.maxexp - digits, dtype=np.int64)
        x = -np.ldexp(float(whole), powers).astype(kind)
        yield f"{length} bits", float(np.ldexp(float(parameter), 1 - length)), x
    if limits.minexp > -100:
        return  # float32 has enough room below this type's subnormals
    for lost in (17, 18, 19):
        parameter, whole = _beside_tie(digits, _TINY_LENGTH, lost)
        x = -np.array([whole], float) * float(limits.smallest_subnormal)
        name = f"{_TINY_LENGTH} bits and tiny, {lost} lost"
        yield name, float(np.ldexp(float(parameter), -lost)), x.astype(kind)


def _beside_tie(digits: int, length: int, lost: int) -> tuple[int, int]:
    """Two odd integers, of at most `length` and `digits` bits, with a product beside a tie.

    The product without its last `lost` bits is what is kept. These are 100...01 where an even
    number is kept and 011...11 where an odd one is: rounded to fewer bits each becomes 100...00, a
    tie, which then goes to the wrong side.
    """
    modulus, middle = 1 << lost, 1 << (lost - 1)
    for whole in range((1 << digits) - 1, 0, -2):
        for rest, parity in ((middle + 1, 0), (middle - 1, 1)):
            parameter = rest * pow(whole, -1, modulus) % modulus
            kept = parameter * whole >> lost
            fills = lost > length or kept >= 1 << (digits - 1)  # as many bits as the type keeps
            if parameter < 1 << length and fills and kept % 2 == parity:
                return parameter, whole
    raise ValueError(f"no numbers of {length} and {digits} bits have a product beside a tie")
