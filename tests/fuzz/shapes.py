"""Nodes before an activation that leave sizes unknown, and nodes after it that read its shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from onnx import helper

from tests.fuzz.case import Array
from tests.fuzz.constants import leaf
from tests.fuzz.scope import FLOATS, Scope, Value, onnx_type

__all__ = ["passing", "reading", "resized"]

Step = Callable[[Scope, Value], Value]


def passing(scope: Scope, x: Value) -> Value:
    """A node that keeps every number, maybe in another order, and may hide sizes or change the
    type.
    """
    steps = _AXES if scope.opset < 11 and scope.state.chance(40) else _PASSING
    return scope.state.pick(steps)(scope, x)


def reading(scope: Scope, x: Value) -> Value:
    """Nodes whose result depends on x's shape; all of it integers, or x's numbers."""
    return scope.state.pick(_READING)(scope, x)


def resized(scope: Scope, x: Value) -> Value:
    """X with other dimensions, as numbers in the model's graph say: from a subgraph inference does
    not see them, so it does not even know the rank.
    """
    shape = scope.state.pick((x.shape, (*x.shape, 1), (1, *x.shape), (math.prod(x.shape),)))
    if scope.opset >= 13 and scope.state.chance(40):
        return _unsqueeze(scope, x)
    if scope.state.chance(20):
        shape = (2, *x.shape)
        return _moved(x, scope.add("Expand", x.name, scope.integers(*shape)), shape)
    return _moved(x, scope.add("Reshape", x.name, scope.integers(*shape)), shape)


def _ints(scope: Scope, numbers: tuple[int, ...], fed: int = 50) -> str:
    """Sizes that the runtime knows, or that only the caller knows."""
    array = np.array(numbers, np.int64)
    if scope.in_function or not scope.state.chance(fed):
        return leaf(scope, array)
    name = scope.state.name("n")
    scope.state.inputs.append(helper.make_tensor_value_info(name, onnx_type("int64"), array.shape))
    scope.state.feeds[name] = array
    return name


def _moved(x: Value, name: str, shape: tuple[int, ...]) -> Value:
    return dataclasses.replace(x, name=name, shape=shape)


def _neg(scope: Scope, x: Value) -> Value:
    return _moved(x, scope.add("Neg", x.name), x.shape)


def _reshape(scope: Scope, x: Value) -> Value:
    shape = scope.state.pick((x.shape, (*x.shape, 1), (1, *x.shape), (math.prod(x.shape),)))
    wanted = list(shape)
    if wanted and 0 not in shape and scope.state.chance(50):
        wanted[scope.state.integer(0, len(wanted) - 1)] = -1
    return _moved(x, scope.add("Reshape", x.name, _ints(scope, tuple(wanted))), shape)


def _conv(scope: Scope, x: Value) -> Value:
    """A convolution whose output sizes have no names; its kernel is one 1."""
    shape = x.shape
    if len(shape) != 4 or not math.prod(shape):
        return _slice(scope, x)
    channels = shape[1]
    kernel: Array = np.ones((channels, 1, 1, 1), x.dtype)
    stride = scope.state.pick((1, 2))
    if scope.state.chance(50):
        name = scope.add("MaxPool", x.name, kernel_shape=[1, 1], strides=[stride] * 2)
    else:
        weights = leaf(scope, kernel)
        name = scope.add("Conv", x.name, weights, group=channels, strides=[stride] * 2)
    after = tuple((size - 1) // stride + 1 for size in shape[2:])
    return _moved(x, name, (*shape[:2], *after))


def _slice(scope: Scope, x: Value) -> Value:
    """All of x, or all but its first row, as the sizes are at hand."""
    if not x.shape or scope.opset < 10:
        return _transpose(scope, x)
    axis = scope.state.integer(0, len(x.shape) - 1)
    start = 1 if x.shape[axis] > 1 and scope.state.chance(30) else 0
    parts = [_ints(scope, (number,)) for number in (start, 1000, axis)]
    shape = list(x.shape)
    shape[axis] -= start
    return _moved(x, scope.add("Slice", x.name, *parts), tuple(shape))


def _transpose(scope: Scope, x: Value) -> Value:
    return _moved(x, scope.add("Transpose", x.name), x.shape[::-1])


def _cast(scope: Scope, x: Value) -> Value:
    dtype = scope.state.pick([name for name in FLOATS if name != x.dtype])
    error = x.error
    if np.finfo(dtype).bits < np.finfo(x.dtype).bits and not error.is_exact:
        tiny = float(np.finfo(dtype).smallest_subnormal)
        error = error.through(1.0, float(np.finfo(dtype).eps), tiny)
    return Value(scope.add("Cast", x.name, to=onnx_type(dtype)), dtype, x.shape, error)


def _unsqueeze(scope: Scope, x: Value) -> Value:
    """X with one or two more dimensions, before the others or after them."""
    if scope.state.chance(30):
        shape, axes = (*x.shape, 1), [len(x.shape)]
    elif scope.state.chance(20):
        shape, axes = (1, *x.shape, 1), [0, len(x.shape) + 1]
    else:
        shape, axes = (1, *x.shape), [0]
    return _moved(x, scope.unsqueeze(x.name, axes, len(shape)), shape)


def _squeeze(scope: Scope, x: Value) -> Value:
    """X without some of its dimensions of 1, of which it gets one or two where it has none."""
    if 1 not in x.shape:
        x = _unsqueeze(scope, x)
    ones = [axis for axis, size in enumerate(x.shape) if size == 1]
    axes = ones if scope.state.chance(50) else ones[:1]
    kept = tuple(size for axis, size in enumerate(x.shape) if axis not in axes)
    return _moved(x, scope.squeeze(x.name, axes, len(x.shape)), kept)


def _shape(scope: Scope, x: Value) -> Value:
    return Value(scope.add("Shape", x.name), "int64", (len(x.shape),))


def _size(scope: Scope, x: Value) -> Value:
    return Value(scope.add("Size", x.name), "int64", ())


def _flatten(scope: Scope, x: Value) -> Value:
    if math.prod(x.shape) == 0:
        return _shape(scope, x)
    name = scope.add("Reshape", x.name, scope.integers(-1))
    return _moved(x, name, (math.prod(x.shape),))


def _keep_first(scope: Scope, x: Value) -> Value:
    if not x.shape or math.prod(x.shape) == 0:
        return _shape(scope, x)
    name = scope.add("Reshape", x.name, scope.integers(0, -1))
    return _moved(x, name, (x.shape[0], math.prod(x.shape[1:])))


def _like(scope: Scope, x: Value) -> Value:
    """X brought to its own shape, which is computed."""
    op_type = scope.state.pick(("Reshape", "Expand"))
    if op_type == "Reshape" and math.prod(x.shape) == 0:
        op_type = "Expand"
    return _moved(x, scope.add(op_type, x.name, scope.add("Shape", x.name)), x.shape)


def _ones_like(scope: Scope, x: Value) -> Value:
    """Ones of x's shape, by ConstantOfShape or Expand."""
    shape = scope.add("Shape", x.name)
    if scope.state.chance(50):
        one = helper.make_tensor("v", onnx_type("float32"), [1], [1.0])
        name = scope.add("ConstantOfShape", shape, value=one)
    else:
        name = scope.add("Expand", leaf(scope, np.ones((), np.float32)), shape)
    return Value(name, "float32", x.shape)


