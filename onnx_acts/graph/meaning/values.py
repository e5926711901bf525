"""A value as a function of x, and arithmetic on such descriptions.

For x < 0 and for x > 0 a value is c + a*x + k*exp(x), for every finite x: proved, not tried. NaN
coefficients say that nothing is known. How far rounding may take the value from there is counted:
(x + 1e30) - 1e30 is not x.

A slope that is no constant stands for some numbers at once. Whatever is a polynomial in it of
degree 1 at most and right for these is right for all; anything else is unknown.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import ml_dtypes
import numpy as np

from onnx_acts.graph.view import Array

__all__ = [
    "Permutation",
    "Value",
    "absolute",
    "added",
    "as_boolean",
    "chosen",
    "converted",
    "divided",
    "exponential",
    "itself",
    "larger",
    "maximum",
    "multiplied",
    "negated",
    "number",
    "order",
    "signed",
]

Permutation = tuple[int, ...]
"""As Transpose has it: axis i of the value is axis p[i] of x."""


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value.

    The arrays are of shape (2, E): for x < 0 and for x > 0, and for each element of the constants.

    Attributes:
        c: the number.
        a: the coefficient of x.
        k: the coefficient of exp(x).
        error: how many rounding units (of 1 or of x) the value may be off; 0 where it has not been
            rounded.
        rough: how rounding differs from the activation's own: 0, not at all; 1, by units of the
            value; 2, by units of 1, of which small values have nothing left.
        at: the value at each of the points, of shape (points, E), in the value's element type.
        permutation: how the dimensions of x were permuted; empty where they were not.
        degree: of the polynomial in a slope that is no constant.
    """

    c: Array
    a: Array
    k: Array
    error: Array
    rough: Array
    at: Array
    permutation: Permutation = ()
    degree: int = 0

    @property
    def is_number(self) -> Array:
        """On which side it does not depend on x."""
        return np.asarray((self.a == 0) & (self.k == 0))

    @property
    def is_exact(self) -> Array:
        """On which side it has not been rounded."""
        return np.asarray((self.error == 0) & (self.degree == 0))

    @property
    def is_known(self) -> bool:
        """Something is known of it on one side at least."""
        return not np.isnan(self.c).all()

    @property
    def is_x(self) -> bool:
        """It is x on both sides, not rounded."""
        is_line = (self.a == 1) & (self.c == 0) & (self.k == 0) & self.is_exact
        return bool(is_line.all())


_NO = np.zeros((2, 1))
_ROUNDED_AS_IT_SHOULD = np.zeros((2, 1), np.int8)
_UNKNOWN = np.full((2, 1), np.nan)
_SIGNS = np.array([[-1.0], [1.0]])
"""Of x on the two sides."""


def number(array: Array, permutation: Permutation = ()) -> Value:
    """A constant; its elements stand along the last axis."""
    c = np.empty((2, array.size))
    c[:] = array
    at = array[None, :]
    return Value(c, _NO, _NO, _NO, _ROUNDED_AS_IT_SHOULD, at, permutation)


def itself(at: Array) -> Value:
    """Describes x."""
    return Value(_NO, _NO + 1, _NO, _NO, _ROUNDED_AS_IT_SHOULD, at)


def negated(u: Value) -> Value:
    """-u."""
    return Value(-u.c, -u.a, -u.k, u.error, u.rough, -u.at, u.permutation, u.degree)


def added(u: Value, v: Value, sign: int = 1) -> Value:
    """Describes u + v or, with sign -1, u - v."""
    c, a, k = u.c + sign * v.c, u.a + sign * v.a, u.k + sign * v.k
    u_zero, v_zero = _is_zero(u), _is_zero(v)
    u_number, v_number, both = u.is_number, v.is_number, u.is_exact & v.is_exact
    is_line = (u.c == 0) & (v.c == 0) & (u.k == 0) & (v.k == 0)
    # Such as x - x, x + x and sums of constants.
    is_exact = both & ((u_number & v_number) | (is_line & (np.abs(a) <= 2)))
    is_expm1 = (_is_power(u) & v_number & v.is_exact) | (_is_power(v) & u_number & u.is_exact)
    more = u.error + v.error + np.abs(c) + np.abs(a) + np.abs(k)
    error = np.where(v_zero, u.error, np.where(u_zero, v.error, np.where(is_exact, 0.0, more)))
    is_shifted = (a != 0) & ((u.c != 0) | (v.c != 0))
    grade = np.maximum(np.maximum(u.rough, v.rough), 1 + is_shifted)
    rough = np.where(is_exact | is_expm1, 0, grade)
    rough = np.where(v_zero, u.rough, np.where(u_zero, v.rough, rough))
    at = u.at + v.at if sign > 0 else u.at - v.at
    return _checked(Value(c, a, k, error, rough, at, u.permutation, max(u.degree, v.degree)))


