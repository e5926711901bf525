"""Hypothesis's strategy for cases."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
import onnx.inliner
from hypothesis import strategies as st
from onnx import helper

import onnx_acts
from tests.fuzz.case import EXTRAS, Array, Case, Error
from tests.fuzz.placing import FUNCTION_IR_VERSION, activation, typed
from tests.fuzz.scope import FLOATS, Scope, State, Value, onnx_type
from tests.fuzz.shapes import passing, reading
from tests.helpers import ALL

__all__ = ["OPSETS", "cases"]

OPSETS = (9, 23)
_OLD_OPSETS = (9, 12)
_ORDINARY = (-1.0, 0.5, -0.3, 1.7, -2.5, -8.0, 3.0, -1e-3)
_SPECIAL = (np.nan, np.nan, np.inf, -np.inf, 0.0, -0.0)
_RANGES = ("smallest_subnormal", "tiny", "max")
_OUTPUT_CHANCE = 15
_INNER = ("Mul", "Exp", "Neg", "Relu", "Less", "Greater", "Abs", "Max", "Sub")


@st.composite
def cases(draw: Callable[[Any], Any]) -> Case:
    """A model near the forms that are recognised, with inputs."""
    state = State(draw(st.randoms(use_true_random=False)))
    state.opset = state.integer(*state.pick((OPSETS, OPSETS, _OLD_OPSETS)))
    state.ir_version = state.pick((8, 9, 7, 4, 3) if state.opset < 15 else (8, 9, 10))
    scope = Scope(state)
    outputs: dict[str, Value] = {}
    _grow(scope, outputs)
    model = _model(scope, outputs)
    feeds = [dict(state.feeds)]
    if state.chance(40):
        feeds.append(_other_sizes(model, feeds[0]))
        _forget_sizes(model.graph.output)
    model = _transformed(state, model)
    return Case(
        model=model.SerializeToString(deterministic=True),
        feeds=tuple(feeds),
        errors={value.name: _final(state, value.error) for value in outputs.values()},
        dtypes=frozenset(state.dtypes),
        optimised=state.chance(50),
        extra=state.pick(EXTRAS),
    )


def _final(state: State, error: Error) -> Error:
    """The error of an output: float16 anywhere may have been on the way."""
    is_narrow = "float16" in state.dtypes
    return error if error.is_exact else dataclasses.replace(error, is_narrow=is_narrow)


def _grow(scope: Scope, outputs: dict[str, Value]) -> None:
    """Draws the nodes."""
    state = scope.state
    value = _input(scope)
    for _ in range(state.integer(1, 3)):
        if state.chance(25):
            value = passing(scope, value)
        value = activation(scope, value)
        if state.chance(_OUTPUT_CHANCE):
            outputs[value.name] = value
        if state.is_enlarged:
            break
        if state.chance(35):
            read = reading(scope, value)
            outputs[read.name] = read
            if read.dtype in FLOATS and not state.chance(50):
                value = read
    outputs[value.name] = value
    inner = [node for node in scope.nodes if node.op_type in _INNER]
    if inner and state.chance(8):  # a value in the middle of a form, maybe
        node = state.pick(inner)
        dtype = "bool" if node.op_type in ("Less", "Greater") else value.dtype
        outputs[node.output[0]] = Value(node.output[0], dtype, (), Error(relative=np.inf))


def _input(scope: Scope) -> Value:
    """The input x: its type, sizes and numbers, and how much of that is declared."""
    state = scope.state
    dtype = state.pick(("float32", "float32", "float16", "float64"))
    rank = state.pick((3, 2, 4, 1, 0, 3, 2, 4))
    shape = tuple(state.integer(1, 4) for _ in range(rank))
    if rank and state.chance(40):  # a slope for a wrong dimension fits
        shape = (max(shape),) * rank
    if rank and state.chance(3):
        shape = (0, *shape[1:])
    declared: list[int | str | None] = []
    style = state.pick(("fixed", "batch", "batch", "batch", "symbolic", "unnamed", "mixed", "none"))
    for axis, size in enumerate(shape):
        way = "fixed" if style == "batch" and axis else style
        if way in ("batch", "mixed"):
            way = state.pick(("fixed", "symbolic", "unnamed"))
        sizes: dict[str, int | str] = {"fixed": size, "symbolic": f"D{axis}"}
        declared.append(sizes.get(way))
    name = state.name("x")
    known = None if style == "none" else declared
    state.inputs.append(helper.make_tensor_value_info(name, onnx_type(dtype), known))
    state.feeds[name] = _numbers(state, dtype, shape)
    return Value(name, dtype, shape)


def _numbers(state: State, dtype: str, shape: tuple[int, ...]) -> Array:
    """A few numbers, repeated: they shrink to one."""
    found = []
    for _ in range(state.integer(1, 9)):
        kind = state.pick(("ordinary", "special", "range"))
        if kind == "ordinary":
            found.append(state.pick(_ORDINARY))
        elif kind == "special":
            found.append(state.pick(_SPECIAL))
        else:
            limit = float(getattr(np.finfo(dtype), state.pick(_RANGES)))
            found.append(-limit if state.chance(60) else limit)
    return np.resize(np.array(found), shape).astype(dtype)


def _other_sizes(model: onnx.ModelProto, feeds: dict[str, Array]) -> dict[str, Array]:
    """The same inputs with another first size of x, where it is not fixed."""
    x = model.graph.input[0]
    dims = x.type.tensor_type.shape.dim
    array = feeds[x.name]
    if not array.ndim or (dims and dims[0].HasField("dim_value")):
        return feeds
    return {**feeds, x.name: np.resize(array, (array.shape[0] + 1, *array.shape[1:]))}


def _forget_sizes(outputs: Iterable[onnx.ValueInfoProto]) -> None:
    """Takes back what is declared of sizes: it would be wrong for other inputs."""
    for value in outputs:
        for size in value.type.tensor_type.shape.dim:
            size.Clear()


def _model(scope: Scope, outputs: dict[str, Value]) -> onnx.ModelProto:
    state = scope.state
    inputs = list(state.inputs)
    if state.ir_version < 4:  # every initializer is an input
        known = {value.name for value in inputs}
        inputs += [
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            for tensor in scope.initializers
            if tensor.name not in known
        ]
    declared = [typed(scope, value, exact=True) for value in outputs.values()]
    for info, value in zip(declared, outputs.values(), strict=True):
        if value.error.relative == np.inf:
            info.type.tensor_type.ClearField("shape")
    graph = helper.make_graph(scope.nodes, "g", inputs, declared, scope.initializers)
    opsets = [helper.make_opsetid("", state.opset)]
    if state.functions:
        opsets.append(helper.make_opsetid("local", 1))
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=state.ir_version, functions=state.functions
    )
    model.ClearField("producer_name")
    return model


def _transformed(state: State, model: onnx.ModelProto) -> onnx.ModelProto:
    """The model after another tool or an earlier run of ours; itself where that fails."""
    way = state.pick(("no",) * 8 + ("infer", "infer", "accelerate", "lower", "inline", "light"))
    with contextlib.suppress(Exception):
        if way in ("infer", "light"):
            model = onnx.shape_inference.infer_shapes(model)
            for info in list(model.graph.value_info) if way == "light" else ():
                if state.chance(50):
                    model.graph.value_info.remove(info)
        elif way == "accelerate":
            return onnx_acts.accelerate(model, ops=ALL)
        elif way == "lower":
            return onnx_acts.lower(onnx_acts.accelerate(model, ops=ALL), exact=True)
        elif way == "inline" and state.ir_version >= FUNCTION_IR_VERSION:
            return onnx.inliner.inline_local_functions(model)
    return model
