"""Philox 4x32-10, the counter-based generator behind RReLU's training mode.

Source: Salmon, Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3.
Element i of a tensor takes word i % 4 of the block whose counter is i // 4, so the draw for an
element depends on the seed and its row-major index alone, never on threads or on the device.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["philox_4x32", "uniform"]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_ROUNDS = 10

Words = NDArray[np.uint64]


def philox_4x32(
    counter: tuple[Words, Words, Words, Words], key: tuple[int, int]
) -> tuple[Words, Words, Words, Words]:
    """Returns the four output words of each block.

    Args:
        counter: four arrays of 32-bit values held in uint64, of one shape.
        key: two 32-bit values.
    """
    c0, c1, c2, c3 = counter
    for step in range(_ROUNDS):
        k0, k1 = (np.uint64((key[i] + step * _WEYL[i]) & 0xFFFFFFFF) for i in (0, 1))
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c2 = (second >> np.uint64(32)) ^ c1 ^ k0, (first >> np.uint64(32)) ^ c3 ^ k1
        c1, c3 = second & _MASK, first & _MASK
    return c0, c1, c2, c3


def uniform(seed: int, count: int) -> NDArray[np.float64]:
    """Returns `count` draws in [0, 1) as float64, each a multiple of 2^-32.

    Args:
        seed: any 64-bit integer; its low and high halves are the generator's key.
        count: number of elements.
    """
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    zero = np.zeros_like(blocks)
    key = (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
    words = philox_4x32((blocks & _MASK, blocks >> np.uint64(32), zero, zero), key)
    return np.stack(words, axis=-1).reshape(-1)[:count].astype(np.float64) * 2.0**-32
