"""Axes of Squeeze and Unsqueeze that shape inference misunderstands below opset 11.

There onnx, whose inference ONNX Runtime takes, finds a wrong number of dimensions where a Squeeze
has axes that are not in ascending order, or either operator has negative ones (the standard knows
those from opset 11 on; the runtime takes them before, too). Both are computed rightly.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from onnx_acts.definition.known import value_info
from onnx_acts.files.scopes import Values, walk_scopes
from onnx_acts.files.structure import STANDARD_DOMAINS, standard_opset, walk_graphs

__all__ = ["copy_axes", "hide_axes", "is_understood", "show_axes"]

_UNDERSTOOD = 11
"""The first opset in which all axes are understood."""

_Pair = tuple[onnx.NodeProto, onnx.NodeProto, Values | None]
"""A node, the same node of the copy, and the values that the copy's graph sees."""


def is_understood(model: onnx.ModelProto) -> bool:
    """Tells whether inference understands the axes of all nodes."""
    return not any(True for _ in _misunderstood(model, model))


def hide_axes(light: onnx.ModelProto) -> bool:
    """Makes nodes whose axes are misunderstood an Unsqueeze without axes, in place.

    Of that, inference finds the element type and no shape. Shapes that the file has may come from
    the same inference; they are taken away as well.

    Returns:
        Whether there are such nodes.
    """
    found = [node for node, _, _ in _misunderstood(light, light)]
    for node in found:
        node.op_type = "Unsqueeze"
        del node.attribute[:]
    for graph in walk_graphs(light.graph) if found else ():
        inputs = () if graph is light.graph else graph.input
        for value in (*inputs, *graph.value_info, *graph.output):
            if value.type.HasField("tensor_type"):
                value.type.tensor_type.ClearField("shape")
    return bool(found)


def show_axes(model: onnx.ModelProto, light: onnx.ModelProto) -> bool:
    """Writes hidden axes so that they are understood, where that is possible, in place.

    Negative axes can be counted from the front where the number of dimensions is known.

    Args:
        model: the model as it is.
        light: its copy with hidden axes, after inference.

    Returns:
        Whether there were any; then inference finds more.
    """
    is_changed = False
    for node, copy, values in _misunderstood(model, light):
        axes = None if copy.attribute else _ascending(node, values)
        if axes is not None:
            copy.op_type = node.op_type
            copy.attribute.append(onnx.helper.make_attribute("axes", axes))
            is_changed = True
    return is_changed


def copy_axes(light: onnx.ModelProto, model: onnx.ModelProto) -> None:
    """Writes the axes of `light`, and the shapes in the file that follow, into the model.

    The inputs and outputs of the model stay as they are; those of subgraphs do not.

    Args:
        light: the model's copy after `show_axes` and inference.
        model: changed in place.
    """
    found = list(_misunderstood(model, light))
    for node, copy, _ in found:
        if copy.attribute:
            node.CopyFrom(copy)
    for graph, values, _ in walk_scopes(model.graph, light.graph) if found else ():
        for value in graph.value_info:
            _learn(value, values)
        ends = () if graph is model.graph else (*graph.input, *graph.output)
        for value in ends:  # a Scan must know what stands there
            if values[value.name].shape is not None:
                _learn(value, values)


def _learn(value: onnx.ValueInfoProto, values: Values) -> None:
    """Writes what is known of a value in the place of what the file says."""
    known = values[value.name]
    if value.type.HasField("tensor_type") and known.dtype:
        value.CopyFrom(value_info(value.name, known))


def _misunderstood(model: onnx.ModelProto, light: onnx.ModelProto) -> Iterator[_Pair]:
    """Nodes of a model whose axes are misunderstood, with those of its copy."""
    if standard_opset(model) < _UNDERSTOOD:
        scopes = walk_scopes(model.graph, light.graph)
        for (graph, values, _), copied in zip(scopes, walk_graphs(light.graph), strict=True):
            for node, copy in zip(graph.node, copied.node, strict=True):
                if _is_misunderstood(node):
                    yield node, copy, values
    for function, other in zip(model.functions, light.functions, strict=True):
        if standard_opset(function) < _UNDERSTOOD:
            graphs = zip(walk_graphs(function), walk_graphs(other), strict=True)
            for node, copy in (
                pair for g, c in graphs for pair in zip(g.node, c.node, strict=True)
            ):
                if _is_misunderstood(node):
                    yield node, copy, None


def _is_misunderstood(node: onnx.NodeProto) -> bool:
    if node.domain not in STANDARD_DOMAINS or node.op_type not in ("Squeeze", "Unsqueeze"):
        return False
    if any(item.ref_attr_name for item in node.attribute):
        return True  # a call of the function says which axes
    axes = _axes(node)
    return min(axes, default=0) < 0 or (node.op_type == "Squeeze" and axes != sorted(axes))


def _axes(node: onnx.NodeProto) -> list[int]:
    return [axis for item in node.attribute if item.name == "axes" for axis in item.ints]


def _ascending(node: onnx.NodeProto, values: Values | None) -> list[int] | None:
    """The axes from the front and in order; None where they are unknown."""
    axes = _axes(node)
    if not axes:
        return None
    if min(axes) >= 0:
        return sorted(set(axes))
    shape = None if values is None else values[node.input[0]].shape
    if shape is None:
        return None
    rank = len(shape) + (len(axes) if node.op_type == "Unsqueeze" else 0)
    return sorted({axis + rank if axis < 0 else axis for axis in axes})