def multiplied(u: Value, v: Value) -> Value:
    """Describes u * v, where on each side one is a number."""
    at, degree = u.at * v.at, u.degree + v.degree
    swap = u.is_number & ~v.is_number
    if swap.any():
        u, v = _selected(swap, v, u), _selected(swap, u, v)
    m = np.where(v.is_number if degree < 2 else False, v.c, np.nan)
    c, a, k = u.c * m, u.a * m, u.k * m
    plain = v.error == 0 if v.degree == 0 else np.False_
    is_unit = (np.abs(m) == 1) & plain
    # A product of numbers, 0, and half of x + x.
    is_whole = (u.c == 0) & (u.k == 0) & ((np.abs(a) == 1) | (np.abs(a) == 2))
    is_kept = (u.is_exact & v.is_exact & (u.is_number | is_whole)) | ((m == 0) & plain)
    size = np.abs(c) + np.abs(a) + np.abs(k)
    more = np.abs(m) * u.error + v.error * (np.abs(u.c) + np.abs(u.a) + np.abs(u.k)) + size
    error = np.where(is_kept, 0.0, np.where(is_unit, u.error, more))
    is_expm1 = (u.k != 0) & (u.c == -u.k) & (u.a == 0) & (u.rough == 0)
    once = ((u.error == 0) | is_expm1) & (v.rough == 0)
    grade = np.where(once, 0, np.maximum(np.maximum(u.rough, v.rough), 1))
    rough = np.where(is_kept, 0, np.where(is_unit, u.rough, grade))
    return _checked(Value(c, a, k, error, rough, at, u.permutation, degree))


def divided(u: Value, v: Value) -> Value:
    """Describes u / v, where v is a constant."""
    divisor = np.where(v.is_number & v.is_exact & (v.c != 0), v.c, np.nan)
    found = multiplied(u, dataclasses.replace(v, c=1 / divisor))
    is_number = u.is_number & u.is_exact
    rounds = ~((np.abs(np.frexp(divisor)[0]) == 0.5) | is_number)  # a power of two has an inverse
    error = found.error + rounds * (np.abs(found.c) + np.abs(found.a) + np.abs(found.k))
    return _checked(
        dataclasses.replace(
            found,
            c=np.where(is_number, u.c / divisor, found.c),
            error=error,
            rough=np.maximum(found.rough, rounds),
            at=u.at / v.at,
        )
    )


def exponential(u: Value) -> Value:
    """exp(u), where u is x or 0."""
    is_line = (u.a == 1) & (u.c == 0) & (u.k == 0) & u.is_exact
    is_zero = _is_zero(u)
    unknown = np.where(is_line | is_zero, 0.0, np.nan)
    k, at = unknown + is_line, np.exp(u.at)
    return dataclasses.replace(
        u, c=unknown + is_zero, a=unknown, k=k, error=k, rough=np.zeros_like(u.rough), at=at
    )


def larger(u: Value, v: Value, sign: int = 1) -> Value:
    """max(u, v) or, with sign -1, min(u, v), where one is larger on a whole side."""
    takes_u, takes_v, _ = order(u, v)
    if sign < 0:
        takes_u, takes_v = takes_v, takes_u
    found = _selected(takes_u, u, _selected(takes_v, v, _unknown(v)))
    # Where the other one is not rounded as it should be, it may win by its error.
    other = _selected(takes_u, v, u)
    loose = ((other.rough > 0) | (other.k != 0)) & ~((found.k != 0) & other.is_number)
    grade = np.where(other.k != 0, 2, other.rough)
    error = np.where(loose, np.maximum(u.error, v.error), found.error)
    rough = np.maximum(found.rough, np.where(loose, grade, 0))
    at = np.maximum(u.at, v.at) if sign > 0 else np.minimum(u.at, v.at)
    return Value(found.c, found.a, found.k, error, rough, at, u.permutation, found.degree)


def absolute(u: Value) -> Value:
    """abs(u)."""
    return larger(u, negated(u))


