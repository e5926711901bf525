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
    """

    operator: str
    parameters: Array
    is_approximate: bool


def activation(value: Value, inputs: Points) -> Found | None:
    """Compares a description with the activations: in real numbers, then at the points."""
    c, a, k = value.terms[:, 0]
    of_slope = value.terms[:, 1]
    room = value.error * inputs.epsilon
    is_x = (np.abs(c[1]) <= room[1]) & (k[1] == 0) & (np.abs(a[1] - 1) <= room[1])
    is_x &= np.all(np.abs(of_slope[:, 1]) <= room[1], axis=0)
    is_near = value.error <= _ROOM * np.maximum(1, np.abs(a) + np.abs(k))
    if not np.all(is_x) or not np.all(is_near):
        return None
    if np.all(np.abs(c[0]) <= room[0]) and not np.any(k[0]):
        return _leaky(value, inputs)
    is_expm1 = (a[0] == 0) & (k[0] != 0) & (np.abs(c[0] + k[0]) <= room[0])
    if not np.all(is_expm1) or np.any(of_slope[:, 0]):
        return None
    wanted = points.elu(inputs.x, k[0].astype(inputs.dtype))
    return _compared("ELU", value, inputs, wanted, k[0])


def _leaky(value: Value, inputs: Points) -> Found | None:
    """A multiple of x on the negative side; x itself and abs(x) are no activation."""
    slope, of_slope = value.terms[1, :, 0]
    if inputs.has_slope:
        if np.any(value.rough == 2) or np.any(slope != 0) or np.any(of_slope != 1):
            return None
        return _compared("PReLU", value, inputs, points.leaky(inputs.x, inputs.slope), slope)
    if np.any(value.rough == 2) or np.all(slope == 1) or (slope.size == 1 and slope[0] == -1):
        return None
    if slope.size == 1 and slope[0] == 0:
        return _compared("ReLU", value, inputs, points.relu(inputs.x), slope)
    stored = slope.astype(inputs.dtype)
    found = _compared("LeakyReLU", value, inputs, points.leaky(inputs.x, stored), slope)
    rounds = found is not None and bool(np.any(stored != slope))
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
    if not np.all(close | ~inputs.is_ordinary):
        return None
    is_approximate = bool(np.any(value.rough > 0)) or not np.all(same)
    return Found(operator, parameters, is_approximate)
