"""Inferring the element types and shapes of the values of a model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError, EncodeError

from onnx_acts.definition.known import dtype_name, value_info
from onnx_acts.definition.schemas import register_schemas
from onnx_acts.files.axes import copy_axes, hide_axes, is_understood, show_axes
from onnx_acts.files.outer_constants import drop_last_initializers, share_constants
from onnx_acts.files.scans import complete_scans, is_scan
from onnx_acts.files.scopes import Scope, walk_scopes
from onnx_acts.files.structure import import_domain, walk_graphs, walk_nodes
from onnx_acts.files.types_in_runtime import types_in_runtime
from onnx_acts.files.weights import copy_without_weights

__all__ = ["complete_scan_outputs", "element_types", "inferred", "scopes", "standardise_axes"]


_UNFOLLOWED = (
    onnx.shape_inference.InferenceError,
    onnx.checker.ValidationError,
    ValueError,
)
"""What onnx raises where it cannot infer the types of a model."""


def scopes(model: onnx.ModelProto) -> Iterator[Scope]:
    """Yields the graph and its subgraphs with what inference finds out about their values."""
    return walk_scopes(model.graph, inferred(model).graph)


def element_types(model: onnx.ModelProto) -> dict[str, str]:
    """Returns the NumPy names of the element types of the values whose types are known.

    Two subgraphs may use one name for different values: where not both types are known and the
    same, the name is left out.
    """
    found: dict[str, set[str | None]] = {}
    for graph, values, _ in scopes(model):
        made = (name for node in graph.node for name in node.output if name)
        stored = (item.name for item in (*graph.input, *graph.initializer))
        for name in {*made, *stored}:
            found.setdefault(name, set()).add(values[name].dtype)
    known = {name: kinds.pop() for name, kinds in found.items() if len(kinds) == 1}
    return {name: dtype for name, dtype in known.items() if dtype}


def complete_scan_outputs(model: onnx.ModelProto) -> None:
    """Gives the outputs of Scan bodies the types and shapes that inference finds, in place.

    ONNX Runtime must know how many dimensions they have, and does not always find out where the
    function that makes one has been inlined.
    """
    if not any(is_scan(node) for node in walk_nodes(model)):
        return
    for graph, values, owner in scopes(model):
        for value in graph.output if owner is not None and is_scan(owner) else ():
            known = values[value.name]
            is_open = not value.type.tensor_type.HasField("shape")
            if is_open and known.dtype and known.shape is not None:
                value.CopyFrom(value_info(value.name, known))


def standardise_axes(model: onnx.ModelProto) -> bool:
    """Writes axes of Squeeze and Unsqueeze so that ONNX Runtime's inference understands them.

    In place, below opset 11: there it finds wrong numbers of dimensions for what the file may well
    say (see `onnx_acts.files.axes`), which it then tells the native library and uses in function
    bodies. Shapes in `value_info` become those that follow. What is understood stays as it is, and
    so do negative axes where the number of dimensions is unknown.

    Returns:
        Whether all are understood afterwards.
    """
    if is_understood(model):
        return True
    copy_axes(inferred(model), model)
    return is_understood(model)


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy with `value_info` completed as far as possible and without large weights.

    What onnx does not know (the operators of ONNX Runtime's own domains, which its optimised files
    have, say) ONNX Runtime is asked for.
    """
    register_schemas()
    light = copy_without_weights(model)
    import_domain(light)  # else onnx would infer nothing at all
    has_hidden = hide_axes(light)
    light = _inferred_by_onnx(light)
    while has_hidden and show_axes(model, light):
        light = _inferred_by_onnx(light)
    if complete_scans(light):
        light = _inferred_by_onnx(light)
    _check_element_types(light)
    has_scan = any(
        is_scan(node) for node in walk_nodes(light)
    )  # it must know the rank of its inputs
    light.graph.value_info.extend(types_in_runtime(light, with_shapes=has_scan))
    return light


def _check_element_types(model: onnx.ModelProto) -> None:
    """Requires that onnx knows every element type, whoever asks for it later."""
    for graph in walk_graphs(model.graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            dtype_name(value.type.tensor_type.elem_type, value.name)
        for tensor in graph.initializer:
            dtype_name(tensor.data_type, tensor.name)


def _inferred_by_onnx(model: onnx.ModelProto) -> onnx.ModelProto:
    counts = share_constants(model.graph)
    result = model  # a model that inference cannot follow still has its declared types
    try:
        with contextlib.suppress(*_UNFOLLOWED):
            result = onnx.shape_inference.infer_shapes(model)
    except (DecodeError, EncodeError) as error:
        raise ValueError(
            f"the model cannot be processed, even without its weights: {error}"
        ) from error
    drop_last_initializers(result.graph, counts)
    return result
