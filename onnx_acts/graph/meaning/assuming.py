"""Near misses: what would be an activation if one thing in it were otherwise.

Where an operator would make something unknown, one thing is assumed, and noted as the reason why
the result is no activation after all (`Evaluation.assume`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onnx_acts.graph.meaning import values
from onnx_acts.graph.meaning.evaluating import Evaluation
from onnx_acts.graph.meaning.values import Value
from onnx_acts.graph.view import Array

__all__ = ["CHANGES_POSITIVE", "clipped_once", "compared", "larger", "wrong_side"]

CHANGES_POSITIVE = "it changes positive x"
_JUMP = "it jumps at 0"
_BEND = "its bend is not at 0"


def compared(
    evaluation: Evaluation, function: Callable[[Value, Value], Value], u: Value, v: Value
) -> Value:
    """A comparison; of x with another number than 0, as if it were with 0."""
    found = function(u, v)
    if not np.isnan(found.c).any():
        return found
    changed = _bent_at_zero(u, v)
    return found if changed is None else evaluation.assume(_BEND, function(*changed))


def larger(evaluation: Evaluation, u: Value, v: Value, sign: int = 1) -> Value:
    """max(u, v) or, with sign -1, min(u, v).

    Of x and a variable multiple of it, as if that were the larger one for x < 0 alone; of x and
    another number than 0, as if that were 0.
    """
    found = values.larger(u, v, sign)
    if not np.isnan(found.c).any():
        return found
    for x, other in ((u, v), (v, u)):
        if other.degree and x.is_x and _is_multiple(other):
            below = np.array([[1.0], [0.0]])
            negative = values.as_boolean(below, x.at < 0, x.permutation)
            reason = f"its slope may be {'above' if sign > 0 else 'below'} 1"
            return evaluation.assume(reason, values.chosen(negative, other, x))
    changed = _bent_at_zero(u, v)
    return found if changed is None else evaluation.assume(_BEND, values.larger(*changed, sign))


def clipped_once(evaluation: Evaluation, found: Value, bounds: list[Value]) -> list[Value]:
    """The bounds of a Clip of x; of 0 and another number, 0 alone."""
    numbers = [float(bound.c.flat[0]) for bound in bounds]
    is_two = 0 in numbers and all(abs(n) < values.maximum(found.at.dtype) for n in numbers)
    if not is_two or numbers[0] >= numbers[1] or not _is_line(found):
        return bounds
    index = 1 - numbers.index(0)
    sign = 2 * index - 1
    none = values.number(np.array([sign * np.inf]).astype(found.at.dtype), found.permutation)
    return evaluation.assume(
        "its Clip has two bounds", [*bounds[:index], none, *bounds[index + 1 :]]
    )


def wrong_side(value: Value, op_type: str) -> tuple[str, str] | None:
    """What a value nearly is that is x on one side of 0.

    Args:
        value: the description.
        op_type: the operator that makes it.

    Returns:
        The activation, and why it is none; None for other values.
    """
    if (value.a == 1)[1].all() and not value.c[1].any() and not value.k[1].any():
        return _jumping(value)
    (below, above), is_line = value.a, (value.c == 0) & (value.k == 0)
    if value.degree:
        is_turned = is_line.all() and (below == 1).all() and np.ptp(above) > 0
        return ("PReLU", CHANGES_POSITIVE) if is_turned else None
    is_scaled = (above != 1) & (above != 0) & (below != 0) & (np.abs(above) != np.abs(below))
    if is_line.all() and is_scaled.any() and (is_scaled | (above == 1)).all():
        is_extreme = op_type in ("Max", "Min") and (below[is_scaled] == 1).all()
        largest = f"its slope is {'above' if op_type == 'Max' else 'below'} 1"
        return "LeakyReLU", largest if is_extreme else CHANGES_POSITIVE
    is_turned = (is_line[0] & (below == 1)).all() and _is_expm1(value)[1].all()
    return ("ELU", CHANGES_POSITIVE) if is_turned else None


def _jumping(value: Value) -> tuple[str, str] | None:
    """The same where a value is x for x > 0; what it is below 0 is not 0 there."""
    a, c, k = value.a[0], value.c[0], value.k[0]
    if ((a == 0) & (k != 0) & ~_is_expm1(value)[0]).all():
        return "ELU", _JUMP
    # x + c is no slope, but another turn of an angle.
    return ("LeakyReLU", _JUMP) if ((k == 0) & (c != 0) & (a != 0) & (a != 1)).all() else None


def _bent_at_zero(u: Value, v: Value) -> tuple[Value, Value] | None:
    """A multiple of x and a number, with 0 in its place; None where they are something else."""
    if _is_line(u) and _is_other_number(v):
        return u, _zero(v)
    if _is_line(v) and _is_other_number(u):
        return _zero(u), v
    return None


def _is_expm1(u: Value) -> Array:
    """On which side it is a multiple of exp(x) - 1, but for rounding."""
    return np.asarray((u.a == 0) & (u.k != 0) & (np.abs(u.c + u.k) <= 1e-3 * np.abs(u.k)))


def _is_line(u: Value) -> bool:
    """A multiple of x, the same on both sides, by a number that is no variable."""
    return bool(u.degree == 0 and _is_multiple(u) and (u.a != 0).all() and u.is_exact.all())


def _is_multiple(u: Value) -> bool:
    return bool(((u.c == 0) & (u.k == 0) & (u.a == u.a[::-1])).all())


def _is_other_number(u: Value) -> bool:
    """A number that is not 0 everywhere, and finite."""
    is_number = bool((u.is_number & u.is_exact & np.isfinite(u.c)).all())
    return is_number and bool(u.c.any())


def _zero(u: Value) -> Value:
    return values.number(np.zeros(1, u.at.dtype), u.permutation)
