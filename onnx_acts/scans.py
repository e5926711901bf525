"""Types and shapes of the inputs of Scan bodies, where a file leaves them to the runtime.

ONNX Runtime takes them from what is scanned; onnx does where there is no type at all, and not where
there is one without a shape.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from onnx_acts.structure import STANDARD_DOMAINS, subgraphs, walk_graphs

__all__ = ["complete_scans", "scan_bodies"]

_Type = onnx.TypeProto.Tensor


def complete_scans(model: onnx.ModelProto) -> bool:
    """Gives inputs of Scan bodies the shapes that follow from what is known around them.

    Returns:
        Whether there was something to give.
    """
    known: dict[str, _Type] = {}
    is_changed = False
    for graph in walk_graphs(model.graph):  # outer graphs first
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.HasField("shape"):
                known[value.name] = value.type.tensor_type
        for node in filter(_is_scan, graph.node):
            for value, outer, axis in _body_inputs(node):
                if outer in known and not value.type.tensor_type.HasField("shape"):
                    value.type.tensor_type.CopyFrom(_slice(known[outer], axis))
                    is_changed = True
    return is_changed


def scan_bodies(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.GraphProto]:
    """Yields the bodies of the Scan nodes of one graph."""
    for node in filter(_is_scan, graph.node):
        yield from subgraphs(node)


def _is_scan(node: onnx.NodeProto) -> bool:
    return node.op_type == "Scan" and node.domain in STANDARD_DOMAINS


def _body_inputs(node: onnx.NodeProto) -> Iterator[tuple[onnx.ValueInfoProto, str, int | None]]:
    """The inputs of a Scan's body, what they come from, and the axis along which it is scanned."""
    given = {item.name: item for item in node.attribute}
    if "body" not in given or "num_scan_inputs" not in given:  # opset 8 is another operator
        return
    count = given["num_scan_inputs"].i
    axes = list(given["scan_input_axes"].ints) if "scan_input_axes" in given else [0] * count
    states: list[int | None] = [None] * (len(node.input) - count)
    yield from zip(given["body"].g.input, node.input, [*states, *axes], strict=False)


def _slice(outer: _Type, axis: int | None) -> _Type:
    """The type of a slice along an axis; the whole where there is no axis."""
    result = _Type()
    result.CopyFrom(outer)
    if axis is not None and -len(result.shape.dim) <= axis < len(result.shape.dim):
        del result.shape.dim[axis]
    return result
