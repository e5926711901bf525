"""Putting the body of a function in the place of a node.

onnx.inliner does this for whole models; here it is for bodies whose form differs from node to node,
and it leaves everything else in the model as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import onnx

from onnx_acts.files.structure import subgraphs
from onnx_acts.graph.names import FreshNames

__all__ = ["inline_node"]


def inline_node(
    node: onnx.NodeProto, function: onnx.FunctionProto, names: FreshNames
) -> list[onnx.NodeProto]:
    """Returns the nodes of `function`, called as `node` calls it.

    The node that makes the first output has the name, documentation and metadata of `node`.

    Args:
        node: carries every attribute that the body refers to.
        function: uses no values from outside, and has no defaults to fill in.
        names: gives names to the values in between, and to the nodes.
    """
    known: dict[str, str] = dict(zip(function.input, node.input, strict=True))
    known.update(zip(function.output, node.output, strict=False))
    prefix = node.name or node.output[0]

    def rename(name: str) -> str:
        if name and not known.get(name):
            known[name] = names.fresh(f"{prefix}/{name}")
        return known.get(name, name)

    given = {item.name: item for item in node.attribute}
    nodes = [_copy(inner, rename, given) for inner in function.node]
    for number, copy in enumerate(nodes):
        copy.name = names.fresh(f"{prefix}/{copy.op_type}_{number}")
        if node.output[0] in copy.output:
            copy.name, copy.doc_string = node.name, node.doc_string
            copy.metadata_props.extend(node.metadata_props)
    return nodes


def _copy(
    node: onnx.NodeProto,
    rename: Callable[[str], str],
    given: dict[str, onnx.AttributeProto],
) -> onnx.NodeProto:
    """Copies a node of the body with other names and with the caller's attributes."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    _rename_values(copy, rename)
    for attribute in copy.attribute:
        if attribute.ref_attr_name:
            name = attribute.name
            attribute.CopyFrom(given[attribute.ref_attr_name])
            attribute.name = name
    return copy


def _rename_values(node: onnx.NodeProto, rename: Callable[[str], str]) -> None:
    """Renames what a node and its subgraphs read and make."""
    node.input[:] = [rename(name) for name in node.input]
    node.output[:] = [rename(name) for name in node.output]
    for graph in subgraphs(node):
        for value in (*graph.input, *graph.output):
            value.name = rename(value.name)
        for inner in graph.node:
            _rename_values(inner, rename)