def _larger(scope: Scope, x: Value) -> Value:
    """X with a zero of a larger shape added."""
    shape = tuple(3 if size == 1 else size for size in x.shape)
    if scope.state.chance(50):
        shape = (2, *shape)
    op_type, number = scope.state.pick((("Add", 0), ("Mul", 1)))
    other = leaf(scope, np.full(shape, number, x.dtype))
    return _moved(x, scope.add(op_type, x.name, other), shape)


def _one_size(scope: Scope, x: Value) -> Value:
    """One of x's sizes, and x reshaped with it."""
    if not x.shape or math.prod(x.shape) == 0:
        return _size(scope, x)
    axis = scope.state.integer(0, len(x.shape) - 1)
    index = scope.integers(axis)
    size = scope.add("Gather", scope.add("Shape", x.name), index)
    wanted = scope.add("Concat", size, scope.integers(-1), axis=0)
    shape = (x.shape[axis], math.prod(x.shape) // x.shape[axis])
    return _moved(x, scope.add("Reshape", x.name, wanted), shape)


def _twice(scope: Scope, x: Value) -> Value:
    if not x.shape:
        return _shape(scope, x)
    name = scope.add("Concat", x.name, x.name, axis=0)
    return _moved(x, name, (2 * x.shape[0], *x.shape[1:]))


_AXES: tuple[Step, ...] = (_unsqueeze, _squeeze)
"""Of these nodes shape inference misunderstands some below opset 11."""

_PASSING: tuple[Step, ...] = (_neg, _reshape, _conv, _slice, _transpose, _cast, _like, *_AXES)
_READING: tuple[Step, ...] = (
    _shape,
    _size,
    _flatten,
    _keep_first,
    _like,
    _ones_like,
    _larger,
    _one_size,
    _twice,
    _slice,
)
