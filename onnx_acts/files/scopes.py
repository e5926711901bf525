"""The values that each graph of a model sees, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from onnx_acts.definition.known import Known, Shape, dtype_name
from onnx_acts.files.structure import subgraphs

__all__ = ["Scope", "Values", "walk_scopes"]


class Values:
    """The values that a graph sees: its own, and those of the graphs around it.

    Subgraphs may use one name for different values, so a name says nothing without the graph.
    """

    def __init__(self, typed: onnx.GraphProto, outer: Values | None = None) -> None:
        """Reads the types of `typed`, a graph after inference."""
        self._outer = outer
        self._own = {value.name for value in typed.input}
        self._own.update(name for node in typed.node for name in node.output if name)
        stored = {tensor.name: tensor for tensor in typed.initializer}
        self._element_types = {name: tensor.data_type for name, tensor in stored.items()}
        # A stored value that is also an input may be replaced by one of another shape.
        self._shapes: dict[str, Shape] = {
            name: tuple(tensor.dims) for name, tensor in stored.items() if name not in self._own
        }
        self._own.update(stored)
        for value in (*typed.input, *typed.output, *typed.value_info):
            kind = value.type.tensor_type
            if kind.elem_type:
                self._element_types[value.name] = kind.elem_type
            if kind.HasField("shape"):
                self._shapes.setdefault(value.name, _shape_of(kind.shape))

    def __getitem__(self, name: str) -> Known:
        """What is known of a value.

        Raises:
            ValueError: it has an element type that onnx does not know.
        """
        if name in self._own or name in self._element_types or self._outer is None:
            dtype = dtype_name(self._element_types.get(name, onnx.TensorProto.UNDEFINED), name)
            return Known(dtype, self._shapes.get(name))
        return self._outer[name]


Scope = tuple[onnx.GraphProto, Values, onnx.NodeProto | None]
"""A graph, the values that it sees, and the node whose subgraph it is."""


def walk_scopes(
    graph: onnx.GraphProto,
    typed: onnx.GraphProto,
    outer: Values | None = None,
    owner: onnx.NodeProto | None = None,
) -> Iterator[Scope]:
    """Yields a graph and its subgraphs, outer ones first.

    Args:
        graph: the graph.
        typed: the same graph after inference.
        outer: the values around it.
        owner: the node whose subgraph it is.
    """
    values = Values(typed, outer)
    yield graph, values, owner
    for node, copy in zip(graph.node, typed.node, strict=True):
        for inner, known in zip(subgraphs(node), subgraphs(copy), strict=True):
            yield from walk_scopes(inner, known, values, node)


def _shape_of(shape: onnx.TensorShapeProto) -> Shape:
    """A shape as a tuple; exporters also write a negative size where it is unknown."""
    return tuple(
        (int(size.dim_value) if size.dim_value >= 0 else None)
        if size.HasField("dim_value")
        else size.dim_param or None
        for size in shape.dim
    )
