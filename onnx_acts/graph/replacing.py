"""Putting activations in the place of the nodes that were recognised."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.nodes import make_node
from onnx_acts.definition.specs import ELEMENT_TYPES, spec_of
from onnx_acts.definition.validation import accepts
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_graphs
from onnx_acts.graph.folding import FOLDED
from onnx_acts.graph.inlined_bodies import inlined_body
from onnx_acts.graph.kernels import has_standard_kernel
from onnx_acts.graph.matching import Match
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.patterns import DECOMPOSITIONS
from onnx_acts.graph.standard import standard_node
from onnx_acts.graph.view import View

__all__ = ["Choice", "Replacer", "find"]


@dataclasses.dataclass(frozen=True)
class Choice:
    """What the caller wants replaced: see `onnx_acts.accelerate`."""

    ops: frozenset[str]
    approximate: bool
    without_body: frozenset[tuple[str, str | None]] = frozenset()
    """Operators and element types of which the model's opset can have no body."""

    def target(self, match: Match, dtype: str | None, opset: int) -> str | None:
        """Returns the operator that takes the place of a match, None to leave it.

        It is the one of `onnx_acts`, or the standard LeakyRelu. `opset` is the graph's.
        """
        if dtype not in ELEMENT_TYPES or (match.is_approximate and not self.approximate):
            return None
        spec = spec_of(match.operator)
        if match.operator in self.ops or not has_standard_kernel(spec, dtype, opset):
            return None if (spec.name, dtype) in self.without_body else spec.name
        if spec.name == "LeakyReLU" and not match.is_standard:
            return spec.standard_name
        return None


def find(view: View, node: onnx.NodeProto) -> Iterator[Match]:
    """Yields the activations that end in `node` and whose intermediate values nothing else uses.

    Those with an attribute that the operator refuses, such as an alpha that must be positive, are
    left alone.
    """
    if node.domain not in STANDARD_DOMAINS:
        return
    for pattern in (standard_node, inlined_body, *DECOMPOSITIONS.get(node.op_type, ())):
        match = pattern(view, node)
        if match is None or not _has_one_type(view, match) or not _is_private(view, node, match):
            continue
        if accepts(spec_of(match.operator), match.attributes):
            yield match


class Replacer:
    """Replaces in a model what a choice wants.

    Attributes:
        replaced: how often each form was replaced, like {"PRelu -> PReLU": 3}.
    """

    def __init__(self, choice: Choice) -> None:
        """Starts with nothing replaced."""
        self.replaced: Counter[str] = Counter()
        self._choice = choice
        self._freed: set[str] = set()
        self._with_if: set[tuple[str, str]] = set()

    def run(self, model: onnx.ModelProto, view: View) -> None:
        """Replaces in the graph of `model`, which `view` shows, and in its subgraphs."""
        self._with_if = _functions_with_if(model)
        self._replace(view, FreshNames(model))
        if self.replaced:
            _remove_unused(model.graph, self._freed)

    def _replace(self, view: View, names: FreshNames) -> None:
        for inner in view.inner_views():
            self._replace(inner, names)
        gone: set[str] = set()
        is_beside_if = view.outer is not None and view.has_folded_if(self._with_if)
        # Backwards, so that a whole form is seen before its parts, and deletion moves no index.
        for index in reversed(range(len(view.graph.node))):
            node = view.graph.node[index]
            if not gone.isdisjoint(node.output):
                self._freed.update(node.input)
                del view.graph.node[index]
                continue
            for match in find(view, node):
                operator = self._choice.target(match, view.dtype(match.x), view.opset)
                if operator is not None and _may_stand(view, match, operator, is_beside_if):
                    gone.update(match.inner)
                    self._freed.update(node.input)
                    self.replaced[f"{match.form} -> {operator}"] += 1
                    _become(node, match, operator, _slope(view, node, match, operator, names))
                    break
        _forget(view.graph, gone)


