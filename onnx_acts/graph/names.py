"""Names for new values."""

from __future__ import annotations

import onnx

from onnx_acts.structure import walk_graphs

__all__ = ["FreshNames"]


class FreshNames:
    """Gives names that no value of a model has, in any graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._taken: set[str] = set()
        for graph in walk_graphs(model.graph, *model.functions):
            for node in graph.node:
                self._taken.update(node.input, node.output)
        for graph in walk_graphs(model.graph):
            for value in (*graph.input, *graph.output, *graph.initializer):
                self._taken.add(value.name)

    def fresh(self, wanted: str) -> str:
        """Returns `wanted`, with a number after it where that is taken."""
        name, count = wanted, 1
        while name in self._taken:
            name, count = f"{wanted}_{count}", count + 1
        self._taken.add(name)
        return name
