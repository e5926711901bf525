"""Which activations stay `onnx_acts` nodes and which become standard ones."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, spec_of
from onnx_acts.files.embedding import default_opset, embed_functions
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.types import element_types
from onnx_acts.graph import lower
from onnx_acts.graph.kernels import has_standard_kernel
from onnx_acts.graph.standard import as_standard

__all__ = ["apply_style"]


def apply_style(model: onnx.ModelProto, style: str, ops: Collection[str]) -> onnx.ModelProto:
    """Settles every `onnx_acts` node: kept with a body, or lowered to standard operators.

    Args:
        model: a model with bare `onnx_acts` nodes; it is changed.
        style: "acts" keeps the operators in `ops`, and those for whose element type ONNX Runtime
            has no standard kernel; "standard" keeps none.
        ops: the operators to keep in the style "acts".

    Returns:
        The finished model, which may be `model` itself.
    """
    types, opset = element_types(model), default_opset(model)
    for node in walk_nodes(model):
        if node.domain == DOMAIN and _is_standard(node, types.get(node.input[0]), opset, ops):
            node.CopyFrom(as_standard(node))
    if style == "standard":
        return lower(model)
    embed_functions(model)
    if all(node.domain != DOMAIN for node in walk_nodes(model)):
        _remove_import(model)
    return model


def _is_standard(node: onnx.NodeProto, dtype: str | None, opset: int, ops: Collection[str]) -> bool:
    """Whether a node becomes the one standard operator that computes the same."""
    if dtype is not None and dtype not in ELEMENT_TYPES:
        return True  # ReLU of integers, the only such node that the checks let through
    if node.op_type in ops or read_attributes(node).get("training_mode"):
        return False
    return has_standard_kernel(spec_of(node.op_type), dtype, opset)


def _remove_import(model: onnx.ModelProto) -> None:
    for item in list(model.opset_import):
        if item.domain == DOMAIN:
            model.opset_import.remove(item)
