"""The reference's node with what the model's has written in it, subgraphs included."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from onnx_acts.verifying.arrays import as_there
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.quantities import is_converting

__all__ = ["paired_nodes", "with_attributes"]


def paired_nodes(
    own: onnx.GraphProto, theirs: onnx.GraphProto
) -> Iterator[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """The nodes of two subgraphs, one after the other, without those that convert."""
    pairs = ([node for node in graph.node if not is_converting(node)] for graph in (own, theirs))
    yield from zip(*pairs, strict=False)


def with_attributes(maker: onnx.NodeProto, node: onnx.NodeProto) -> onnx.NodeProto:
    """A copy of the reference's node with the attributes of the model's.

    Subgraphs stay the reference's, whose names and element types they have; each of their nodes has
    the attributes, and each of their constants the numbers, of the model's.
    """
    changed = onnx.NodeProto()
    changed.CopyFrom(maker)
    del changed.attribute[:]
    graphs = {item.name: item.g for item in maker.attribute if item.type == AttributeProto.GRAPH}
    tensors = {item.name: item.t for item in maker.attribute if item.type == AttributeProto.TENSOR}
    for item in node.attribute:
        attribute = changed.attribute.add()
        attribute.CopyFrom(item)
        if item.type == AttributeProto.GRAPH and item.name in graphs:
            attribute.g.CopyFrom(graphs[item.name])
            _change(attribute.g, item.g)
        if item.type == AttributeProto.TENSOR and item.name in tensors:
            attribute.t.CopyFrom(_tensor(item.t, tensors[item.name]))
    return changed


def _change(graph: onnx.GraphProto, own: onnx.GraphProto) -> None:
    """Writes what a subgraph of the model has into the reference's."""
    for a, b in paired_nodes(own, graph):
        if kind(a) != kind(b):
            if a.domain != b.domain or len(a.input) != len(b.input):
                break
            b.op_type = a.op_type
        if (a.op_type, a.domain) == (b.op_type, b.domain):
            b.CopyFrom(with_attributes(b, a))
    stored = {item.name: item for item in own.initializer}
    for item in graph.initializer:
        if item.name in stored and stored[item.name].dims == item.dims:
            item.CopyFrom(_tensor(stored[item.name], item))


def _tensor(own: TensorProto, theirs: TensorProto) -> TensorProto:
    """The numbers of a tensor of the model in the element type, and with the name, of another."""
    try:
        value, right = (numpy_helper.to_array(tensor) for tensor in (own, theirs))
    except (ValueError, OSError):  # its data is in the file
        return theirs
    return numpy_helper.from_array(as_there(value, right), theirs.name)
