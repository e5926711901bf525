"""Activations as they stood before `accelerate` wrote them in another way.

It computes activations on the last axis, between two Transposes, and puts one node on 8 bits in the
place of DequantizeLinear, activation and QuantizeLinear. The nodes around have no counterparts in
the file that it was made from; the activation has.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import onnx

from onnx_acts.verifying.candidates import kind
from onnx_acts.verifying.counterparts import Counterparts
from onnx_acts.verifying.explaining import slope_input, value_of
from onnx_acts.verifying.graphs import Graph, names_read
from onnx_acts.verifying.guilt import Guilt
from onnx_acts.verifying.quantities import is_converting
from onnx_acts.verifying.values import Value

__all__ = ["Activation", "Rewritten"]

_KINDS = ("slope", "elu", "relu")
_CONVERTING = ("QuantizeLinear", "DequantizeLinear")


@dataclasses.dataclass(frozen=True)
class Activation:
    """The activation that makes a value, itself or with nodes around it.

    Attributes:
        index: its place.
        node: the node.
        x: what it makes that of: before a Transpose that is around it.
        order: the axes of its output in the order of the value; empty without Transposes.
        sources: x, and what x was before it was converted.
    """

    index: int
    node: onnx.NodeProto
    x: str
    order: tuple[int, ...]
    sources: Collection[str]

    @property
    def is_rewritten(self) -> bool:
        """Whether it is written in another way than in a network of floats."""
        return bool(self.order) or self.node.op_type.startswith("QLinear")

    def turned(self, slope: Value) -> Value:
        """The slope for the axes in the order of the value."""
        if not self.order or not isinstance(slope, np.ndarray) or slope.size <= 1:
            return slope
        shape = (1,) * (len(self.order) - slope.ndim) + slope.shape
        return np.ascontiguousarray(slope.reshape(shape).transpose(self.order))


class Rewritten:
    """The activations of two graphs, by the values that they make."""

    def __init__(self, model: Graph, reference: Graph) -> None:
        """Looks for them."""
        self._graphs = model, reference
        self._own, self._theirs = (dict(_activations(graph)) for graph in self._graphs)

    def kept(self) -> dict[str, int]:
        """Values that are asked for behind their readers: each with the place of the last node."""
        nodes = self._graphs[0].nodes
        makers = {name: i for i, node in enumerate(nodes) for name in node.output}
        found: dict[str, int] = {}
        for name, item in self._own.items():
            for read in (item.x, *names_read(item.node)):
                found[read] = max(makers[name], found.get(read, 0))
        return found

    def pair(self, known: Counterparts, suspect: Guilt) -> Guilt | None:
        """A value and its counterpart as those of the activations that make them.

        Returns:
            The suspect with the two activations; None where they are those already, or do not read
            the same.
        """
        own, theirs = self._own.get(suspect.output), self._theirs.get(suspect.counterpart)
        if own is None or theirs is None or suspect.maker is None:
            return None
        direct = suspect.node.output[0], suspect.maker.output[0]
        if direct == (own.node.output[0], theirs.node.output[0]):
            if known.reads_alike(suspect.node, suspect.maker):
                return None
        elif not (own.is_rewritten or theirs.is_rewritten):
            return None
        if {known.matches.get(name) for name in own.sources}.isdisjoint(theirs.sources):
            return None
        node, maker = (_reading(item.node, item.x) for item in (own, theirs))
        read = {name: known.values[name] for name in names_read(maker) if name in known.values}
        given = known.lanes.values["fed"]
        short = known.rounding["fed"].quantized.intersection(names_read(node))
        bounds = known.lanes.bounds
        return dataclasses.replace(
            suspect,
            index=own.index,
            node=node,
            maker=maker,
            counterpart=suspect.counterpart if theirs.is_rewritten else maker.output[0],
            given={name: given[name] for name in names_read(node) if name in given}
            | dict(suspect.given),
            turned=_turned(own, given, self._graphs[0]),
            read=read | _turned(theirs, read, self._graphs[1]),
            quantized={name: bounds[name][0].step if name in bounds else 0.0 for name in short},
            fixed=frozenset(known.lanes.constant.intersection(names_read(node))),
            is_sure=True,
        )


def _turned(item: Activation, given: Mapping[str, Value], graph: Graph) -> dict[str, Value]:
    """The slope of an activation between Transposes, by its name."""
    name = slope_input(item.node)
    slope = None if name is None or not item.order else value_of(name, given, graph)
    return {} if name is None or slope is None else {name: item.turned(slope)}


def _reading(node: onnx.NodeProto, x: str) -> onnx.NodeProto:
    """A copy of a node that reads another value first."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[0] = x
    return copy


def _activations(graph: Graph) -> Iterator[tuple[str, Activation]]:
    """The activations of a graph, by each value that they make, as it is or quantized."""
    nodes = graph.nodes
    makers = {name: node for node in nodes for name in node.output if name}
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in nodes:
        for name in names_read(node):
            readers[name].append(node)
    for index, node in enumerate(nodes):
        if kind(node) not in _KINDS or not node.input:
            continue
        x, y = node.input[0], node.output[0]
        order: tuple[int, ...] = ()
        before, after = makers.get(x), readers[y]
        if before is not None and len(after) == 1 and _are_inverse(before, after[0]):
            x, y, order = before.input[0], after[0].output[0], tuple(_order(after[0]))
        found = Activation(index, node, x, order, _sources(x, makers))
        waiting = [y]
        while waiting:
            name = waiting.pop()
            yield name, found
            waiting += [
                reader.output[0]
                for reader in readers[name]
                if reader.op_type in _CONVERTING and reader.input[0] == name
            ]


def _are_inverse(before: onnx.NodeProto, after: onnx.NodeProto) -> bool:
    """Whether two nodes are Transposes of which the second undoes the first."""
    if {before.op_type, after.op_type} != {"Transpose"}:
        return False
    return [*map(int, np.argsort(_order(before)))] == _order(after) != []


def _order(node: onnx.NodeProto) -> list[int]:
    return [int(axis) for item in node.attribute if item.name == "perm" for axis in item.ints]


def _sources(x: str, makers: Mapping[str, onnx.NodeProto]) -> list[str]:
    """A value, and what it was before it was converted."""
    found = [x]
    while (maker := makers.get(found[-1])) is not None and is_converting(maker):
        found.append(maker.input[0])
    return found
