"""A value as a function of x, and arithmetic on such descriptions.

For x < 0 and for x > 0 a value is c + a*x + k*exp(x), for every finite x: proved, not tried. A
coefficient is p + q*w, where w is a slope that is no constant. NaN coefficients say that nothing
is known. How far rounding may take the value from there is counted: (x + 1e30) - 1e30 is not x.
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
    "at_least",
    "chosen",
    "converted",
    "divided",
    "exponential",
    "larger",
    "multiplied",
    "negated",
    "number",
    "scaled_x",
]

Permutation = tuple[int, ...]
"""As Transpose has it: axis i of the value is axis p[i] of x."""

_NUMBER, _LINE, _EXP = range(3)
_PLAIN, _SLOPE = range(2)


@dataclasses.dataclass(frozen=True)
class Value:
    """What is known of a value.

    Attributes:
        terms: the coefficients, of shape (3, 2, 2, E): of 1, x and exp(x); p and q; for x < 0 and
            x > 0; for each element that constants have along their dimensions.
        error: how many rounding units (of 1 or of x) the value may be off, of shape (2, E); 0 where
            it has not been rounded.
        rough: how rounding differs from the activation's own, of shape (2, E): 0, not at all;
            1, by units of the value; 2, by units of 1, of which small values have nothing left.
        at: the value at each of the points, of shape (points, E), in the value's element type.
        permutation: how the dimensions of x were permuted; empty where they were not.
    """

    terms: Array
    error: Array
    rough: Array
    at: Array
    permutation: Permutation = ()

    @property
    def is_number(self) -> Array:
        """On which side it does not depend on x."""
        return np.asarray(np.all(self.terms[_LINE:] == 0, axis=(0, 1)))

    @property
    def is_x(self) -> bool:
        """It is x on both sides, not rounded."""
        is_line = np.all(self.terms[_LINE, _PLAIN] == 1) and np.all(self.terms[_NUMBER] == 0)
        return bool(is_line and np.all(self.terms[_EXP] == 0) and np.all(self.is_exact))

    @property
    def has_slope(self) -> Array:
        """On which side it depends on the slope that is no constant."""
        return np.asarray(np.any(self.terms[:, _SLOPE] != 0, axis=0))

    @property
    def is_exact(self) -> Array:
        """On which side it has not been rounded."""
        return np.asarray((self.error == 0) & ~self.has_slope)


def number(array: Array, permutation: Permutation = ()) -> Value:
    """A constant; its elements stand along the last axis."""
    terms = np.zeros((3, 2, 2, array.size))
    terms[_NUMBER, _PLAIN] = array.astype(np.float64)
    return _unrounded(terms, array[None, :], permutation)


def scaled_x(at: Array, has_slope: bool = False) -> Value:
    """Describes x itself, or the slope that is no constant."""
    terms = np.zeros((3, 2, 2, 1))
    terms[(_NUMBER, _SLOPE) if has_slope else (_LINE, _PLAIN)] = 1
    return _unrounded(terms, at)


def negated(u: Value) -> Value:
    """-u."""
    return dataclasses.replace(u, terms=-u.terms, at=-u.at)


def added(u: Value, v: Value, sign: int = 1) -> Value:
    """Describes u + v or, with sign -1, u - v."""
    terms = u.terms + sign * v.terms
    u_zero, v_zero = (np.all(i.terms == 0, axis=(0, 1)) & (i.error == 0) for i in (u, v))
    both = u.is_exact & v.is_exact
    is_double = _is_line(u) & _is_line(v) & (np.abs(terms[_LINE, _PLAIN]) <= 2)
    is_exact = both & ((u.is_number & v.is_number) | is_double)  # such as x - x and x + x
    is_expm1 = (_is_unit_exp(u) & v.is_number & v.is_exact) | (
        _is_unit_exp(v) & u.is_number & u.is_exact
    )
    more = u.error + v.error + _size(terms)
    error = np.where(v_zero, u.error, np.where(u_zero, v.error, np.where(is_exact, 0.0, more)))
    is_shifted = np.any(terms[_LINE] != 0, axis=0) & np.any(
        (u.terms[_NUMBER] != 0) | (v.terms[_NUMBER] != 0), axis=0
    )
    grade = np.maximum(np.maximum(u.rough, v.rough), np.where(is_shifted, 2, 1))
    rough = np.where(is_exact | is_expm1, 0, grade)
    rough = np.where(v_zero, u.rough, np.where(u_zero, v.rough, rough))
    at = u.at + v.at if sign > 0 else u.at - v.at
    return _checked(terms, error, rough, at, u.permutation)


def multiplied(u: Value, v: Value) -> Value:
    """Describes u * v, where on each side one is a number."""
    swap = u.is_number & ~v.is_number
    factor, value = _selected(swap, u, v), _selected(swap, v, u)
    m = factor.terms[_NUMBER]
    terms = value.terms * m[_PLAIN]
    terms[:, _SLOPE] += value.terms[:, _PLAIN] * m[_SLOPE]
    unknown = np.any(value.terms[:, _SLOPE] * m[_SLOPE] != 0, axis=0) | ~factor.is_number
    terms = np.where(unknown, np.nan, terms)
    is_zero = np.all(m == 0, axis=0) & (factor.error == 0)
    is_unit = (np.abs(m[_PLAIN]) == 1) & (m[_SLOPE] == 0) & (factor.error == 0)
    exact = value.is_number & value.is_exact & factor.is_exact
    more = np.abs(m).sum(0) * value.error + factor.error * _size(value.terms) + _size(terms)
    error = np.where(is_zero | exact, 0.0, np.where(is_unit, value.error, more))
    clean = ((value.error == 0) | _is_expm1(value)) & (factor.rough == 0)
    grade = np.where(clean, 0, np.maximum(1, np.maximum(factor.rough, value.rough)))
    rough = np.where(is_zero | exact, 0, np.where(is_unit, value.rough, grade))
    return _checked(terms, error, rough, u.at * v.at, u.permutation)


def divided(u: Value, v: Value) -> Value:
    """Describes u / v, where v is a constant."""
    divisor = np.where(v.is_number & v.is_exact, v.terms[_NUMBER, _PLAIN], np.nan)
    inverse = np.where(divisor == 0, np.nan, 1 / divisor)
    terms = np.zeros_like(v.terms)
    terms[_NUMBER, _PLAIN] = inverse
    found = multiplied(u, dataclasses.replace(v, terms=terms))
    is_number = u.is_number & u.is_exact
    terms = found.terms.copy()
    terms[_NUMBER, _PLAIN] = np.where(
        is_number, u.terms[_NUMBER, _PLAIN] / divisor, terms[_NUMBER, _PLAIN]
    )
    is_power = np.abs(np.frexp(divisor)[0]) == 0.5  # a power of two has an exact inverse
    rounds = ~(is_power | is_number)
    error = found.error + rounds * _size(terms)
    rough = np.maximum(found.rough, rounds)
    return _checked(terms, error, rough, u.at / v.at, u.permutation)


def exponential(u: Value) -> Value:
    """exp(u), where u is x or 0."""
    a, c = u.terms[_LINE, _PLAIN], u.terms[_NUMBER, _PLAIN]
    is_x = (a == 1) & u.is_exact
    is_zero = u.is_number & (c == 0) & u.is_exact
    terms = np.zeros_like(u.terms)
    terms[_EXP, _PLAIN], terms[_NUMBER, _PLAIN] = is_x, is_zero
    terms = np.where(is_x | is_zero, terms, np.nan)
    error = np.where(is_x, 1.0, 0.0)
    return _checked(terms, error, np.zeros_like(u.rough), np.exp(u.at), u.permutation)


def larger(u: Value, v: Value, sign: int = 1) -> Value:
    """max(u, v) or, with sign -1, min(u, v), where one is larger on a whole side."""
    difference = sign * (u.terms - v.terms)
    top = _largest(u, v)
    takes_u, takes_v = _is_nonnegative(difference, top), _is_nonnegative(-difference, top)
    found = _selected(takes_u, u, _selected(takes_v, v, _unknown(v)))
    # Where the other one is not rounded as it should be, it may win by its error.
    other = _selected(takes_u, v, u)
    loose = ((other.rough > 0) | _has_exp(other)) & ~(_has_exp(found) & other.is_number)
    grade = np.where(_has_exp(other), 2, other.rough)
    rough = np.maximum(found.rough, np.where(loose, grade, 0))
    error = np.where(loose, np.maximum(u.error, v.error), found.error)
    at = np.maximum(u.at, v.at) if sign > 0 else np.minimum(u.at, v.at)
    return dataclasses.replace(found, error=error, rough=rough, at=at)


def absolute(u: Value) -> Value:
    """abs(u)."""
    return larger(u, negated(u))


def at_least(u: Value, v: Value) -> Value:
    """Describes u >= v, where that is one answer on a whole side."""
    difference, top = u.terms - v.terms, _largest(u, v)
    is_true = _is_nonnegative(difference, top)
    is_false = _is_nonnegative(-difference, top, strictly=True)
    known = (is_true | is_false) & u.is_exact & v.is_exact
    return as_boolean(np.where(known, is_true, np.nan), u.at >= v.at, u.permutation)


def as_boolean(truth: Array, at: Array, permutation: Permutation) -> Value:
    """A value that is true (1), false (0) or unknown (NaN) on each side."""
    terms = np.zeros((3, 2, *truth.shape))
    terms[_NUMBER, _PLAIN] = truth
    return _unrounded(terms, at, permutation)


def chosen(condition: Value, u: Value, v: Value) -> Value:
    """Where(condition, u, v)."""
    truth = condition.terms[_NUMBER, _PLAIN]
    found = _selected(truth == 1, u, _selected(truth == 0, v, _unknown(v)))
    return dataclasses.replace(found, at=np.where(condition.at, u.at, v.at))


def converted(u: Value, dtype: np.dtype[Any], x_dtype: np.dtype[Any]) -> Value:
    """Cast to an element type: a number is known, and x and -x in a type that holds all of x's."""
    holds = np.promote_types(dtype, x_dtype) == dtype
    is_x = np.all(np.abs(u.terms[_LINE]) <= 1, axis=0) & ~_has_exp(u) & holds
    keeps = u.is_exact & (u.is_number | is_x)
    terms = np.where(keeps, u.terms, np.nan)
    return _checked(terms, u.error, u.rough, u.at.astype(dtype), u.permutation)


