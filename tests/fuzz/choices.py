"""where(x < 0, f(x), x) in all its variants."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.fuzz.parts import number, scaled, shuffled
from tests.fuzz.scope import Scope, Value, onnx_type
from tests.fuzz.undefined import mark

__all__ = ["as_elu", "choice"]


def choice(scope: Scope, x: Value) -> Value:
    """Where with a comparison of x and 0, and x on one side, slope*x or alpha*(exp(x) - 1) on the
    other; the wrong way round now and then.
    """
    state = scope.state
    is_wrong = x.error.is_exact and state.chance(8)
    if state.chance(50):
        exponent, loses_nan = _exponent(scope, x)
        name, alpha = _exponential(scope, x, exponent)
        made = as_elu(x, _where(scope, x, name, x.name, is_wrong), alpha)
        error = dataclasses.replace(made.error, loses_nan=loses_nan or made.error.loses_nan)
        return dataclasses.replace(made, error=error)
    part = scaled(scope, x)
    name = _where(scope, x, part.name, x.name, is_wrong)
    tiny = float(np.finfo(x.dtype).smallest_subnormal)
    error = x.error.through(part.bound, x.epsilon, 4 * tiny, part.loose)
    if part.is_extreme:
        error = dataclasses.replace(error, undefined_at_infinity=True)
    return Value(name, x.dtype, np.broadcast_shapes(x.shape, part.shape), error)


def as_elu(x: Value, name: str, alpha: float) -> Value:
    """ELU's error: exp(x) - 1 loses digits next to zero, the bodies have 8 or 12 ULP."""
    relative = {"float16": 1, "float32": 9, "float64": 13}[x.dtype] * x.epsilon
    tiny = float(np.finfo(x.dtype).smallest_subnormal)
    error = x.error.through(abs(alpha), relative, 4 * x.epsilon * abs(alpha) + 2 * tiny)
    return Value(name, x.dtype, x.shape, error)


def _where(scope: Scope, x: Value, negative: str, positive: str, is_wrong: bool) -> str:
    """Where, with a test of any kind that takes `negative` for x < 0."""
    test, is_negative = _test(scope, x)
    pair = [negative, positive] if is_negative != is_wrong else [positive, negative]
    return scope.add("Where", test, *pair)


def _test(scope: Scope, x: Value) -> tuple[str, bool]:
    """A comparison of x with 0; whether it is true for negative x."""
    state = scope.state
    value = Value(x.name, x.dtype, x.shape, x.error)
    if x.dtype != "float64" and state.chance(10):
        value = Value(
            scope.add("Cast", x.name, to=onnx_type("float64")), "float64", x.shape, x.error
        )
    zero = 0.5 if x.error.is_exact and state.chance(2) else 0.0
    inputs = [value.name, number(scope, value, zero)]
    less = state.chance(50)
    mirrored = state.chance(20)
    if mirrored:
        inputs.reverse()
    op_type = "Less" if less != mirrored else "Greater"
    if scope.opset >= 12 and state.chance(30):
        op_type += "OrEqual"
    test = scope.add(op_type, *inputs)
    if scope.opset >= 11 and state.chance(8):
        test = scope.add("Or", test, scope.add("Equal", *inputs))
    if state.chance(8):
        number_type = state.pick((x.dtype, "int64", "int32"))
        as_number = scope.add("Cast", test, to=onnx_type(number_type))
        test = scope.add("Cast", as_number, to=onnx_type("bool"))
    if state.chance(20):
        return scope.add("Not", test), not less
    return test, less


def _exponential(scope: Scope, x: Value, exponent: str) -> tuple[str, float]:
    """alpha*(exp(exponent) - 1) and alpha."""
    state = scope.state
    power = scope.add("Exp", exponent)
    if state.chance(40):
        name = scope.add("Add", *shuffled(scope, power, number(scope, x, -1.0)))
    else:
        name = scope.add("Sub", power, number(scope, x, 1.0))
    if state.chance(40):
        return name, 1.0
    alpha = state.pick((0.5, 1.0, 0.1, 2.0, -1.0, 0.0))
    return scope.add("Mul", *shuffled(scope, number(scope, x, alpha), name)), alpha


def _exponent(scope: Scope, x: Value) -> tuple[str, bool]:
    """x, min(x, 0) or where(x > 0, 0, x) and its variants, some of which make a number of NaN."""
    way = scope.state.pick(("x", "min", "where"))
    if way == "x":
        return x.name, False
    zero = number(scope, x, 0.0)
    if way == "min":
        return scope.add("Min", *shuffled(scope, x.name, zero)), False
    name = _where(scope, x, x.name, zero, False)
    mark(scope.nodes[-1], x.name)
    return name, True
