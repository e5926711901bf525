"""DequantizeLinear, an activation, QuantizeLinear -> the operator on 8 bits that computes the same.

ONNX Runtime's CPU provider has no PRelu and Elu of 8 bits: it runs the three nodes of a quantized
file in float32. Taken is what quantizers write for activations: uint8, and one scale and zero point
for the tensor. Subgraphs are left alone.

Between the activation and QuantizeLinear there may be operators that only move or choose numbers,
as MaxPool does: they get 8 bits. ONNX Runtime computes these, and what follows, in 8 bits by itself
after activations that it knows, and not after one of ours.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import numpy_helper

from onnx_acts.definition.nodes import make_node, read_attributes
from onnx_acts.definition.specs import DOMAIN, QUANTIZED, Spec
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.sources import Weights
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_graphs
from onnx_acts.files.types import inferred
from onnx_acts.graph.deciding import Request
from onnx_acts.graph.fusing import fused_leaky_relu
from onnx_acts.graph.match import Match, fits
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.ordering import sort_nodes
from onnx_acts.graph.standard import standard_node
from onnx_acts.graph.unused import forget_types
from onnx_acts.graph.view import View

__all__ = ["fuse_quantized", "keeps_8_bits"]

_SPECS = {spec.activation: spec for spec in QUANTIZED}
"""The operator on 8 bits for each activation."""

_QUANTIZED = frozenset(_SPECS)


_PLAIN: Mapping[str, int | None] = {
    "axis": None,
    "block_size": 0,
    "saturate": 1,
    "output_dtype": 0,
    "precision": 0,
}
"""Attributes of the pair, and the value that says nothing; the axis of one scale says nothing."""

_MOVED = ("MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")
"""Operators that move or choose numbers: it is the same before QuantizeLinear and after."""

_MAX_POOL_OPSET = 12
"""The first opset whose MaxPool takes 8 bits."""


@dataclasses.dataclass(frozen=True)
class _Found:
    """An activation between the pair.

    Attributes:
        before: DequantizeLinear.
        activation: the activation.
        moved: what stands between the activation and QuantizeLinear, the last one first.
        after: QuantizeLinear.
        match: what the activation is.
        spec: the operator on 8 bits.
    """

    before: onnx.NodeProto
    activation: onnx.NodeProto
    moved: tuple[onnx.NodeProto, ...]
    after: onnx.NodeProto
    match: Match
    spec: Spec

    @property
    def form(self) -> str:
        """What was found and what takes its place, for people."""
        moved = [node.op_type for node in reversed(self.moved)]
        names = ["DequantizeLinear", self.match.form, *moved, "QuantizeLinear"]
        return f"{', '.join(names)} -> {self.spec.name}"


def fuse_quantized(model: onnx.ModelProto, request: Request, weights: Weights) -> Counter[str]:
    """Puts operators on 8 bits in the place of activations between the pair, in place.

    Args:
        model: the model; its graph is changed.
        request: names the activations that are wanted.
        weights: where the data of large tensors is.

    Returns:
        How often each form was replaced.
    """
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        return Counter()
    view = View(model.graph, inferred(model).graph, default_opset(model), weights=weights)
    candidates = [_found(view, node, request) for node in model.graph.node]
    found = [item for item in candidates if item is not None]
    names = FreshNames(model)
    for item in found:
        _fuse(view, item, names)
    if found:
        _remove_unread(model.graph, {item.before.output[0] for item in found})
        sort_nodes(model.graph)
    return Counter(item.form for item in found)


def _found(view: View, after: onnx.NodeProto, request: Request) -> _Found | None:
    """The nodes that end in `after`, where something in their place is wanted."""
    if after.op_type != "QuantizeLinear" or not _is_plain(view, after):
        return None
    name, moved = _before_moving(view, after.input[0])
    activation = view.maker(name)
    match = None if activation is None else _match(view, activation)
    if activation is None or match is None or match.operator not in _QUANTIZED & request.ops:
        return None
    before = view.standard_maker(match.x, "DequantizeLinear")
    if before is None or not _is_plain(view, before) or view.uses(name) != 1:
        return None
    if not _is_slope_taken(view, activation, match, request) or not _is_rising(view, after, moved):
        return None
    return _Found(before, activation, moved, after, match, _SPECS[match.operator])


def keeps_8_bits(view: View, activation: onnx.NodeProto, x: str) -> bool:
    """Tells whether ONNX Runtime moves a QuantizeLinear up to an activation that it knows.

    It does so where the activation comes from DequantizeLinear and numbers are only moved or chosen
    between the two. After a node of ours they would be moved in floating point.

    Args:
        view: the graph.
        activation: the node that makes the activation.
        x: its input.
    """
    if view.standard_maker(x, "DequantizeLinear") is None:
        return False
    name = activation.output[0]
    user = view.only_user(name)
    while user is not None and user.op_type in _MOVED and user.input[0] == name:
        name = user.output[0]
        user = view.only_user(name)
        if user is not None and user.op_type == "QuantizeLinear" and user.input[0] == name:
            return True
    return False


def _before_moving(view: View, name: str) -> tuple[str, tuple[onnx.NodeProto, ...]]:
    """The value from which one comes by moving alone, and the nodes that do, the last one first."""
    moved: list[onnx.NodeProto] = []
    while True:
        node = view.standard_maker(name, *_MOVED)
        if node is None or view.uses(name) != 1 or len(node.output) > 1:
            return name, tuple(moved)
        if node.op_type == "MaxPool" and view.opset < _MAX_POOL_OPSET:
            return name, tuple(moved)
        moved.append(node)
        name = node.input[0]


def _is_rising(view: View, after: onnx.NodeProto, moved: Sequence[onnx.NodeProto]) -> bool:
    """Whether the largest number is also the largest after QuantizeLinear, where that is chosen."""
    scale = view.constant(after.input[1])
    is_known = scale is not None and bool((scale > 0).all())
    return is_known or all(node.op_type != "MaxPool" for node in moved)


def _match(view: View, node: onnx.NodeProto) -> Match | None:
    """A node that is an activation, a standard one or ours."""
    if node.domain != DOMAIN:
        return standard_node(view, node)
    has_slope = len(node.input) > 1
    if has_slope and not fits(view, node.input[1], node.input[0]):
        return None
    return Match(
        form=node.op_type,
        operator=node.op_type,
        x=node.input[0],
        attributes=read_attributes(node),
        slope=node.input[1] if has_slope else None,
    )


def _is_plain(view: View, node: onnx.NodeProto) -> bool:
    """Whether a node of the pair has one scale, float32, and uint8 on its other side."""
    if node.domain not in STANDARD_DOMAINS:
        return False
    integers = node.input[0] if node.op_type == "DequantizeLinear" else node.output[0]
    names = [name for name in node.input[1:] if name]
    return (
        all(_PLAIN.get(item.name, -1) in (None, item.i) for item in node.attribute)
        and view.dtype(integers) == "uint8"
        and view.dtype(names[0]) == "float32"
        and all(view.shape(name) in ((), (1,)) for name in names)
    )


def _is_slope_taken(view: View, node: onnx.NodeProto, match: Match, request: Request) -> bool:
    """Whether a slope, if there is one, is float32 and not better served by a LeakyRelu.

    Not where a number of it is infinite or NaN: a runtime may multiply 0 by that, as ONNX Runtime
    did up to 1.26.
    """
    if match.slope is None:
        return True
    slope = str(match.slope)
    values = view.constant(slope)
    is_finite = values is None or bool(np.isfinite(values).all())
    stays = "LeakyReLU" not in request.ops and fused_leaky_relu(view, node, match) is not None
    return view.dtype(slope) == "float32" and is_finite and not stays


def _fuse(view: View, found: _Found, names: FreshNames) -> None:
    """Turns the activation into the operator on 8 bits; QuantizeLinear goes."""
    graph, activation, after = view.graph, found.activation, found.after
    new = _operator(graph, found, names)
    forget_types(graph, {activation.output[0], *(node.output[0] for node in found.moved)})
    if found.moved:
        new.output[0] = names.fresh(f"{activation.output[0]}_quantized")
        found.moved[-1].input[0] = new.output[0]
        found.moved[0].output[0] = after.output[0]
    graph.node.remove(after)
    activation.CopyFrom(new)


def _operator(graph: onnx.GraphProto, found: _Found, names: FreshNames) -> onnx.NodeProto:
    """The operator on 8 bits, with the name and documentation of the activation."""
    slope = [str(found.match.slope)] if found.match.slope is not None else []
    pair = (found.before, found.after)
    scales = [name for node in pair for name in _scale(graph, node, names)]
    new = make_node(
        found.spec.name,
        [found.before.input[0], *scales, *slope],
        list(found.after.output),
        node_name=found.activation.name,
        **found.match.attributes,
    )
    new.doc_string = found.activation.doc_string
    new.metadata_props.extend(found.activation.metadata_props)
    return new


def _scale(graph: onnx.GraphProto, node: onnx.NodeProto, names: FreshNames) -> list[str]:
    """The names of a node's scale and zero point, which is 0 where it has none."""
    if len(node.input) > 2 and node.input[2]:
        return list(node.input[1:3])
    name = names.fresh(f"{node.input[1]}_zero_point")
    graph.initializer.append(numpy_helper.from_array(np.zeros((), np.uint8), name))
    return [node.input[1], name]


def _remove_unread(graph: onnx.GraphProto, names: set[str]) -> None:
    """Removes the nodes of this graph that make some of these values, where nobody reads them."""
    graphs = list(walk_graphs(graph))
    read = {name for inner in graphs for node in inner.node for name in node.input}
    read |= {value.name for inner in graphs for value in inner.output}
    gone = names - read
    for index in reversed(range(len(graph.node))):
        if not gone.isdisjoint(graph.node[index].output):
            del graph.node[index]
    forget_types(graph, gone)