def _may_stand(view: View, match: Match, operator: str, is_beside_if: bool) -> bool:
    """Tells whether ONNX Runtime can cope with one of our nodes there.

    A Scan must know how many dimensions its inputs and the outputs of its body have. A standard
    node passes on what ONNX Runtime knows of x; of ours it knows what `embed_functions` writes
    down. In a subgraph of a subgraph it (1.31) mixes up the names of bodies where it takes an If of
    a constant away, and computes wrong numbers. Where it does that in a subgraph (1.17 to 1.32), it
    loses what the If makes if a shape of that is asked for, or several nodes use it, as in a body.
    """
    if operator == spec_of(match.operator).standard_name:
        return True
    is_deep = view.outer is not None and view.outer.outer is not None
    if is_deep or is_beside_if:
        return False
    return not (view.near_scan and view.shape(match.x) is None)


def _functions_with_if(model: onnx.ModelProto) -> set[tuple[str, str]]:
    """The functions of a model that have an If inside, or call one that has."""
    found: set[tuple[str, str]] = set()
    while True:
        new = {
            (function.domain, function.name)
            for function in model.functions
            for graph in walk_graphs(function)
            for node in graph.node
            if node.op_type == "If" or (node.domain, node.op_type) in found
        }
        if new == found:
            return found
        found = new


def _has_one_type(view: View, match: Match) -> bool:
    """Tells whether x and slope have the same element type: conversions in between can hide it."""
    if match.slope is None or view.is_tolerant:
        return True
    slope = match.slope
    dtype = view.dtype(slope) if isinstance(slope, str) else slope.dtype.name
    return dtype == view.dtype(match.x)


def _is_private(view: View, root: onnx.NodeProto, match: Match) -> bool:
    """Tells whether the intermediate values of a match are used in it and nowhere else."""
    makers = [view.maker(name) for name in dict.fromkeys(match.inner)]
    inside = Counter(name for node in (root, *makers) if node is not None for name in node.input)
    return all(view.uses(name) == inside[name] for name in match.inner)


def _slope(
    view: View, root: onnx.NodeProto, match: Match, operator: str, names: FreshNames
) -> str | None:
    """The name of a PReLU's slope; a new constant becomes an initializer."""
    if operator != "PReLU" or match.slope is None or isinstance(match.slope, str):
        return match.slope if isinstance(match.slope, str) else None
    name = names.fresh(f"{root.output[0]}_slope")
    view.graph.initializer.append(numpy_helper.from_array(match.slope, name))
    return name


def _become(node: onnx.NodeProto, match: Match, operator: str, slope: str | None) -> None:
    """Turns the last node of a match into the activation; name, documentation and metadata stay."""
    spec = spec_of(match.operator)
    inputs = [match.x] if spec.parameter_source != "input" else [match.x, slope or ""]
    attributes: dict[str, Any] = dict(match.attributes)
    if operator == spec.standard_name:
        new = helper.make_node(operator, inputs, list(node.output), **attributes)
    else:
        new = make_node(operator, inputs, list(node.output), **attributes)
    del node.input[:], node.attribute[:]
    node.input.extend(new.input)
    node.attribute.extend(new.attribute)
    node.op_type, node.domain = new.op_type, new.domain


def _forget(graph: onnx.GraphProto, names: set[str]) -> None:
    """Removes the type information of values that are gone."""
    for value in list(graph.value_info):
        if value.name in names:
            graph.value_info.remove(value)


def _remove_unused(root: onnx.GraphProto, freed: set[str]) -> None:
    """Removes constants, and nodes that only fold constants, that have lost their last use."""
    graphs = list(walk_graphs(root))
    used = Counter(name for graph in graphs for node in graph.node for name in node.input)
    used.update(value.name for graph in graphs for value in graph.output)
    for graph in reversed(graphs):
        gone: set[str] = set()
        for index in reversed(range(len(graph.node))):
            node = graph.node[index]
            if node.op_type in ("Constant", *FOLDED) and _is_freed(node, freed, used):
                used.subtract(node.input)
                freed.update(node.input)
                gone.update(node.output)
                del graph.node[index]
        inputs = {value.name for value in graph.input}
        for tensor in list(graph.initializer):
            if tensor.name in freed and not used[tensor.name] and tensor.name not in inputs:
                graph.initializer.remove(tensor)
                gone.add(tensor.name)
        _forget(graph, gone)


def _is_freed(node: onnx.NodeProto, freed: set[str], used: Counter[str]) -> bool:
    return all(name in freed and not used[name] for name in node.output)
