"""Where an activation stands: in the graph, a branch, a loop's body, a Scan or a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import onnx
from onnx import helper

from tests.fuzz.constants import leaf
from tests.fuzz.forms import FORMS, STANDARD, Form
from tests.fuzz.scope import Scope, Value, onnx_type
from tests.fuzz.shapes import passing, resized

__all__ = ["FUNCTION_IR_VERSION", "activation", "typed"]

FUNCTION_IR_VERSION = 8
_FUNCTION_DOMAIN = "local"
_DEEPEST = 2
_WEIGHTED = [form for form, weight in FORMS for _ in range(weight)]
_DECOMPOSED = [form for form in _WEIGHTED if form not in STANDARD]


def activation(scope: Scope, x: Value, depth: int = 0) -> Value:
    """Adds one activation, somewhere."""
    state = scope.state
    places: list[Callable[[Scope, Value, int], Value]] = [_here] * 6
    if depth < _DEEPEST:
        places += [_in_branch, _in_branch, _in_loop]
        if x.shape and x.shape[0]:
            places += [_in_scan, _in_scan]
        if state.ir_version >= FUNCTION_IR_VERSION and not scope.in_function:
            places += [_in_function, _in_function]
    return state.pick(places)(scope, x, depth)


def typed(scope: Scope, value: Value, exact: bool = False) -> onnx.ValueInfoProto:
    """A declaration of a value, with or without a rank, mostly without sizes."""
    shape: list[int | str | None] | None = [None] * len(value.shape)
    if scope.state.chance(30) or scope.state.is_enlarged or not value.shape:
        shape = None  # of an enlarged value, an If around it, or a scalar that a slope of shape [1]
        # makes a vector, what would be said may be wrong
    elif exact and scope.state.chance(30):
        shape = list(value.shape)
    return helper.make_tensor_value_info(value.name, onnx_type(value.dtype), shape)


def _here(scope: Scope, x: Value, depth: int) -> Value:
    # ONNX Runtime has no float64 kernels for most standard activations.
    few = x.dtype == "float64" and scope.state.chance(85)
    form: Form = scope.state.pick(_DECOMPOSED if few else _WEIGHTED)
    scope.state.dtypes.add(x.dtype)
    made = form(scope, x)
    if scope.state.chance(15):
        made = passing(scope, made)
    return made


def _inside(scope: Scope, x: Value, depth: int) -> Value:
    """What stands in a subgraph or function: one activation or two."""
    made = activation(scope, x, depth + 1)
    return activation(scope, made, depth + 1) if scope.state.chance(20) else made


def _in_branch(scope: Scope, x: Value, depth: int) -> Value:
    branches = []
    for number in range(2):
        inner = Scope(scope.state, "subgraph", scope)
        if number == 0 or scope.state.chance(30):
            made = _inside(inner, x, depth)
        else:
            made = dataclasses.replace(x, name=inner.add("Identity", x.name))
        branches.append((inner, made))
    (then, first), (other, second) = branches
    if scope.opset < 11 and first.shape != second.shape:
        return _here(scope, x, depth)  # before opset 11 both branches must give one shape
    if first.dtype != second.dtype:
        name = other.add("Cast", second.name, to=onnx_type(first.dtype))
        second = dataclasses.replace(second, name=name, dtype=first.dtype)
    taken = scope.state.chance(70)
    condition = _condition(scope, taken)
    graphs = [_subgraph(inner, [], [made]) for inner, made in ((then, first), (other, second))]
    name = scope.add("If", condition, then_branch=graphs[0], else_branch=graphs[1])
    made = first if taken else second
    return dataclasses.replace(made, name=name, error=first.error.joined(second.error))


def _condition(scope: Scope, value: bool) -> str:
    """A condition that the caller gives, or a constant, which ONNX Runtime may take away."""
    array = np.array(value)
    if scope.in_function or scope.state.chance(30):
        return leaf(scope, array)
    name = scope.state.name("b")
    scope.state.inputs.append(helper.make_tensor_value_info(name, onnx_type("bool"), []))
    scope.state.feeds[name] = array
    return name


def _in_loop(scope: Scope, x: Value, depth: int) -> Value:
    """One round of a loop that carries x."""
    state = scope.state
    inner = Scope(state, "subgraph", scope)
    step, keep, carried = state.name("i"), state.name("k"), state.name("x")
    made = _inside(inner, dataclasses.replace(x, name=carried), depth)
    if made.dtype != x.dtype:
        cast = inner.add("Cast", made.name, to=onnx_type(x.dtype))
        made = dataclasses.replace(made, name=cast, dtype=x.dtype)
    again = Value(inner.add("Identity", keep), "bool", ())
    inputs = [
        Value(step, "int64", ()),
        Value(keep, "bool", ()),
        dataclasses.replace(x, name=carried),
    ]
    body = _subgraph(inner, inputs, [again, made])
    count = leaf(scope, np.array(1, np.int64))
    return dataclasses.replace(made, name=scope.add("Loop", count, "", x.name, body=body))


def _in_scan(scope: Scope, x: Value, depth: int) -> Value:
    """Row by row; the body may have to wait for sizes from outside."""
    inner = Scope(scope.state, "subgraph", scope)
    row = dataclasses.replace(x, name=scope.state.name("x"), shape=x.shape[1:])
    start = resized(inner, row) if scope.state.chance(50) else row
    made = _inside(inner, start, depth)
    body = _subgraph(inner, [row], [made])
    name = scope.add("Scan", x.name, num_scan_inputs=1, body=body)
    return dataclasses.replace(made, name=name, shape=(x.shape[0], *made.shape))


def _in_function(scope: Scope, x: Value, depth: int) -> Value:
    """A call of a function, which may have another opset than the model."""
    state = scope.state
    inner = Scope(state, "function", scope)
    if state.chance(40):
        inner.opset = min(23, max(9, scope.opset + state.pick((1, -1, 2, -2, 5))))
    formal = state.name("f")
    made = _inside(inner, dataclasses.replace(x, name=formal), depth)
    name = state.name("F")
    function = helper.make_function(
        _FUNCTION_DOMAIN,
        name,
        [formal, *inner.formals],
        [made.name],
        inner.nodes,
        [helper.make_opsetid("", inner.opset), helper.make_opsetid(_FUNCTION_DOMAIN, 1)],
    )
    state.functions.append(function)
    output = state.name()
    call = helper.make_node(
        name, [x.name, *inner.formals.values()], [output], domain=_FUNCTION_DOMAIN
    )
    scope.nodes.append(call)
    return dataclasses.replace(made, name=output)


def _subgraph(inner: Scope, inputs: list[Value], outputs: list[Value]) -> onnx.GraphProto:
    inputs_typed = [_declared(inner, value) for value in inputs]
    outputs_typed = [_declared(inner, value) for value in outputs]
    name = inner.state.name("g")
    return helper.make_graph(inner.nodes, name, inputs_typed, outputs_typed, inner.initializers)


def _declared(inner: Scope, value: Value) -> onnx.ValueInfoProto:
    if value.dtype in ("int64", "bool"):
        return helper.make_tensor_value_info(value.name, onnx_type(value.dtype), [])
    if inner.state.chance(15):  # a subgraph's types may be left to inference
        return onnx.ValueInfoProto(name=value.name)
    return typed(inner, value)
