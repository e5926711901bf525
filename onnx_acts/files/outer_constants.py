"""Constants of the graphs around a subgraph, inside it: onnx's inference looks nowhere else.

Axes, sizes and repeats that stand outside of a branch or of the body of a loop say how many
dimensions the values inside have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx
from onnx import TensorProto

from onnx_acts.files.structure import STANDARD_DOMAINS, subgraphs, walk_graphs

__all__ = ["drop_last_initializers", "share_constants"]

_SMALL = 64
"""Elements up to which a constant may be axes, sizes or the like."""


def share_constants(
    graph: onnx.GraphProto, outer: Mapping[str, TensorProto] | None = None
) -> list[int]:
    """Adds to each subgraph the small constants of the graphs around it that its nodes use.

    Args:
        graph: the graph; its subgraphs are changed.
        outer: the constants that it sees itself.

    Returns:
        How many initializers each graph got, in the order of `walk_graphs`.
    """
    used = {name for node in graph.node for name in node.input}
    shared = [tensor for name, tensor in (outer or {}).items() if name in used]
    seen = {**(outer or {}), **_constants(graph)}
    counts = [len(shared)]
    for node in graph.node:
        for inner in subgraphs(node):
            own = _defined(inner)
            visible = {name: tensor for name, tensor in seen.items() if name not in own}
            counts += share_constants(inner, visible)
    graph.initializer.extend(shared)
    return counts


def drop_last_initializers(graph: onnx.GraphProto, counts: list[int]) -> None:
    """Takes away what `share_constants` added, from the same graph or a copy of it."""
    for inner, count in zip(walk_graphs(graph), counts, strict=True):
        if count:
            del inner.initializer[-count:]


def _constants(graph: onnx.GraphProto) -> dict[str, TensorProto]:
    """The small constants of a graph, whose data the model has."""
    inputs = {value.name for value in graph.input}
    found = {tensor.name: tensor for tensor in graph.initializer if tensor.name not in inputs}
    for node in graph.node:
        if node.op_type == "Constant" and node.domain in STANDARD_DOMAINS:
            for attribute in node.attribute:
                if attribute.name == "value" and attribute.HasField("t"):
                    tensor = TensorProto()
                    tensor.CopyFrom(attribute.t)
                    tensor.name = node.output[0]
                    found[tensor.name] = tensor
    return {name: tensor for name, tensor in found.items() if _is_small(tensor)}


def _is_small(tensor: TensorProto) -> bool:
    is_here = tensor.data_location != TensorProto.EXTERNAL
    return is_here and math.prod(tensor.dims) <= _SMALL


def _defined(graph: onnx.GraphProto) -> set[str]:
    """The names that a graph gives to values of its own."""
    names = {value.name for value in graph.input} | {item.name for item in graph.initializer}
    names.update(item.values.name for item in graph.sparse_initializer)
    return names | {name for node in graph.node for name in node.output}
