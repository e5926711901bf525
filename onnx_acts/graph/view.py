"""One graph as recognition sees it: makers, uses, constants, types and shapes of its values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.definition.known import Shape, dtype_name
from onnx_acts.files.scans import is_scan
from onnx_acts.files.scopes import Values
from onnx_acts.files.sources import Weights
from onnx_acts.files.structure import STANDARD_DOMAINS, subgraphs, walk_graphs
from onnx_acts.graph.folding import FOLDED, LARGEST_CONSTANT, fold, fold_chain

__all__ = ["Array", "View"]

Array = NDArray[Any]

_FOLDING_DEPTH = 8

_SMALL = 1024
"""Elements up to which a constant is kept once it was read."""


class View:
    """A graph, read only.

    Attributes:
        graph: the graph.
        opset: the version of the standard operators.
        outer: the view of the graph around this one, whose values it may use.
        near_scan: the graph is the body of a Scan, stands in one, or is a subgraph that has one.
        is_tolerant: types and shapes are unknown and taken to be suitable (the body of a function,
            which gets them when it is inlined).
    """

    def __init__(
        self,
        graph: onnx.GraphProto,
        typed: onnx.GraphProto,
        opset: int,
        outer: View | None = None,
        is_tolerant: bool = False,
        in_scan: bool = False,
        weights: Weights | None = None,
    ) -> None:
        """Makes a view of `graph`.

        Args:
            graph: the graph.
            typed: the same graph after shape inference.
            opset: see above, as the others.
            outer: see above.
            is_tolerant: see above.
            in_scan: the graph is the body of a Scan or stands in one.
            weights: where the data is that tensors do not have themselves.
        """
        self.graph, self.opset, self.outer, self.is_tolerant = graph, opset, outer, is_tolerant
        self.near_scan = in_scan or (outer is not None and _has_scan(graph))
        self._in_scan = in_scan
        self._weights = weights or Weights()
        self._typed = typed
        self._makers: dict[str, onnx.NodeProto] = {
            name: node for node in graph.node for name in node.output if name
        }
        self._positions = {name: index for index, name in enumerate(self._makers)}
        self._uses: Counter[str] | None = None
        self._users: dict[str, list[onnx.NodeProto]] | None = None
        self._folded: dict[tuple[str, int], Array | None] = {}
        self._small: dict[str, Array | None] = {}
        self._fixed: View | None = None
        self._branched: set[str] | None = None
        self._inputs = {value.name for value in graph.input}
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}
        self._values: Values = Values(typed, None if outer is None else outer._values)

    def fixed(self) -> View | None:
        """Returns a view for which initializers that are graph inputs are constants, too.

        None where there are none of these.
        """
        outer = None if self.outer is None else self.outer.fixed()
        if outer is None and not any(name in self._initializers for name in self._inputs):
            return None
        if self._fixed is None:
            self._fixed = View(
                self.graph,
                self._typed,
                self.opset,
                outer or self.outer,
                self.is_tolerant,
                self._in_scan,
                self._weights,
            )
            self._fixed._inputs -= self._initializers.keys()
        return self._fixed

    def standard_maker(self, name: str, *op_types: str) -> onnx.NodeProto | None:
        """Returns the standard node of this graph that makes `name`, if it is one of `op_types`."""
        node = self._makers.get(name)
        if node is None or node.domain not in STANDARD_DOMAINS or node.op_type not in op_types:
            return None
        return node

    def maker(self, name: str) -> onnx.NodeProto | None:
        """Returns the node of this graph that makes `name`, whatever it is."""
        return self._makers.get(name)

    def position(self, name: str) -> int:
        """Where in the graph a value is made: later ones are higher, -1 is outside of it."""
        return self._positions.get(name, -1)

    def uses(self, name: str) -> int:
        """Counts the uses of a value: as an input here and in subgraphs, and as a graph output.

        They are counted at the first question, when the subgraphs have been dealt with.
        """
        if self._uses is None:
            self._uses = Counter(_used(self.graph))
        return self._uses[name]

    def only_user(self, name: str) -> onnx.NodeProto | None:
        """Returns the node of this graph that uses a value, where there is no other use of it."""
        users = self.users(name)
        return users[0] if len(users) == self.uses(name) == 1 else None

    def users(self, name: str) -> Sequence[onnx.NodeProto]:
        """Returns the nodes of this graph that use a value, once for each input that it is."""
        if self._users is None:
            self._users = {}
            for node in self.graph.node:
                for item in node.input:
                    self._users.setdefault(item, []).append(node)
        return self._users.get(name, ())

    def inner_views(self) -> Iterator[View]:
        """Yields a view of each subgraph, but for those of SequenceMap: ONNX Runtime (1.31) mixes
        up names where it puts function bodies into them.
        """
        for node, typed in zip(self.graph.node, self._typed.node, strict=True):
            if node.op_type == "SequenceMap":
                continue
            for graph, known in zip(subgraphs(node), subgraphs(typed), strict=True):
                in_scan = self._in_scan or is_scan(node)
                yield View(graph, known, self.opset, self, self.is_tolerant, in_scan, self._weights)

    def has_folded_if(self, functions: Container[tuple[str, str]]) -> bool:
        """Tells whether ONNX Runtime may put the nodes of a branch in the place of an If here.

        Args:
            functions: domain and name of those with an If inside, which it puts in first.
        """
        return any(
            (node.domain, node.op_type) in functions
            or (node.op_type == "If" and self._may_be_folded(node.input[0]))
            for node in self.graph.node
        )

    def is_asked_and_branched(self, name: str) -> bool:
        """Tells whether a value's shape is asked for, and a branch of a constant If uses it.

        ONNX Runtime computes the shape early where it knows it, and then may take away what makes
        the value, as it does not see that use.
        """
        if self._branched is None:
            self._branched = {
                used
                for node in self.graph.node
                if node.op_type == "If" and self._may_be_folded(node.input[0])
                for branch in subgraphs(node)
                for used in _used(branch)
            }
        return name in self._branched and any(
            node.op_type in ("Shape", "Size") and name in node.input for node in self.graph.node
        )

    def _may_be_folded(self, name: str) -> bool:
        """Tells whether ONNX Runtime may compute a value when it loads the model.

        It computes nodes of constants, and Shape where it knows the sizes. What it makes of other
        domains and of nodes with subgraphs is not looked at: it may.
        """
        waiting: list[tuple[View, str]] = [(self, name)]
        seen = set(waiting)
        while waiting:
            view, name = waiting.pop()
            found: set[tuple[View, str]] = set()
            node = view._makers.get(name)
            if node is not None:
                is_known = node.domain in STANDARD_DOMAINS and not any(subgraphs(node))
                if is_known and node.op_type != "Shape":
                    found = {(view, item) for item in node.input if item}
            elif name in view._initializers:
                continue
            elif name in view._inputs:
                return False
            elif view.outer is not None:
                found = {(view.outer, name)}
            waiting += found - seen
            seen |= found
        return True

    def dtype(self, name: str) -> str | None:
        """Returns the NumPy name of a value's element type, None where unknown."""
        return self._values[name].dtype

    def shape(self, name: str) -> Shape | None:
        """Returns a value's shape, None where its rank is unknown."""
        return self._values[name].shape

    def constant(self, name: str) -> Array | None:
        """Returns the value of a constant, None for anything else.

        Initializers that are graph inputs can be overridden, and those whose data is in a file
        that is not known are unknown: neither counts as a constant.
        """
        return self._constant(name, 0)

    def constant_shape(self, name: str) -> tuple[int, ...] | None:
        """Returns the shape of a constant, without reading an initializer; None for others."""
        if name in self._initializers and name not in self._inputs:
            tensor = self._initializers[name]
            has_type = dtype_name(tensor.data_type, tensor.name) is not None
            is_known = has_type and self._weights.knows(tensor)
            is_read = is_known and math.prod(tensor.dims) <= LARGEST_CONSTANT
            return tuple(tensor.dims) if is_read else None
        array = self.constant(name)
        return None if array is None else array.shape

    def _stored(self, name: str) -> Array | None:
        """The value of an initializer; small ones are kept once they were read."""
        if name not in self._small:
            array = self._array(self._initializers[name])
            if array is not None and array.size > _SMALL:
                return array
            self._small[name] = array
        return self._small[name]

    def _constant(self, name: str, depth: int) -> Array | None:
        if name in self._inputs or not name:
            return None
        if name in self._initializers:
            return self._stored(name)
        node = self._makers.get(name)
        if node is None:
            return self.outer._constant(name, depth) if self.outer else None
        if node.domain not in STANDARD_DOMAINS or depth > _FOLDING_DEPTH:
            return None
        if node.op_type == "Constant":
            return self._constant_node(node)
        # The depth is part of the key: what is too deep for one question need not be for another.
        if (name, depth) not in self._folded and node.op_type in FOLDED:
            self._folded[name, depth] = self._fold(node, depth)
        return self._folded.get((name, depth))

    def _array(self, tensor: TensorProto) -> Array | None:
        """The value of a tensor, from wherever its data is; None where that is large."""
        if math.prod(tensor.dims) > LARGEST_CONSTANT:
            return None
        if dtype_name(tensor.data_type, tensor.name) is None:
            return None
        loaded = self._weights.loaded(tensor)
        return None if loaded is None else np.asarray(numpy_helper.to_array(loaded))

    def _constant_node(self, node: onnx.NodeProto) -> Array | None:
        """The value of a Constant node."""
        for attribute in node.attribute:
            if attribute.ref_attr_name:
                return None
            if attribute.name == "value":
                return self._array(attribute.t)
            if attribute.name in ("value_float", "value_floats"):
                return np.asarray(helper.get_attribute_value(attribute), np.float32)
            if attribute.name in ("value_int", "value_ints"):
                return np.asarray(helper.get_attribute_value(attribute), np.int64)
        return None

    def _fold(self, node: onnx.NodeProto, depth: int) -> Array | None:
        """Computes a node whose inputs are all constants."""
        values = {name: self._constant(name, depth + 1) for name in node.input if name}
        known = {name: array for name, array in values.items() if array is not None}
        if not known or len(known) < len(values):
            return None
        result = fold(node, known, self.opset)
        if result is None or result.dtype != np.float16:
            return result
        nodes, inputs = self._chain(node)
        return result if len(nodes) == 1 else fold_chain(nodes, inputs, self.opset)

    def _chain(self, last: onnx.NodeProto) -> tuple[list[onnx.NodeProto], dict[str, Array]]:
        """The nodes of this graph that lead to a folded one, in order, and what they start from."""
        nodes: dict[str, onnx.NodeProto] = {}
        inputs: dict[str, Array] = {}

        def visit(node: onnx.NodeProto) -> None:
            for name in filter(None, node.input):
                maker = self._makers.get(name)
                if name in nodes or name in inputs:
                    continue
                if maker is not None and maker.op_type in FOLDED:
                    visit(maker)
                else:
                    value = self.constant(name)
                    assert value is not None  # the last node is a constant, so all before are
                    inputs[name] = value
            nodes[node.output[0]] = node

        visit(last)
        return list(nodes.values()), inputs


def _used(graph: onnx.GraphProto) -> Iterable[str]:
    for inner in walk_graphs(graph):
        for node in inner.node:
            yield from node.input
        for value in inner.output:
            yield value.name


def _has_scan(graph: onnx.GraphProto) -> bool:
    return any(is_scan(node) for inner in walk_graphs(graph) for node in inner.node)
