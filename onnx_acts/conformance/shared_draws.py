"""Draws that are the reference's in part: Philox with a fault, and no generator of another kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.own_draws import is_fixed, slopes_in
from onnx_acts.conformance.repeats import chance_of_the_same
from onnx_acts.definition import reference

__all__ = ["shared_draws"]

Array = NDArray[Any]

_UNLIKELY = 1e-9
"""So seldom another generator's draws are taken for the reference's."""

_FEW = 8
"""Draws that are the reference's in layouts that share their first blocks, at most."""

_SHARE = 1 / 3
"""Of the draws; more than another generator has by chance."""

_LONG = 2**14
"""Elements up to which draws are looked for in other places, too."""


@np.errstate(all="ignore")  # signalling NaNs; Y of an infinite x
def shared_draws(outputs: Sequence[Array], case: Case) -> str:
    """How many of the draws are the reference's, in words; empty for another generator's.

    Another generator has hardly a draw in common with it. So where a third of them are the same,
    the others are a fault, and bits decide. The same draws for other elements are a fault, too.
    Where Y comes alone, the slopes in it are looked at.

    Args:
        outputs: what a runtime computed: Y and the noise, or Y alone.
        case: the case in training.
    """
    x, kind = case.inputs[0], numpy_type(case.dtype)
    if is_fixed(case) or not outputs or (outputs[-1].shape, outputs[-1].dtype) != (x.shape, kind):
        return ""
    if len(outputs) > 1:
        slopes, told, error = outputs[1].astype(np.float64), x < 0, 0.0
    else:
        # Y and the slope may be rounded, or Y alone.
        slopes, told = slopes_in(outputs[0], x)
        error = float(limits_of(kind).eps)
    chance = chance_of_the_same(case) * (2 if error else 1)
    found, right = slopes[told], _draws(case)[told]
    same = _near(found, right, error)
    here = _said(int(same.sum()), same.size, chance)
    if here or x.size > _LONG:
        return here
    every = np.sort(_draws(case), axis=None)
    at = np.searchsorted(every, found)
    beside = [every[np.clip(at + less, 0, every.size - 1)] for less in (-1, 0)]
    elsewhere = _near(found, beside[0], error) | _near(found, beside[1], error)
    there = _said(int(elsewhere.sum()), elsewhere.size, chance * x.size)
    return there and f"{there}, in another order"


def _near(found: Array, right: Array, error: float) -> NDArray[np.bool_]:
    """Where draws are the same but for a relative error; two may be infinite."""
    return np.asarray((found == right) | (np.abs(found - right) <= error * np.abs(right)))


def _draws(case: Case) -> NDArray[np.float64]:
    """The reference's draws for all elements, whatever their sign."""
    negative = np.full(case.inputs[0].shape, -1, numpy_type(case.dtype))
    noise = reference.exact(case.spec, [negative], case.attributes)[1]
    return np.asarray(reference.rounded(noise, negative.dtype).astype(np.float64))


def _said(count: int, total: int, chance: float) -> str:
    """The sentence, where that many draws are no chance."""
    is_much = count == total or (count >= _FEW and count >= total * _SHARE)
    if not is_much or not _is_no_chance(count, total, chance):
        return ""
    return f"{count} of {total} of the draws are the reference's"


def _is_no_chance(count: int, total: int, chance: float) -> bool:
    """Whether so many equal draws are less likely than `_UNLIKELY`, by Chernoff's bound."""
    if not total or count <= chance * total:
        return False
    share = count / total
    bits = share * math.log(share / chance)
    if share < 1:
        bits += (1 - share) * math.log((1 - share) / (1 - chance))
    return total * bits > -math.log(_UNLIKELY)
