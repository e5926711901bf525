"""Parts that several forms share: slopes, small numbers, slope*x, relu."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.fuzz.case import Array
from tests.fuzz.constants import constant, variable
from tests.fuzz.scope import Scope, Value

__all__ = ["Scaled", "Slope", "number", "rectified", "scaled", "shuffled", "slope_of"]

_TAME = (0.25, -0.5, 0.5, 1.0, 0.01, 0.2, 0.0, -1.0, 2.0, 3.0)
_WILD = (1e-40, -0.0, np.inf, -np.inf, np.nan, 1e30, -3e38, 5.0)
_DIVISORS = (4.0, 5.0, 3.0, 1.0, 0.5, -2.0, 0.0, np.inf, 1e30)


@dataclasses.dataclass(frozen=True)
class Slope:
    """A slope.

    Attributes:
        name: the value.
        dtype: its element type.
        shape: its shape.
        bound: its largest size.
        is_extreme: some of it is 0 or infinite, or may be after rounding: times infinity or 0 that
            is NaN, and `approximate` may give a number.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    bound: float
    is_extreme: bool = False


@dataclasses.dataclass(frozen=True)
class Scaled:
    """slope*x; `loose` is what `approximate` may add to the error, the rest is as in `Slope`."""

    name: str
    shape: tuple[int, ...]
    bound: float
    loose: float = 0.0
    is_extreme: bool = False


def shuffled(scope: Scope, first: str, second: str) -> list[str]:
    """Two inputs in either order."""
    return [second, first] if scope.state.chance(50) else [first, second]


def number(scope: Scope, x: Value, value: float) -> str:
    """A constant, sometimes of a shape with dimensions.

    Beside values with errors it stays what it is: another number could make a jump at 0.
    """
    shape: tuple[int, ...] = ()
    if x.shape and scope.state.chance(25):
        shape = scope.state.pick(((1,), (1,) * len(x.shape), x.shape, x.shape[-1:]))
    return constant(scope, np.full(shape, value, x.dtype), 10 if x.error.is_exact else 0)


def slope_of(scope: Scope, x: Value, dtype: str = "") -> Slope:
    """A slope: constant or not, of any shape that broadcasts with x's."""
    state = scope.state
    shape = _slope_shape(scope, x)
    numbers = [state.pick(_TAME) for _ in range(state.integer(1, 4))]
    if x.error.is_exact and state.chance(10):
        numbers.append(state.pick(_WILD))
    with np.errstate(over="ignore"):
        array: Array = np.resize(np.array(numbers), shape).astype(dtype or x.dtype)
    name = variable(scope, array) if state.chance(25) else constant(scope, array, 45)
    finite = np.all(np.isfinite(array))
    # Clip, Cast and others on the way may change the numbers a little.
    bound = max(3.0, float(np.max(np.abs(array), initial=0))) if finite else np.inf
    # A Clip or a Cast on the way may make 0 of what is below 1.
    is_extreme = not finite or bool(np.any(array < 1))
    return Slope(name, array.dtype.name, shape, bound, is_extreme)


def _slope_shape(scope: Scope, x: Value) -> tuple[int, ...]:
    """Trailing sizes of x, each maybe 1; rarely a shape that enlarges x."""
    state = scope.state
    if len(x.shape) > 1 and state.chance(35):  # one number for each channel
        axis = max(1, len(x.shape) - 3) if len(x.shape) > 2 else 0
        return (x.shape[axis],) + (1,) * (len(x.shape) - 1 - axis)
    rank = state.integer(0, len(x.shape))
    sizes = [1 if state.chance(40) else size for size in x.shape[len(x.shape) - rank :]]
    if state.chance(4):  # as ONNX Runtime allows, against the standard
        kept = x.shape[len(x.shape) - rank :]
        sizes = [3 if size == 1 else own for own, size in zip(sizes, kept, strict=True)]
        sizes = [1] * (len(x.shape) - rank + 1) + sizes if state.chance(50) else sizes
    return tuple(sizes)


def rectified(scope: Scope, x: Value, name: str) -> str:
    """relu(name) or max(name, 0), with x's type and shape."""
    if scope.state.chance(30):
        return scope.add("Max", *shuffled(scope, name, number(scope, x, 0.0)))
    return scope.add("Relu", name)


def scaled(scope: Scope, x: Value) -> Scaled:
    """slope*x, x*slope or x/a."""
    state = scope.state
    if not state.chance(25):
        slope = slope_of(scope, x)
        name = scope.add("Mul", *shuffled(scope, slope.name, x.name))
        shape = np.broadcast_shapes(x.shape, slope.shape)
        return Scaled(name, shape, slope.bound, 0.0, slope.is_extreme)
    divisor = state.pick(_DIVISORS if x.error.is_exact else _DIVISORS[:4])
    shape = _slope_shape(scope, x) if state.chance(30) else ()
    with np.errstate(over="ignore"):
        array = np.full(shape, divisor, x.dtype)
    name = scope.add("Div", x.name, constant(scope, array))
    bound = 3.0 if divisor in _DIVISORS[:4] else np.inf
    is_extreme = divisor in (0.0, np.inf, 1e30)
    shape = np.broadcast_shapes(x.shape, shape)
    return Scaled(name, shape, bound, 3 * x.epsilon, is_extreme)
