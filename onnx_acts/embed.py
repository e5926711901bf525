"""Putting the function bodies into a model, in the form that its element types and opset need."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import onnx
from onnx import helper

from onnx_acts.functions import Form, form_for, function_proto
from onnx_acts.nodes import attribute_proto, read_attributes
from onnx_acts.schemas import register_schemas
from onnx_acts.specs import DOMAIN, OPSET_VERSION, Spec, spec_of

__all__ = ["default_opset", "element_types", "embed_functions", "walk_nodes"]

_MINIMUM_IR_VERSION = 9
"""The first IR version whose functions have attributes with defaults."""

_MAXIMUM_DEPTH = 64
"""Nesting of subgraphs beyond which a model is refused rather than walked."""


def embed_functions(model: onnx.ModelProto) -> None:
    """Adds to `model`, in place, the function bodies of the `onnx_acts` operators that it uses.

    Bodies from an earlier call are replaced. Every attribute of the nodes is written out, real
    numbers as float64 tensors, because the bodies refer to them.

    Raises:
        ValueError: the model's opset is too old for a body, or a node has a bad attribute.
    """
    nodes: dict[str, list[onnx.NodeProto]] = {}
    for node in walk_nodes(model):
        if node.domain == DOMAIN:
            _write_attributes(node)
            nodes.setdefault(node.op_type, []).append(node)
    for function in list(model.functions):
        if function.domain == DOMAIN:
            model.functions.remove(function)
    if not nodes:
        return
    types = element_types(model)
    for name, uses in sorted(nodes.items()):
        spec = spec_of(name)
        dtypes = {types.get(node.input[0]) for node in uses}
        model.functions.append(function_proto(spec, _form(spec, model, uses, dtypes)))
    _import_domain(model)
    model.ir_version = max(model.ir_version, _MINIMUM_IR_VERSION)


def walk_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Yields every node of the graph, its subgraphs and the model's own functions.

    The functions of the domain `onnx_acts` are left out: they are made from the table.

    Raises:
        ValueError: subgraphs are nested more than 64 deep.
    """
    yield from _walk(model.graph.node, 0)
    for function in model.functions:
        if function.domain != DOMAIN:
            yield from _walk(function.node, 0)


def element_types(model: onnx.ModelProto) -> dict[str, str]:
    """Returns the NumPy names of the element types of the values whose types are known.

    Values of subgraphs and functions are included where their names are unique in the model.
    """
    register_schemas()
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, ValueError):
        # A model that inference cannot follow (or that is above 2 GiB) still has declared types.
        inferred = model
    types: dict[str, str] = {}
    for graph in _graphs(inferred.graph, 0):
        for value in (*graph.input, *graph.output, *graph.value_info):
            _note(types, value.name, value.type.tensor_type.elem_type)
        for initializer in graph.initializer:
            _note(types, initializer.name, initializer.data_type)
    return types


def default_opset(model: onnx.ModelProto) -> int:
    """Returns the version of the standard operators that the model imports.

    Raises:
        ValueError: it imports none.
    """
    for item in model.opset_import:
        if item.domain in ("", "ai.onnx"):
            return int(item.version)
    raise ValueError("the model imports no standard operators: opset_import has no default domain")


def _form(
    spec: Spec, model: onnx.ModelProto, uses: list[onnx.NodeProto], dtypes: set[str | None]
) -> Form:
    """Picks the form of one function from all its uses."""
    training = any(read_attributes(node).get("training_mode") for node in uses)
    outputs = max(sum(1 for name in node.output if name) for node in uses)
    form = form_for(default_opset(model), dtypes)
    return dataclasses.replace(form, training=training, outputs=min(outputs, len(spec.outputs)))


def _write_attributes(node: onnx.NodeProto) -> None:
    """Writes every attribute of an `onnx_acts` node in the table's encoding."""
    values = read_attributes(node)
    del node.attribute[:]
    node.attribute.extend(
        attribute_proto(item, values[item.name]) for item in spec_of(node.op_type).attributes
    )


def _import_domain(model: onnx.ModelProto) -> None:
    if all(item.domain != DOMAIN for item in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, OPSET_VERSION))


def _walk(nodes: object, depth: int) -> Iterator[onnx.NodeProto]:
    _check_depth(depth)
    for node in nodes:  # type: ignore[attr-defined]  # protobuf's repeated field has no public type
        yield node
        for graph in _subgraphs(node):
            yield from _walk(graph.node, depth + 1)


def _graphs(graph: onnx.GraphProto, depth: int) -> Iterator[onnx.GraphProto]:
    _check_depth(depth)
    yield graph
    for node in graph.node:
        for inner in _subgraphs(node):
            yield from _graphs(inner, depth + 1)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == onnx.AttributeProto.GRAPHS:
            yield from attribute.graphs


def _check_depth(depth: int) -> None:
    if depth > _MAXIMUM_DEPTH:
        raise ValueError(
            f"the model nests subgraphs more than {_MAXIMUM_DEPTH} deep; it is not processed"
        )


def _note(types: dict[str, str], name: str, element_type: int) -> None:
    if element_type:
        dtype: np.dtype[np.generic] = helper.tensor_dtype_to_np_dtype(element_type)
        types[name] = dtype.name
