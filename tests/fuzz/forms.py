"""Activations as nodes, and their near misses: each adds nodes to a scope for a value x."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tests.fuzz import choices
from tests.fuzz.parts import Scaled, number, rectified, scaled, shuffled, slope_of
from tests.fuzz.scope import Scope, Value, onnx_type

__all__ = ["FORMS", "STANDARD", "Form"]

Form = Callable[[Scope, Value], Value]


def relu(scope: Scope, x: Value) -> Value:
    """Relu, or Max with 0."""
    return _leaky(x, rectified(scope, x, x.name), 1.0)


def leaky_relu(scope: Scope, x: Value) -> Value:
    """LeakyRelu, with or without its attribute."""
    alpha = scope.state.pick((0.25, None, 0.2, 0.0, -0.5, 1.0, 2.0))
    given = {} if alpha is None else {"alpha": alpha}
    return _leaky(x, scope.add("LeakyRelu", x.name, **given), abs(alpha or 0))


def prelu(scope: Scope, x: Value) -> Value:
    """PRelu; its slope may enlarge x."""
    slope = slope_of(scope, x)
    shape = np.broadcast_shapes(x.shape, slope.shape)
    scope.state.is_enlarged |= shape != x.shape
    made = _leaky(x, scope.add("PRelu", x.name, slope.name), slope.bound, shape)
    if x.dtype == "float16" and np.isinf(slope.bound):
        # ONNX Runtime takes x as it was before a Cast to float16: tiny numbers that are 0 now.
        made = _with(made, np.inf)
    return made


def elu(scope: Scope, x: Value) -> Value:
    """Elu, with or without its attribute."""
    alpha = scope.state.pick((1.0, None, 0.5, 0.1, -1.0, 2.0, 0.0))
    given = {} if alpha is None else {"alpha": alpha}
    return choices.as_elu(x, scope.add("Elu", x.name, **given), 1.0 if alpha is None else alpha)


def maximum(scope: Scope, x: Value) -> Value:
    """max(slope*x, x), also of three values, and its near miss with Min."""
    part = scaled(scope, x)
    inputs = shuffled(scope, part.name, x.name)
    if scope.state.chance(5):
        inputs.append(number(scope, x, -3.0))
    name = scope.add("Min" if scope.state.chance(5) else "Max", *inputs)
    return _of_scaled(x, name, part)


def two_relus(scope: Scope, x: Value) -> Value:
    """relu(x) - w*relu(-x), with Min, Max, Neg and signs in any place."""
    state = scope.state
    slope = slope_of(scope, x)
    if state.chance(30):
        negative = scope.add("Min", *shuffled(scope, x.name, number(scope, x, 0.0)))
    else:
        negative = rectified(scope, x, scope.add("Neg", x.name))
    if state.chance(20):
        negative = scope.add("Neg", negative)
    weighted = scope.add("Mul", *shuffled(scope, slope.name, negative))
    pair = [rectified(scope, x, x.name), weighted]
    op_type = state.pick(("Sub", "Add"))
    if state.chance(10) or (op_type == "Add" and state.chance(50)):
        pair.reverse()
    shape = np.broadcast_shapes(x.shape, slope.shape)
    return _leaky(x, scope.add(op_type, *pair), slope.bound, shape, 0.0, slope.is_extreme)


def elu_sum(scope: Scope, x: Value) -> Value:
    """relu(x) + alpha*(exp(min(x, 0)) - 1)."""
    zero, alpha = number(scope, x, 0.0), scope.state.pick((0.5, 1.0, 0.1))
    power = scope.add("Exp", scope.add("Min", *shuffled(scope, x.name, zero)))
    part = scope.add("Sub", power, number(scope, x, 1.0))
    scaled_part = scope.add("Mul", *shuffled(scope, number(scope, x, alpha), part))
    pair = shuffled(scope, rectified(scope, x, x.name), scaled_part)
    return choices.as_elu(x, scope.add("Add", *pair), alpha)


def transposed_relus(scope: Scope, x: Value) -> Value:
    """relu(x) - w*relu(-x) with the product between two Transposes, as TensorFlow writes it."""
    # An empty list says nothing of its type, and a scalar has no order.
    order = {"perm": [*range(len(x.shape))][::-1]} if x.shape else {}
    negative = rectified(scope, x, scope.add("Neg", x.name))
    turned = scope.add("Transpose", negative, **order)
    weight = scope.state.pick((0.25, -0.5, 2.0))
    product = scope.add("Mul", *shuffled(scope, number(scope, _scalar(x), weight), turned))
    back = scope.add("Transpose", product, **order)
    # The weight may come through a type of integers, as 0.
    name = scope.add("Sub", rectified(scope, x, x.name), back)
    return _leaky(x, name, abs(weight), is_extreme=True)


def _scalar(x: Value) -> Value:
    return dataclasses.replace(x, shape=())


def absolute(scope: Scope, x: Value) -> Value:
    """p*x + q*abs(x)."""
    slope = scope.state.pick((0.25, 0.2, 0.01, -0.5, 2.0, 0.5))
    p, q = 0.5 * (1 + slope), 0.5 * (1 - slope)
    if scope.state.chance(5):
        q += 0.25
    first = scope.add("Mul", *shuffled(scope, number(scope, x, p), x.name))
    size = scope.add("Abs", x.name)
    second = scope.add("Mul", *shuffled(scope, number(scope, x, q), size))
    name = scope.add("Add", *shuffled(scope, first, second))
    # p*x and q*abs(x) cancel each other where x < 0.
    lost = 4 * (abs(p) + abs(q)) / min(1.0, abs(slope)) * x.epsilon
    made = _leaky(x, name, 2.0, loose=lost)
    if not x.error.is_exact:
        made = _with(made, lost)
    return dataclasses.replace(
        made, error=dataclasses.replace(made.error, undefined_at_infinity=True)
    )


def factor_body(scope: Scope, x: Value) -> Value:
    """The body of LeakyReLU or PReLU, maybe in a wider type, whose slope is of that type or not."""
    state = scope.state
    wide = state.pick(("float32", "float64", x.dtype)) if x.dtype != "float64" else "float64"
    inner, converts = x.name, wide != x.dtype or state.chance(30)
    if converts:
        inner = scope.add("Cast", x.name, to=onnx_type(wide))
    slope = slope_of(scope, x, state.pick((x.dtype, wide, "float32")))
    factor = slope.name
    if slope.dtype != wide or (converts and state.chance(70)):
        factor = scope.add("Cast", factor, to=onnx_type(wide))
    typed = Value(inner, wide, x.shape, x.error)
    state.dtypes.add(wide)
    zero, one = number(scope, typed, 0.0), number(scope, typed, 1.0)
    negative = scope.add("Less", inner, zero)
    name = scope.add("Mul", inner, scope.add("Where", negative, factor, one))
    if converts:
        like = scope.opset >= 15 and state.chance(85)
        name = (
            scope.add("CastLike", name, x.name)
            if like
            else scope.add("Cast", name, to=onnx_type(x.dtype))
        )
    shape = np.broadcast_shapes(x.shape, slope.shape)
    return _leaky(x, name, slope.bound, shape, 0.0, slope.is_extreme)


def _leaky(
    x: Value,
    name: str,
    bound: float,
    shape: tuple[int, ...] | None = None,
    loose: float = 0.0,
    is_extreme: bool = False,
) -> Value:
    """One product: 1 ULP, or a subnormal number; see `Slope` for `is_extreme`."""
    tiny = float(np.finfo(x.dtype).smallest_subnormal)
    error = x.error.through(bound, x.epsilon, 4 * tiny, loose)
    if is_extreme:
        error = dataclasses.replace(error, undefined_at_infinity=True)
    return Value(name, x.dtype, x.shape if shape is None else shape, error)


def _with(value: Value, relative: float) -> Value:
    return Value(value.name, value.dtype, value.shape, value.error.through(1.0, relative))


def _of_scaled(x: Value, name: str, part: Scaled) -> Value:
    shape = np.broadcast_shapes(x.shape, part.shape)
    return _leaky(x, name, part.bound, shape, part.loose, part.is_extreme)


FORMS: tuple[tuple[Form, int], ...] = (
    (prelu, 3),
    (elu, 3),
    (leaky_relu, 1),
    (relu, 1),
    (maximum, 4),
    (two_relus, 4),
    (choices.choice, 8),
    (absolute, 2),
    (elu_sum, 2),
    (transposed_relus, 2),
    (factor_body, 3),
)
"""The forms and how often each is drawn."""

STANDARD = (prelu, elu, leaky_relu)
"""Forms that are one standard node."""
