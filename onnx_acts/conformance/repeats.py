"""Draws that come again, bit by bit: a part of a stream that two threads share, however short."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type

__all__ = ["chance_of_the_same", "repeated"]

Array = NDArray[Any]

_UNLIKELY = 1e-9
"""So seldom a right generator is called wrong."""

_COARSEST = 2.0**-16
"""The steps of generators that give fewer bits than the element type has."""

_LEAST = 2.0**-64
"""A chance that is not 0, where the bounds are as far apart as numbers can be."""


def repeated(noise: Array, drawn: NDArray[np.bool_], case: Case) -> str:
    """Which draws come again, or an empty string.

    As many draws in a row are compared as chance gives twice but once in 1e9.

    Args:
        noise: one number for each element.
        drawn: where they are draws.
        case: the case in training.
    """
    chance, count = max(chance_of_the_same(case), _COARSEST), int(drawn.sum())
    if chance >= 1 or count < 2:
        return ""
    length = math.ceil(math.log(count**2 / 2 / _UNLIKELY) / -math.log(chance))
    if length >= noise.size:
        return ""
    rows = sliding_window_view(noise.reshape(-1), length)
    starts = np.flatnonzero(sliding_window_view(drawn.reshape(-1), length).all(axis=1))
    first, again = _equal_rows(rows, starts)
    if first == again:
        return ""
    return f"draws repeat: {length} from element {again} on are those from element {first} on"


def chance_of_the_same(case: Case) -> float:
    """How often two draws are rounded to one number, at most: a unit's part of the width.

    Args:
        case: the case in training; its bounds differ.
    """
    low, high = case.real_values
    unit = float(limits_of(numpy_type(case.dtype)).eps) * max(abs(low), abs(high))
    return min(1.0, max(unit / (high - low), _LEAST)) if high > low else 1.0


def _equal_rows(rows: Array, starts: NDArray[np.intp]) -> tuple[int, int]:
    """The first two rows that are equal, of those that start there; (0, 0) if none are."""
    bits = rows.view(f"u{rows.itemsize}")
    factors = np.random.default_rng(0).integers(0, 2**64, rows.shape[1], np.uint64)
    hashes = np.zeros(len(rows), np.uint64)
    for column, factor in enumerate(factors):
        hashes += bits[:, column].astype(np.uint64) * factor
    order = starts[np.argsort(hashes[starts], kind="stable")]
    same = hashes[order[1:]] == hashes[order[:-1]]
    pairs = zip(order[:-1][same], order[1:][same], strict=True)
    found = ((int(a), int(b)) for a, b in pairs if np.array_equal(bits[a], bits[b]))
    return next(found, (0, 0))
