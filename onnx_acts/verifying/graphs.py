"""A model as the walk sees it: nodes in order, constants that are read when they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import onnx
from onnx import TensorProto

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.sources import Source
from onnx_acts.files.structure import subgraphs, walk_graphs, walk_nodes

__all__ = ["Graph", "has_bodies", "has_own_nodes", "names_read", "title"]


@dataclasses.dataclass(frozen=True)
class Graph:
    """The main graph of a model.

    Attributes:
        source: the model, and where its weights are.
        stored: the initializers by name.
        sparse: the sparse ones.
        inputs: what has to be fed, in order.
        outputs: what it gives, in order.
    """

    source: Source
    stored: dict[str, TensorProto]
    sparse: dict[str, onnx.SparseTensorProto]
    inputs: tuple[onnx.ValueInfoProto, ...]
    outputs: tuple[onnx.ValueInfoProto, ...]

    @classmethod
    def of(cls, source: Source) -> Graph:
        """The graph of a model that is open."""
        graph = source.model.graph
        stored = {tensor.name: tensor for tensor in graph.initializer}
        sparse = {tensor.values.name: tensor for tensor in graph.sparse_initializer}
        fed = tuple(item for item in graph.input if item.name not in stored)
        return cls(source, stored, sparse, fed, tuple(graph.output))

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        """The nodes, each after those that it reads."""
        return list(self.source.model.graph.node)

    def is_constant(self, name: str) -> bool:
        """Whether a value is stored in the model."""
        return name in self.stored or name in self.sparse

    def loaded(self, name: str) -> TensorProto:
        """An initializer with its data.

        Raises:
            ValueError: its data is in a file that is not known.
        """
        found = self.source.weights.loaded(self.stored[name])
        if found is None:
            raise ValueError(
                f"tensor {name!r} has its data in another file, and a model in memory has no folder"
                " to look in: save the model beside that file and give the path"
            )
        return found

    def with_functions(
        self, nodes: Sequence[onnx.NodeProto]
    ) -> tuple[list[onnx.NodeProto], list[onnx.FunctionProto]]:
        """Copies of nodes and of the functions that they call, with all their data."""
        graph = onnx.GraphProto(node=nodes)
        holder = onnx.ModelProto(graph=graph, functions=_called(self.source.model, graph))
        self.source.weights.complete(holder)
        return list(holder.graph.node), list(holder.functions)


def has_own_nodes(model: onnx.ModelProto) -> bool:
    """Whether a model has nodes of the domain `onnx_acts`."""
    return any(node.domain == DOMAIN for node in walk_nodes(model))


def has_bodies(model: onnx.ModelProto) -> bool:
    """Whether ONNX Runtime can run a model without the native library."""
    own = {function.name for function in model.functions if function.domain == DOMAIN}
    return all(node.op_type in own for node in walk_nodes(model) if node.domain == DOMAIN)


def names_read(node: onnx.NodeProto) -> list[str]:
    """The values that a node reads, those of its subgraphs included, each once."""
    return list(dict.fromkeys((*filter(None, node.input), *_captured(node))))


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """The values around a node that its subgraphs read."""
    for graph in subgraphs(node):
        own = {item.name for item in (*graph.input, *graph.initializer)}
        own |= {tensor.values.name for tensor in graph.sparse_initializer}
        for inner in graph.node:
            yield from (name for name in names_read(inner) if name not in own)
            own.update(inner.output)
        yield from (item.name for item in graph.output if item.name not in own)


def _called(model: onnx.ModelProto, graph: onnx.GraphProto) -> list[onnx.FunctionProto]:
    """The functions that nodes call, at any depth."""
    known = {(item.domain, item.name, item.overload): item for item in model.functions}
    wanted: dict[tuple[str, str, str], onnx.FunctionProto] = {}
    roots: list[onnx.GraphProto | onnx.FunctionProto] = [graph]
    while roots:
        for inner in (inner for part in walk_graphs(roots.pop()) for inner in part.node):
            key = (inner.domain, inner.op_type, inner.overload)
            if key in known and key not in wanted:
                wanted[key] = known[key]
                roots.append(known[key])
    return list(wanted.values())


def title(node: onnx.NodeProto) -> str:
    """A node in words: its operator, and its name, or what it makes where it has none."""
    operator = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    if node.name:
        return f"{operator} {node.name!r}"
    return f"{operator} that makes {next(iter(node.output), '')!r}"
