"""Draws of too few bits, and draws that never come near a bound.

A generator may give fewer bits than the element type has, as most do for float64: 23 are enough.
With 16 it is not uniform any more, though no distance between distributions shows it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type

__all__ = ["wrong_resolution"]

Array = NDArray[Any]

_UNLIKELY = 1e-9
"""So seldom a right generator is called wrong, by each of the questions."""

_BITS = 23
"""What generators have at least: the mantissa of float32, filled with random bits."""

_FEWEST = 4
"""Bits below which the distance from the uniform distribution shows it anyway."""

_MANY = 1024
"""Draws that are enough to see a grid."""

_BIAS = 0.02
"""More than rounding to the element type adds to a mean of waves."""


def wrong_resolution(draws: Array, case: Case, is_exact: bool = True) -> str:
    """What is wrong with draws that keep the law otherwise, or an empty string.

    Args:
        draws: the slopes, in float64.
        case: the case in training.
        is_exact: whether they are what was drawn, rounded; else they were divided out of Y.
    """
    low, high = case.real_values
    if not draws.size or not 0 < high - low < math.inf:
        return ""
    grid = _on_a_grid(draws[:_MANY], case)
    return _too_far_from_ends(draws, case) or grid or _too_often_equal(draws, case, is_exact)


def _too_far_from_ends(draws: Array, case: Case) -> str:
    """Which bound draws never come near."""
    low, high = case.real_values
    # Chance leaves a part d of the interval out with (1 - d)^n.
    chance = math.log(2 / _UNLIKELY) / draws.size * (high - low)
    allowed = chance + 2 * _unit(case)
    least, most = float(draws.min()), float(draws.max())
    if least > low + allowed:
        return f"no draw below {least:.6g}: the lower bound is {low:g}"
    if most < high - allowed:
        return f"no draw above {most:.6g}: the upper bound is {high:g}"
    return ""


def _unit(case: Case) -> float:
    """A unit of the element type at the larger bound, at most."""
    largest = max(abs(value) for value in case.real_values)
    return float(limits_of(numpy_type(case.dtype)).eps) * largest


def _on_a_grid(draws: Array, case: Case) -> str:
    """Steps of 2^-bits, or of 1 / (2^bits - 1): waves of that length have one phase at them all."""
    low, high = case.real_values
    finest = (high - low) / (4 * _unit(case))
    steps = [2**bits - less for bits in range(_FEWEST, _BITS) for less in (1, 0)]
    steps = [step for step in steps if step <= finest]
    # Hoeffding's bound, for sines and cosines.
    chance = math.sqrt(4 * math.log(4 * max(len(steps), 1) / _UNLIKELY) / draws.size)
    if chance + _BIAS >= 1:
        return ""
    places = 2j * math.pi * (draws - low) / (high - low)
    for step in steps:
        if abs(np.exp(places * step).mean()) > chance + _BIAS:
            return f"not uniform: draws come in steps of 1/{step} of the width"
    return ""


def _too_often_equal(draws: Array, case: Case, is_exact: bool) -> str:
    """More pairs of equal draws than numbers of `_BITS` bits or of the element type give."""
    low, high = case.real_values
    cell = _unit(case) if is_exact else 4 * _unit(case)
    ordered = np.sort(draws if is_exact else np.rint(draws / cell))
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    counts = np.diff(ends, prepend=-1).astype(np.float64)
    pairs = float((counts * (counts - 1)).sum() / 2)
    share = min(1.0, max(cell / (high - low), 2.0**-_BITS))
    # Twice what is expected, and Bernstein's bound on top.
    expected, log = draws.size**2 * share, math.log(1 / _UNLIKELY)
    allowed = expected + log / 3 + math.sqrt(log**2 / 9 + 2 * log * expected)
    if pairs <= allowed:
        return ""
    return f"not uniform: {pairs:.0f} pairs of equal draws, chance gives {expected / 2:.0f}"
