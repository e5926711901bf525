"""What two nodes have differently in their subgraphs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from onnx_acts.files.structure import standard_opset, subgraphs
from onnx_acts.verifying.arrays import differs
from onnx_acts.verifying.attributes import attributes
from onnx_acts.verifying.bodies import paired_nodes
from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.graphs import Graph, title
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.values import Value

__all__ = ["inner_differences", "is_activation"]

Parameter = Callable[[onnx.NodeProto, Mapping[str, Value], Graph], NDArray[Any] | None]
"""Finds the slope or alpha of a node, among values and what a graph stores."""


def inner_differences(
    guilt: Guilt, model: Graph, reference: Graph, parameter: Parameter
) -> Iterator[tuple[onnx.NodeProto | None, str]]:
    """The differences of each pair of subgraphs, each with the pair's node, None of constants.

    Args:
        guilt: the node.
        model: its graph.
        reference: the reference's.
        parameter: finds a slope or alpha.
    """
    assert guilt.maker is not None
    here = _Inside(guilt.given, model, parameter)
    there = _Inside(guilt.read, reference, parameter)
    yield from _of_bodies(guilt.node, guilt.maker, here, there)


def is_activation(node: onnx.NodeProto | None) -> bool:
    """Whether a node has a slope or an alpha."""
    return node is not None and kind(node) in ("slope", "elu")


@dataclasses.dataclass(frozen=True)
class _Inside:
    """The nodes of one side in a subgraph, or around it.

    Attributes:
        values: those that are known.
        graph: the graph of the model.
        parameter: finds a slope or alpha.
    """

    values: Mapping[str, Value]
    graph: Graph
    parameter: Parameter

    def inside(self, body: onnx.GraphProto) -> _Inside:
        """The same in a subgraph, which has constants of its own."""
        stored = {item.name: numpy_helper.to_array(item) for item in body.initializer}
        return _Inside({**self.values, **stored}, self.graph, self.parameter)


def _of_bodies(
    node: onnx.NodeProto, other: onnx.NodeProto, here: _Inside, there: _Inside
) -> Iterator[tuple[onnx.NodeProto | None, str]]:
    for own, theirs in zip(subgraphs(node), subgraphs(other), strict=False):
        place = f"in its subgraph {own.name!r}" if own.name else "in a subgraph"
        sides = here.inside(own), there.inside(theirs)
        for a, b in paired_nodes(own, theirs):
            if kind(a) != kind(b):
                yield None, f"{place}: {title(a)} here, {title(b)} in the reference"
                break
            for text in _of_pair(a, b, *sides):
                yield a, f"{place}: {title(a)}: {text}"
            for inner, text in _of_bodies(a, b, *sides):
                yield inner, f"{place}: {title(a)}: {text}"
        stored = {item.name: item for item in theirs.initializer}
        for item in own.initializer:
            if item.name in stored:
                arrays = [numpy_helper.to_array(t) for t in (item, stored[item.name])]
                text = differs(arrays[0], arrays[1])
                if text:
                    yield None, f"{place}: {item.name!r} {text}"


def _of_pair(
    node: onnx.NodeProto, other: onnx.NodeProto, here: _Inside, there: _Inside
) -> Iterator[str]:
    """The attributes of two nodes of one kind, or the slope or alpha that stands elsewhere."""
    graphs = here.graph, there.graph
    opsets = standard_opset(graphs[0].source.model), standard_opset(graphs[1].source.model)
    found = [*attributes(node, other, opsets)]
    yield from found
    if found or not is_activation(node):
        return
    a = here.parameter(node, here.values, here.graph)
    b = there.parameter(other, there.values, there.graph)
    if a is None or b is None or not (a.size == b.size or 1 in (a.size, b.size)):
        return
    if a.size != b.size:
        a, b = (np.broadcast_to(x.reshape(-1), max(a.size, b.size)) for x in (a, b))
    text = differs(a, b, 1e-6)  # attributes are of float32
    if text:
        yield f"its {'slope' if kind(node) == 'slope' else 'alpha'} {text}"
