"""Constants in every way that a file can hold them, and nodes that fold to them."""

from __future__ import annotations

import math
from collections.abc import Callable

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
from onnx import helper

from tests.fuzz.case import Array
from tests.fuzz.scope import FLOATS, Scope, onnx_type

__all__ = ["constant", "leaf", "variable"]

MAXIMUM_FOLDS = 3
_Step = Callable[[Scope, Array, int], str]


def constant(scope: Scope, array: Array, folded: int = 20) -> str:
    """A constant; in `folded` of 100 cases nodes compute it."""
    if not scope.state.chance(folded):
        return leaf(scope, array)
    return _folded(scope, array, scope.state.integer(1, MAXIMUM_FOLDS))


def leaf(scope: Scope, array: Array) -> str:
    """An initializer, of this graph or one around it, or a Constant node."""
    ways: list[Callable[[Array], str]] = [scope.node_constant]
    if not scope.in_function:
        ways = [scope.main.initializer, *ways]
        if scope.kind == "subgraph" and scope.state.ir_version >= 4:
            ways.append(scope.initializer)
    return scope.state.pick(ways)(array)


def variable(scope: Scope, array: Array) -> str:
    """What is no constant: a graph input, maybe with a default, or a function's input."""
    state = scope.state
    function = scope.function if scope.in_function else None
    if function is not None:
        assert function.outer is not None
        formal = state.name("f")
        given = leaf(function.outer, array) if state.chance(50) else variable(function.outer, array)
        function.formals[formal] = given
        return formal
    name = state.name("s")
    shape = None if state.chance(10) else [n if state.chance(80) else None for n in array.shape]
    has_default = state.chance(50)
    if has_default:
        shape = list(array.shape)
        scope.main.initializer(array, name)
    state.inputs.append(helper.make_tensor_value_info(name, onnx_type(array.dtype.name), shape))
    if not has_default or (state.ir_version >= 4 and state.chance(40)):
        state.feeds[name] = array
    return name


def _folded(scope: Scope, array: Array, depth: int) -> str:
    """Nodes that compute `array`, or nearly so: what they do compute is ONNX Runtime's to say."""
    if depth == 0:
        return leaf(scope, array)
    state = scope.state
    shaping = array.size > 1 and state.chance(50)
    if shaping and scope.opset < 13 and 1 in array.shape and state.chance(60):
        step: _Step = _squeeze  # its axes are an attribute, and not all dimensions of 1 may go
    else:
        step = state.pick(_SHAPING if shaping else _STEPS)
    with np.errstate(all="ignore"):
        return step(scope, array, depth - 1)


def _identity(scope: Scope, array: Array, depth: int) -> str:
    return scope.add("Identity", _folded(scope, array, depth))


def _neg(scope: Scope, array: Array, depth: int) -> str:
    return scope.add("Neg", _folded(scope, -array, depth))


def _abs(scope: Scope, array: Array, depth: int) -> str:
    return scope.add("Abs", _folded(scope, -array, depth))


def _arithmetic(scope: Scope, array: Array, depth: int) -> str:
    k = scope.state.pick((1.0, 2.0, 0.5, -1.0))
    number = np.full(scope.state.pick(((), (1,)[: array.ndim])), k, array.dtype)
    op_type = scope.state.pick(("Mul", "Div", "Add", "Sub"))
    other = {"Mul": array / k, "Div": array * k, "Add": array - k, "Sub": array + k}[op_type]
    other = other.astype(array.dtype)
    inputs = [_folded(scope, other, depth), leaf(scope, number)]
    if op_type in ("Mul", "Add") and scope.state.chance(50):
        inputs.reverse()
    return scope.add(op_type, *inputs)


def _extreme(scope: Scope, array: Array, depth: int) -> str:
    op_type = scope.state.pick(("Max", "Min"))
    bound = np.array(-3.0 if op_type == "Max" else 3.0, array.dtype)
    inputs = [_folded(scope, array, depth)]
    inputs += [leaf(scope, bound) for _ in range(scope.state.pick((1, 0, 2)))]
    return scope.add(op_type, *inputs)


