"""Constants of the graphs around a subgraph, inside it: onnx's inference looks nowhere else.

Axes, sizes and repeats that stand outside of a branch or of the body of a loop say how many
dimensions the values inside have.
"""

from __future__ import annotations

import math
from collections import ChainMap

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.files.structure import STANDARD_DOMAINS, subgraphs, walk_graphs

__all__ = ["drop_last_initializers", "share_constants", "small_constants"]

_SMALL = 64
"""Elements up to which a constant may be axes, sizes or the like."""


def share_constants(
    graph: onnx.GraphProto, outer: ChainMap[str, TensorProto | None] | None = None
) -> list[int]:
    """Adds to each subgraph the small constants of the graphs around it that its nodes use.

    Args:
        graph: the graph; its subgraphs are changed.
        outer: the values of the graphs around it, with the tensors of those that are constants.

    Returns:
        How many initializers each graph got, in the order of `walk_graphs`.
    """
    around = ChainMap[str, TensorProto | None]() if outer is None else outer
    own = small_constants(graph)
    used = dict.fromkeys(name for node in graph.node for name in node.input if name not in own)
    shared = [tensor for tensor in map(around.get, used) if tensor is not None]
    counts = [len(shared)]
    seen = around.new_child(own)
    for node in graph.node:
        for inner in subgraphs(node):
            counts += share_constants(inner, seen)
    graph.initializer.extend(shared)
    return counts


def drop_last_initializers(graph: onnx.GraphProto, counts: list[int]) -> None:
    """Takes away what `share_constants` added, from the same graph or a copy of it."""
    for inner, count in zip(walk_graphs(graph), counts, strict=True):
        if count:
            del inner.initializer[-count:]


def small_constants(graph: onnx.GraphProto) -> dict[str, TensorProto | None]:
    """The names that a graph gives to values of its own, with the tensors of small constants."""
    found: dict[str, TensorProto | None] = {t.name: _small(t) for t in graph.initializer}
    found.update(dict.fromkeys(item.values.name for item in graph.sparse_initializer))
    for node in graph.node:
        found.update(dict.fromkeys(node.output))
        if node.op_type == "Constant" and node.domain in STANDARD_DOMAINS:
            found[node.output[0]] = _of_constant(node)
    # An initializer that is an input, too, may be replaced by the caller.
    found.update(dict.fromkeys(value.name for value in graph.input))
    return found


def _of_constant(node: onnx.NodeProto) -> TensorProto | None:
    """A Constant node's value, under the name of its output."""
    for attribute in node.attribute:
        if attribute.name == "value" and attribute.HasField("t") and _small(attribute.t):
            tensor = TensorProto()
            tensor.CopyFrom(attribute.t)
            tensor.name = node.output[0]
            return tensor
        if attribute.name in ("value_int", "value_ints") and not attribute.ref_attr_name:
            numbers = np.array(helper.get_attribute_value(attribute), np.int64)
            return _small(numpy_helper.from_array(numbers, node.output[0]))
    return None


def _small(tensor: TensorProto) -> TensorProto | None:
    """A tensor that has few elements and its data."""
    is_here = tensor.data_location != TensorProto.EXTERNAL
    return tensor if is_here and math.prod(tensor.dims) <= _SMALL else None
