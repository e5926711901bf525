"""Which activation a description is, if any, and how near it comes."""

from __future__ import annotations

import dataclasses

import numpy as np

from onnx_acts.graph.meaning import points
from onnx_acts.graph.meaning.points import Points
from onnx_acts.graph.meaning.values import Value
from onnx_acts.graph.view import Array

__all__ = ["Found", "activation"]

_ROOM = 32
"""How many rounding units of x an approximate form may be off."""


@dataclasses.dataclass(frozen=True)
class Found:
    """An activation, for some elements of the constants.

    Attributes:
        operator: ReLU, LeakyReLU (also of many slopes), PReLU (of a slope that is no constant) or
            ELU.
        parameters: the slopes or the values of alpha, one for each element.
        is_approximate: it rounds differently, or differs at one of the points.
        obstacle: what keeps the operator from taking the parameters.
    """

    operator: str
    parameters: Array
    is_approximate: bool
    obstacle: str = ""


def activation(value: Value, inputs: Points, is_part: bool = False) -> Found | None:
    """Compares a description with the activations: in real numbers, then at the points.

    Args:
        value: the description.
        inputs: the points.
        is_part: the constants have more elements than those of the description; slopes of 1 alone
            say nothing then.
    """
    (below, c), (slope, a), (alpha, k) = value.c, value.a, value.k
    room = value.error * inputs.epsilon
    is_x = (np.abs(c) <= room[1]) & (k == 0) & (np.abs(a - 1) <= room[1])
    is_near = value.error <= _ROOM * np.maximum(1, np.abs(value.a) + np.abs(value.k))
    if not (is_x.all() and is_near.all()):
        return None
    if (np.abs(below) <= room[0]).all() and not alpha.any():
        return _leaky(value, slope, inputs, is_part)
    is_expm1 = (slope == 0) & (alpha != 0) & (np.abs(below + alpha) <= room[0])
    if not is_expm1.all():
        return None
    if inputs.probes.size:
        return Found("ELU", np.ones(1), False, "its alpha is no constant")
    wanted = points.elu(inputs.x, alpha.astype(inputs.dtype))
    return _compared("ELU", value, inputs, wanted, alpha)


def _leaky(value: Value, slope: Array, inputs: Points, is_part: bool) -> Found | None:
    """A multiple of x on the negative side; x itself and abs(x) are no activation."""
    if (value.rough == 2).any():
        return None
    if inputs.probes.size:
        if slope.shape != inputs.probes[0].shape or (slope != inputs.probes).any():
            return None
        wanted = points.leaky(inputs.x, inputs.slope)
        return _compared("PReLU", value, inputs, wanted, np.zeros(1))
    is_one = slope.size == 1 and not is_part
    if not is_part and ((slope == 1).all() or (is_one and slope[0] == -1)):
        return None
    if is_one and slope[0] == 0:
        return _compared("ReLU", value, inputs, points.relu(inputs.x), slope)
    stored = slope.astype(inputs.dtype)
    found = _compared("LeakyReLU", value, inputs, points.leaky(inputs.x, stored), slope)
    rounds = found is not None and bool((stored != slope).any())
    return dataclasses.replace(found, is_approximate=True) if found and rounds else found


def _compared(
    operator: str, value: Value, inputs: Points, wanted: Array, parameters: Array
) -> Found | None:
    """Compares the points; where `approximate` promises a number, it must come near."""
    x, unit = np.abs(inputs.x.astype(np.float64)), inputs.epsilon
    size = np.maximum(1, np.abs(parameters))
    if operator == "ELU":
        close = points.is_close(value.at, wanted, 8 * unit * size * (x + 1))
        same = close
    else:
        room = _ROOM * size * (unit * x + inputs.smallest)
        close = points.is_close(value.at, wanted, room)
        same = points.is_same(value.at, wanted)
    if not (close | ~inputs.is_ordinary).all():
        return None
    is_approximate = bool((value.rough > 0).any()) or not same.all()
    return Found(operator, parameters, is_approximate)
