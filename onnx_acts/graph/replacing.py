"""Putting activations in the place of the nodes that were recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.nodes import make_node
from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.definition.validation import accepts
from onnx_acts.files.structure import STANDARD_DOMAINS, subgraphs, walk_graphs
from onnx_acts.graph.deciding import Decision, Left, Report, Request, not_asked_for
from onnx_acts.graph.fusing import fused_leaky_relu, is_wrongly_fused
from onnx_acts.graph.inlined_bodies import inlined_body
from onnx_acts.graph.match import Match, Reshaped
from onnx_acts.graph.meaning import recognised
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.quantized import keeps_8_bits
from onnx_acts.graph.standard import standard_node, standard_spec
from onnx_acts.graph.unused import forget_types, remove_unused
from onnx_acts.graph.view import View

__all__ = ["Replacer", "find"]


def find(view: View, node: onnx.NodeProto) -> Iterator[Match]:
    """Yields the activations that end in `node` and that one node can take the place of."""
    return (match for match, obstacle in _candidates(view, node) if not obstacle)


def _candidates(view: View, node: onnx.NodeProto) -> Iterator[tuple[Match, str]]:
    """Yields the activations that end in `node`, each with what speaks against replacing it."""
    if node.domain not in STANDARD_DOMAINS:
        return
    for pattern in (standard_node, inlined_body, recognised):
        match = pattern(view, node)
        if match is not None:
            yield match, _obstacle(view, node, match)


def _obstacle(view: View, root: onnx.NodeProto, match: Match) -> str:
    """What keeps any node from taking a match's place; empty where nothing does."""
    if match.obstacle:
        return match.obstacle
    if not _has_one_type(view, match):
        return "x and slope are not known to have one element type"
    if keeps_8_bits(view, root, match.x):
        return "ONNX Runtime would move numbers in float32 after it (--unsigned may help)"
    if not _is_private(view, root, match):
        return "a value inside it is used elsewhere"
    if not accepts(spec_of(match.operator), match.attributes):
        return f"{match.operator} does not take its parameters"
    return ""


_OF_ANOTHER_OPSET = "it is in a function of another opset"
_WRONGLY_FUSED = (
    "ONNX Runtime does not load a LeakyRelu between DequantizeLinear and QuantizeLinear with"
    " several scales: it fuses them all the same"
)
_FITS_NO_CALLER = "it is in a function, of no element type in this model that onnx_acts has"