def _unrounded(terms: Array, at: Array, permutation: Permutation = ()) -> Value:
    shape = terms.shape[2:]
    return Value(terms, np.zeros(shape), np.zeros(shape, np.int8), at, permutation)


def _checked(
    terms: Array, error: Array, rough: Array, at: Array, permutation: Permutation
) -> Value:
    """A value whose numbers are rounded to its type, and unknown where coefficients are infinite.

    A number may be infinite: a bound of Clip.
    """
    finite = np.all(np.isfinite(terms[_LINE:]), axis=(0, 1)) & np.isfinite(terms[_NUMBER, _SLOPE])
    terms = np.where(finite, terms, np.nan)
    exact = (error == 0) & np.all(terms[_LINE:] == 0, axis=(0, 1))
    rounded = terms[_NUMBER, _PLAIN].astype(at.dtype).astype(np.float64)
    terms[_NUMBER, _PLAIN] = np.where(exact, rounded, terms[_NUMBER, _PLAIN])
    return Value(terms, error, rough, at, permutation)


def _selected(condition: Array, u: Value, v: Value) -> Value:
    """Takes u on the sides where the condition holds, else v; the points are v's."""
    return dataclasses.replace(
        v,
        terms=np.where(condition, u.terms, v.terms),
        error=np.where(condition, u.error, v.error),
        rough=np.where(condition, u.rough, v.rough),
        permutation=u.permutation,
    )


