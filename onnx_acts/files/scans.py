"""Shapes of the inputs of Scan bodies, where a file leaves them to the runtime.

ONNX Runtime takes them from what is scanned; onnx does where there is no type at all, and not where
there is one without a shape.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from onnx_acts.definition.known import Known, value_info
from onnx_acts.files.scopes import walk_scopes
from onnx_acts.files.structure import STANDARD_DOMAINS

__all__ = ["complete_scans", "is_scan"]


def complete_scans(model: onnx.ModelProto) -> bool:
    """Gives inputs of Scan bodies the shapes that follow from what is known around them.

    Args:
        model: a model after inference; it is changed.

    Returns:
        Whether there was something to give.
    """
    is_changed = False
    for graph, values, _ in walk_scopes(model.graph, model.graph):
        for node in filter(is_scan, graph.node):
            for value, outer, axis in _body_inputs(node):
                known = _slice(values[outer], axis)
                is_open = not value.type.tensor_type.HasField("shape")
                if is_open and known.dtype and known.shape is not None:
                    value.CopyFrom(value_info(value.name, known))
                    is_changed = True
    return is_changed


def is_scan(node: onnx.NodeProto) -> bool:
    """Tells whether a node is a standard Scan."""
    return bool(node.op_type == "Scan" and node.domain in STANDARD_DOMAINS)


def _body_inputs(node: onnx.NodeProto) -> Iterator[tuple[onnx.ValueInfoProto, str, int | None]]:
    """The inputs of a Scan's body, what they come from, and the axis along which it is scanned."""
    given = {item.name: item for item in node.attribute}
    if "body" not in given or "num_scan_inputs" not in given:
        return
    count = given["num_scan_inputs"].i
    axes = list(given["scan_input_axes"].ints) if "scan_input_axes" in given else [0] * count
    states: list[int | None] = [None] * (len(node.input) - count)
    yield from zip(given["body"].g.input, node.input, [*states, *axes], strict=False)


def _slice(outer: Known, axis: int | None) -> Known:
    """What is known of a slice along an axis; of the whole where there is no axis."""
    if outer.shape is None or axis is None:
        return outer
    sizes = list(outer.shape)
    if not -len(sizes) <= axis < len(sizes):
        return Known(outer.dtype)
    del sizes[axis]
    return Known(outer.dtype, tuple(sizes))
