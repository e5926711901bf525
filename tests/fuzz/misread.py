"""Files whose results in ONNX Runtime say nothing of what is right."""

from __future__ import annotations

import onnx

from onnx_acts.files.structure import subgraphs, walk_graphs, walk_nodes

__all__ = ["misread"]


def misread(model: onnx.ModelProto) -> str:
    """Returns what ONNX Runtime gets wrong in the original; empty where nothing is known."""
    if _has_old_axes(model):
        return "negative axes below opset 11, and a Scan"
    if _has_lost_value(model.graph):
        return "a shape of what a branch of an If of a constant uses"
    return ""


def _has_old_axes(model: onnx.ModelProto) -> bool:
    """Below opset 11 the standard has no negative axes.

    ONNX Runtime computes what they mean, and infers another shape; the buffer of a Scan's output
    has the inferred one.
    """
    nodes = list(walk_nodes(model))
    is_old = any(item.version < 11 for item in model.opset_import if not item.domain)
    axes = (item.ints for node in nodes for item in node.attribute if item.name == "axes")
    is_negative = any(axis < 0 for numbers in axes for axis in numbers)
    return is_old and is_negative and any(node.op_type == "Scan" for node in nodes)


def _has_lost_value(graph: onnx.GraphProto) -> bool:
    """Whether ONNX Runtime refuses the file as soon as it knows a shape.

    It computes Shape early and may take away what makes the value, as it does not see the use in a
    branch whose If it takes away, too. Any node before may make the shape known.
    """
    asked = {
        name for node in graph.node if node.op_type in ("Shape", "Size") for name in node.input
    }
    fed = {value.name for value in graph.input}
    return any(
        name in asked
        for node in graph.node
        if node.op_type == "If" and node.input[0] not in fed
        for branch in subgraphs(node)
        for inner in walk_graphs(branch)
        for user in inner.node
        for name in user.input
    )