def _unknown(v: Value) -> Value:
    return dataclasses.replace(v, terms=np.full_like(v.terms, np.nan))


def _size(terms: Array) -> Array:
    return np.asarray(np.abs(terms).sum(axis=(0, 1)))


def _has_exp(u: Value) -> Array:
    return np.asarray(np.any(u.terms[_EXP] != 0, axis=0))


def _has_line(u: Value) -> Array:
    return np.asarray(np.any(u.terms[_LINE] != 0, axis=0))


def _is_line(u: Value) -> Array:
    """A multiple of x alone."""
    return np.asarray(np.all(u.terms[_NUMBER] == 0, axis=0) & ~_has_exp(u))


def _is_unit_exp(u: Value) -> Array:
    """exp(x) or -exp(x)."""
    rest = np.any(u.terms[:_EXP] != 0, axis=(0, 1))
    is_unit = np.abs(u.terms[_EXP, _PLAIN]) == 1
    return np.asarray(is_unit & ~rest & ~u.has_slope & (u.rough == 0))


def _is_expm1(u: Value) -> Array:
    """A multiple of exp(x) - 1 that is rounded as ELU's definition is."""
    opposite = np.all(u.terms[_NUMBER] == -u.terms[_EXP], axis=0)
    known = ~_has_line(u) & ~u.has_slope & (u.rough == 0)
    return np.asarray(_has_exp(u) & opposite & known)


def _largest(u: Value, v: Value) -> float:
    """The largest finite x: comparisons are of one type, x's or a wider one."""
    return max(_maximum(u.at.dtype), _maximum(v.at.dtype))


@functools.cache
def _maximum(dtype: np.dtype[Any]) -> float:
    return float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]


_SIGNS = np.array([[-1.0], [1.0]])
"""Of x on the two sides."""


def _is_nonnegative(terms: Array, largest: float, strictly: bool = False) -> Array:
    """On which side c + a*x + k*exp(x) is at least 0 for every x up to the largest.

    A concave function is least at an end. A convex one is least at 0 if it grows from there on.

    Args:
        terms: c, a and k.
        largest: the largest x.
        strictly: it is above 0.
    """
    c, a, k = terms[:, _PLAIN]
    near_zero = c + k
    growth = _SIGNS * (a + k)
    power = np.where(k == 0, 0.0, np.where(_SIGNS < 0, 0.0, np.inf * np.sign(k)))
    end = c + _SIGNS * a * largest + power
    found = (near_zero >= 0) & (end >= 0) & ((k <= 0) | (growth >= 0))
    if strictly:  # x = 0 itself is on no side, the largest x is
        found &= end > 0
    return np.asarray(found & ~np.any(terms[:, _SLOPE] != 0, axis=0))