def _clip(scope: Scope, array: Array, depth: int) -> str:
    low, high = scope.state.pick(((-3.0, 3.0), (0.0, None), (None, 0.5), (None, None), (-1.0, 1.0)))
    name = _folded(scope, array, depth)
    if scope.opset < 11:
        given = {"min": low, "max": high}
        return scope.add("Clip", name, **{k: v for k, v in given.items() if v is not None})
    bounds = ["" if v is None else leaf(scope, np.array(v, array.dtype)) for v in (low, high)]
    while bounds and not bounds[-1]:
        bounds.pop()
    return scope.add("Clip", name, *bounds)


_CASTS = (*FLOATS, "int32", "int64", "int8", "uint8", "bool", "bfloat16")


def _cast(scope: Scope, array: Array, depth: int) -> str:
    between = scope.state.pick(_CASTS)
    if between == "bfloat16" and scope.opset < 13:
        between = "float32"
    to = onnx_type(array.dtype.name)
    if scope.state.chance(50):  # there and back
        name = scope.add("Cast", _folded(scope, array, depth), to=onnx_type(between))
        return scope.add("Cast", name, to=to)
    finite = np.nan_to_num(array, nan=0, posinf=1, neginf=-1)
    if between == "bfloat16" or (not between.startswith("f") and not np.all(np.abs(finite) < 99)):
        between = "float64"
    other = (array if between.startswith("f") else finite).astype(between)
    return scope.add("Cast", leaf(scope, other), to=to)


def _reshape(scope: Scope, array: Array, depth: int) -> str:
    state, shape = scope.state, array.shape
    before = state.pick(((array.size,), (1, *shape), (*shape, 1), shape, shape[::-1]))
    wanted = list(shape)
    if array.size and wanted and state.chance(50):
        wanted[state.integer(0, len(wanted) - 1)] = -1
    elif wanted and state.chance(30) and before[:1] == shape[:1]:
        wanted[0] = 0
    name = _folded(scope, array.reshape(before), depth)
    return scope.add("Reshape", name, scope.integers(*wanted))


def _squeeze(scope: Scope, array: Array, depth: int) -> str:
    """Takes some dimensions of 1 away; those of the array stay."""
    state = scope.state
    before, axes = list(array.shape), list[int]()
    for _ in range(state.pick((1, 1, 2))):
        at = state.integer(0, len(before))
        before.insert(at, 1)
        axes = [at, *(axis + (axis >= at) for axis in axes)]
    if 1 not in array.shape and state.chance(30):
        axes = []
    return scope.squeeze(_folded(scope, array.reshape(before), depth), axes, len(before))


def _unsqueeze(scope: Scope, array: Array, depth: int) -> str:
    ones = [axis for axis, size in enumerate(array.shape) if size == 1]
    if not ones:
        return _squeeze(scope, array, depth)
    axes = ones if scope.state.chance(30) else [scope.state.pick(ones)]
    kept = tuple(size for axis, size in enumerate(array.shape) if axis not in axes)
    assert math.prod(kept) == array.size
    return scope.unsqueeze(_folded(scope, array.reshape(kept), depth), axes, array.ndim)


def _transpose(scope: Scope, array: Array, depth: int) -> str:
    return scope.add("Transpose", _folded(scope, array.T, depth))


def _expand(scope: Scope, array: Array, depth: int) -> str:
    """From one row where all are alike, else from what is as large."""
    row = array[:1] if array.ndim else array
    is_alike = np.array_equal(np.broadcast_to(row, array.shape), array, equal_nan=True)
    name = _folded(scope, row if is_alike else array, depth)
    return scope.add("Expand", name, scope.integers(*array.shape))


_SHAPING = (_squeeze, _unsqueeze, _reshape)
"""What exporters do to the slopes of channels."""

_STEPS = (
    _identity,
    _squeeze,
    _unsqueeze,
    _reshape,
    _neg,
    _arithmetic,
    _extreme,
    _clip,
    _cast,
    _abs,
    _transpose,
    _expand,
)
