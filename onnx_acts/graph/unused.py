"""What nothing needs any more once activations were replaced."""

from __future__ import annotations

from collections import Counter

import onnx

from onnx_acts.files.structure import walk_graphs
from onnx_acts.graph.folding import FOLDED

__all__ = ["forget_types", "remove_unused"]

_REMOVED = ("Constant", "CastLike", "ConstantOfShape", "Expand", "Shape", "Transpose", *FOLDED)
"""Operators that go with the last use of what they make: they turn constants into others."""


def forget_types(graph: onnx.GraphProto, names: set[str]) -> None:
    """Removes the type information of values that are gone."""
    for value in list(graph.value_info):
        if value.name in names:
            graph.value_info.remove(value)


def remove_unused(root: onnx.GraphProto, freed: set[str]) -> None:
    """Removes constants, and nodes that only fold constants, that have lost their last use.

    Args:
        root: the graph; its subgraphs are included.
        freed: the values that have lost a use; it gets those that go with them.
    """
    graphs = list(walk_graphs(root))
    used = Counter(name for graph in graphs for node in graph.node for name in node.input)
    used.update(value.name for graph in graphs for value in graph.output)
    for graph in reversed(graphs):
        gone: set[str] = set()
        for index in reversed(range(len(graph.node))):
            node = graph.node[index]
            if node.op_type in _REMOVED and _is_freed(node, freed, used):
                used.subtract(node.input)
                freed.update(node.input)
                gone.update(node.output)
                del graph.node[index]
        inputs = {value.name for value in graph.input}
        for tensor in list(graph.initializer):
            if tensor.name in freed and not used[tensor.name] and tensor.name not in inputs:
                graph.initializer.remove(tensor)
                gone.add(tensor.name)
        forget_types(graph, gone)


def _is_freed(node: onnx.NodeProto, freed: set[str], used: Counter[str]) -> bool:
    return all(name in freed and not used[name] for name in node.output)