class Replacer:
    """Replaces in a model what a request asks for.

    Attributes:
        report: what was replaced, and what stays.
    """

    def __init__(self, request: Request) -> None:
        """Starts with nothing replaced."""
        self.report = Report()
        self._request = request
        self._freed: set[str] = set()
        self._with_if: set[tuple[str, str]] = set()

    def run(
        self, model: onnx.ModelProto, view: View, foreign: Collection[tuple[str, str]] = ()
    ) -> None:
        """Replaces in a graph and in its subgraphs.

        Args:
            model: the model of the graph.
            view: the graph.
            foreign: domain and name of the functions that stay because of their opset.
        """
        self._with_if = _functions_with_if(model)
        self._replace(view, FreshNames(model))
        if self.report.replaced:
            remove_unused(model.graph, self._freed)
        for function in model.functions:
            if function.domain != DOMAIN:
                is_foreign = (function.domain, function.name) in foreign
                self._leave(function, _OF_ANOTHER_OPSET if is_foreign else _FITS_NO_CALLER)

    def _replace(self, view: View, names: FreshNames) -> None:
        for inner in view.inner_views():
            self._replace(inner, names)
        gone: set[str] = set()
        told: set[str] = set()
        wrong_place = self._wrong_place(view)
        # Backwards, so that a whole form is seen before its parts, and deletion moves no index.
        for index in reversed(range(len(view.graph.node))):
            node = view.graph.node[index]
            if not gone.isdisjoint(node.output):
                self._freed.update(node.input)
                del view.graph.node[index]
                continue
            chosen = self._chosen(view, node, wrong_place, told)
            if chosen is not None:
                match, operator = chosen
                gone.update(match.inner)
                self._freed.update(node.input)
                self.report.replaced[f"{match.form} -> {operator}"] += 1
                _become(node, match, operator, _slope(view, node, match, operator, names))
        forget_types(view.graph, gone)

    def _wrong_place(self, view: View) -> str:
        """What speaks against our nodes in a graph.

        In a subgraph of a subgraph ONNX Runtime (1.31) mixes up the names of bodies where it takes
        an If of a constant away, and computes wrong numbers. Where it does that in a subgraph (1.17
        to 1.32), it loses what the If makes if a shape of that is asked for, or several nodes use
        it, as in a body.
        """
        if view.outer is None:
            return ""
        if view.outer.outer is not None:
            return "it is in a subgraph of a subgraph"
        is_beside_if = view.has_folded_if(self._with_if)
        return "it is beside an If of a constant in a subgraph" if is_beside_if else ""

    def _chosen(
        self, view: View, node: onnx.NodeProto, wrong_place: str, told: set[str]
    ) -> tuple[Match, str] | None:
        """The match that is replaced and by what; where there is none, notes what stays.

        Of near misses in a match that stays nothing is told: `told` are the values inside those.
        """
        left: list[Left] = []
        for found, obstacle in _candidates(view, node):
            if found.is_near_miss and not told.isdisjoint(node.output):
                continue
            match, decision = self._decided(view, node, found)
            if decision.operator is not None:
                lost = "" if view.outer else _lost(view, node)
                decision = _settled(view, match, decision.operator, obstacle, wrong_place or lost)
            if decision.operator is not None:
                return match, decision.operator
            left.append(Left(match.form, match.operator, decision.reason))
            told.update(match.inner)
        spec = standard_spec(node)
        if not left and spec is not None:
            is_asked = spec.name in self._request.ops
            why = "its slope might enlarge x" if is_asked else not_asked_for(spec.name)
            left.append(Left(node.op_type, spec.name, why))
        self.report.left.update(left[:1])
        if node.op_type == "SequenceMap":
            for graph in subgraphs(node):
                self._leave(graph, "it is in a SequenceMap")
        return None

    def _decided(self, view: View, node: onnx.NodeProto, match: Match) -> tuple[Match, Decision]:
        """What becomes of a match, and the match itself or what it is at its place."""
        decision = self._request.decide(match, view.dtype(match.x), view.opset)
        if decision.operator == "PReLU" and "LeakyReLU" not in self._request.ops:
            fused = fused_leaky_relu(view, node, match)
            if fused is not None:
                return fused, Decision(spec_of(fused.operator).standard_name)
        if decision.operator == "LeakyRelu" and is_wrongly_fused(view, node, match.x):
            return match, Decision(None, _WRONGLY_FUSED)
        return match, decision

    def _leave(self, root: onnx.GraphProto | onnx.FunctionProto, reason: str) -> None:
        """Notes the standard nodes of a graph or function in which nothing is replaced."""
        for node in (node for graph in walk_graphs(root) for node in graph.node):
            spec = standard_spec(node)
            if spec is not None:
                is_asked = spec.name in self._request.ops
                why = reason if is_asked else not_asked_for(spec.name)
                self.report.left[Left(node.op_type, spec.name, why)] += 1


def _settled(view: View, match: Match, operator: str, obstacle: str, wrong_place: str) -> Decision:
    """Whether ONNX Runtime can cope with a node of `operator` in the place of a match.

    A Scan must know how many dimensions its inputs and the outputs of its body have. A standard
    node passes on what ONNX Runtime knows of x; of ours it knows what `embed_functions` writes
    down.
    """
    if obstacle:
        return Decision(None, obstacle)
    if operator == spec_of(match.operator).standard_name:
        return Decision(operator)
    if wrong_place:
        return Decision(None, wrong_place)
    if view.near_scan and view.shape(match.x) is None:
        return Decision(None, "it is in or beside a Scan, with an unknown number of dimensions")
    return Decision(operator)


def _lost(view: View, root: onnx.NodeProto) -> str:
    """What speaks against a node of ours, whose shape ONNX Runtime would know, in the outer graph.

    It (1.17 to 1.32) refuses the model where it can compute a Shape early and the same value goes
    into a branch of an If of a constant, without our nodes too.
    """
    is_lost = view.is_asked_and_branched(root.output[0])
    return "its shape is asked for, and a branch of an If of a constant uses it" if is_lost else ""


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
    slope = match.slope.name if isinstance(match.slope, Reshaped) else match.slope
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
    if not isinstance(match.slope, Reshaped):
        view.graph.initializer.append(numpy_helper.from_array(match.slope, name))
        return name
    shape = names.fresh(f"{name}_shape")
    sizes = np.array(match.slope.shape, np.int64)
    view.graph.initializer.append(numpy_helper.from_array(sizes, shape))
    index = next(i for i, node in enumerate(view.graph.node) if node.output == root.output)
    view.graph.node.insert(index, helper.make_node("Reshape", [match.slope.name, shape], [name]))
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
