"""Names of values: new ones, and those that ONNX Runtime would give again."""

from __future__ import annotations

import onnx

from onnx_acts.files.structure import walk_graphs

__all__ = ["FreshNames", "rename_inlined_values"]

_INLINED = "_inlfunc_"
"""What ONNX Runtime puts before the names of values that come from a function body."""


class FreshNames:
    """Gives names that no value and no node of a model has, in any graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._taken: set[str] = set()
        for graph in walk_graphs(model.graph, *model.functions):
            for node in graph.node:
                self._taken.update(node.input, node.output, [node.name])
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


def rename_inlined_values(model: onnx.ModelProto) -> None:
    """Renames, in place, values in the graph that ONNX Runtime has named when it inlined a body.

    A file that it has saved has such names; where a body is inlined once more, it would give them
    again and refuse the model. Inputs and outputs of the model keep their names.
    """
    graphs = list(walk_graphs(model.graph))
    kept = {value.name for value in (*model.graph.input, *model.graph.output)}
    made = {name for graph in graphs for node in graph.node for name in node.output}
    stored = {tensor.name for graph in graphs for tensor in graph.initializer}
    names = FreshNames(model)
    new = {
        name: names.fresh(name.removeprefix("_"))
        for name in sorted((made | stored) - kept)
        if name.startswith(_INLINED)
    }
    for graph in graphs if new else ():
        for node in graph.node:
            node.input[:] = [new.get(name, name) for name in node.input]
            node.output[:] = [new.get(name, name) for name in node.output]
        for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
            value.name = new.get(value.name, value.name)