def signed(u: Value) -> Value:
    """sign(u); of NaN it is NaN or 0 (ONNX Runtime has both), so it is exact nowhere."""
    zero = number(np.zeros(1, u.at.dtype))
    c = np.where(_is_zero(u), 0.0, np.nan)
    c = np.where(order(u, zero)[2], -1.0, np.where(order(zero, u)[2], 1.0, c))
    one = np.ones_like(c)
    return Value(c, _NO, _NO, one, one.astype(np.int8), np.sign(u.at), u.permutation)


def as_boolean(truth: Array, at: Array, permutation: Permutation) -> Value:
    """A value that is true (1), false (0) or unknown (NaN) on each side."""
    return Value(truth, _NO, _NO, _NO, _ROUNDED_AS_IT_SHOULD, at, permutation)


def chosen(condition: Value, u: Value, v: Value) -> Value:
    """Where(condition, u, v)."""
    found = _selected(condition.c == 1, u, _selected(condition.c == 0, v, _unknown(v)))
    at = np.where(condition.at, u.at, v.at)
    return dataclasses.replace(found, at=at, degree=max(u.degree, v.degree))


def converted(u: Value, dtype: np.dtype[Any], x_dtype: np.dtype[Any]) -> Value:
    """Cast to an element type: a number is known, and x and -x in a type that holds all of x's."""
    is_x = (np.abs(u.a) <= 1) & (u.k == 0) & _holds(dtype, x_dtype)
    c = np.where(u.is_exact & (u.is_number | is_x), u.c, np.nan)
    return _checked(dataclasses.replace(u, c=c, at=u.at.astype(dtype)))


@functools.cache
def _holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    """Whether an element type has every number of another."""
    one, other = (ml_dtypes.finfo(dtype) for dtype in (wide, narrow))  # type: ignore[no-untyped-call]
    is_finer = one.nmant >= other.nmant and one.maxexp >= other.maxexp
    return bool(is_finer and one.smallest_subnormal <= other.smallest_subnormal)


@functools.cache
def maximum(dtype: np.dtype[Any]) -> float:
    """The largest number of an element type."""
    return float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]


def _checked(u: Value) -> Value:
    """A value whose numbers are rounded to its type, and unknown where a coefficient is infinite.

    A number may be infinite: a bound of Clip.
    """
    rounded = u.c.astype(u.at.dtype).astype(np.float64)
    c = np.where((u.error == 0) & u.is_number, rounded, u.c)
    c = np.where(np.isfinite(u.a + u.k), c, np.nan)
    return Value(c, u.a, u.k, u.error, u.rough, u.at, u.permutation, u.degree)


def _selected(condition: Array, u: Value, v: Value) -> Value:
    """Takes u on the sides where the condition holds, else v; the points are v's."""
    return Value(
        np.where(condition, u.c, v.c),
        np.where(condition, u.a, v.a),
        np.where(condition, u.k, v.k),
        np.where(condition, u.error, v.error),
        np.where(condition, u.rough, v.rough),
        v.at,
        u.permutation,
        max(u.degree, v.degree),
    )


def _unknown(v: Value) -> Value:
    return dataclasses.replace(v, c=_UNKNOWN)


def _is_zero(u: Value) -> Array:
    return np.asarray((u.c == 0) & (u.a == 0) & (u.k == 0) & u.is_exact)


def _is_power(u: Value) -> Array:
    """exp(x) or -exp(x)."""
    alone = (u.c == 0) & (u.a == 0) & (u.rough == 0)
    return np.asarray((np.abs(u.k) == 1) & alone & (u.degree == 0))


def order(u: Value, v: Value) -> tuple[Array, Array, Array]:
    """On which side u >= v, u <= v, and u < v for every x up to the largest.

    The difference c + a*x + k*exp(x) is least at an end where it is concave. Where it is convex, it
    is least at 0 if it grows from there on. Neither may depend on a slope that is no constant.
    """
    c, a, k = u.c - v.c, u.a - v.a, u.k - v.k
    slope = _SIGNS * a
    end = c + slope * max(maximum(u.at.dtype), maximum(v.at.dtype))
    near, growth, concave = c + k, slope, k == 0
    if not concave.all():
        end = end + np.where(concave | (_SIGNS < 0), 0.0, k * np.inf)
        growth = slope + _SIGNS * k
    known = u.degree == 0 and v.degree == 0
    above = (near >= 0) & (end >= 0) & ((k <= 0) | (growth >= 0)) & known
    below = (near <= 0) & (end <= 0) & ((k >= 0) | (growth <= 0)) & known
    return above, below, below & (end < 0)  # a side has its largest x, and not x = 0
