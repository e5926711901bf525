"""Conditions: values that are true (1), false (0) or unknown (NaN) on each side of 0."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from onnx_acts.graph.meaning.values import Value, as_boolean, order
from onnx_acts.graph.view import Array

__all__ = [
    "as_mask",
    "at_least",
    "at_most",
    "both",
    "denied",
    "either",
    "equal",
    "greater",
    "less",
]


def at_least(u: Value, v: Value) -> Value:
    """Describes u >= v, where that is one answer on a whole side."""
    is_true, _, is_false = order(u, v)
    known = (is_true | is_false) & u.is_exact & v.is_exact
    return as_boolean(np.where(known, is_true, np.nan), u.at >= v.at, u.permutation)


def at_most(u: Value, v: Value) -> Value:
    """Describes u <= v."""
    return at_least(v, u)


def less(u: Value, v: Value) -> Value:
    """Describes u < v, which is false for NaN as u >= v is."""
    return dataclasses.replace(denied(at_least(u, v)), at=u.at < v.at)


def greater(u: Value, v: Value) -> Value:
    """Describes u > v."""
    return dataclasses.replace(denied(at_least(v, u)), at=u.at > v.at)


def equal(u: Value, v: Value) -> Value:
    """Describes u == v, where that is one answer on a whole side."""
    above, below, is_less = order(u, v)
    is_other = is_less | order(v, u)[2]
    known = (is_other | (above & below)) & u.is_exact & v.is_exact
    return as_boolean(np.where(known, ~is_other, np.nan), u.at == v.at, u.permutation)


def denied(u: Value) -> Value:
    """Describes not u."""
    return as_boolean(1 - u.c, ~u.at, u.permutation)


def both(u: Value, v: Value) -> Value:
    """Describes u and v."""
    return as_boolean(_settled(u, v, 0, u.c * v.c), u.at & v.at, u.permutation)


def either(u: Value, v: Value) -> Value:
    """Describes u or v."""
    return as_boolean(_settled(u, v, 1, np.maximum(u.c, v.c)), u.at | v.at, u.permutation)


def as_mask(u: Value, dtype: np.dtype[Any]) -> Value:
    """Cast of a number to bool, or of a condition to integers."""
    is_known = u.is_number & u.is_exact
    c = np.where(is_known, u.c != 0 if dtype.kind == "b" else u.c, np.nan)
    return as_boolean(np.where(np.isnan(u.c), np.nan, c), u.at.astype(dtype), u.permutation)


def _settled(u: Value, v: Value, answer: int, otherwise: Array) -> Array:
    """The answer where one operand alone gives it."""
    return np.where((u.c == answer) | (v.c == answer), answer, otherwise)
