"""DequantizeLinear, an activation, QuantizeLinear -> the operator on 8 bits that computes the same.

ONNX Runtime's CPU provider has no PRelu and Elu of 8 bits: it runs the three nodes of a quantized
file in float32. Taken is what quantizers write for activations: uint8, and one scale and zero point
for the tensor. Subgraphs are left alone.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

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
from onnx_acts.graph.match import Match, fits
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.standard import standard_node
from onnx_acts.graph.view import View

__all__ = ["fuse_quantized"]

_QUANTIZED = {spec.activation: spec for spec in QUANTIZED}
"""The operator on 8 bits for each activation."""

_PLAIN = {"axis": None, "block_size": 0, "saturate": 1, "output_dtype": 0, "precision": 0}
"""Attributes of the pair, and the value that says nothing; the axis of one scale says nothing."""


@dataclasses.dataclass(frozen=True)
class _Found:
    """An activation between the pair, and the operator that takes the place of the three."""

    before: onnx.NodeProto
    activation: onnx.NodeProto
    after: onnx.NodeProto
    match: Match
    spec: Spec

    @property
    def form(self) -> str:
        return f"DequantizeLinear, {self.match.form}, QuantizeLinear -> {self.spec.name}"


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
    candidates = (_found(view, node) for node in model.graph.node)
    found = [
        item for item in candidates if item is not None and item.spec.activation in request.ops
    ]
    names = FreshNames(model)
    for item in found:
        _fuse(model.graph, view, item, names)
    if found:
        _remove_unread(model.graph, {item.before.output[0] for item in found})
    return Counter(item.form for item in found)


def _found(view: View, after: onnx.NodeProto) -> _Found | None:
    """The three nodes that end in `after`."""
    if after.op_type != "QuantizeLinear" or not _is_plain(view, after, "uint8"):
        return None
    activation = view.maker(after.input[0])
    match = activation and _match(view, activation)
    if activation is None or match is None or match.operator not in _QUANTIZED:
        return None
    before = view.standard_maker(match.x, "DequantizeLinear")
    if before is None or not _is_plain(view, before, "uint8"):
        return None
    has_one_use = view.uses(activation.output[0]) == 1
    is_single = match.slope is None or _is_single_and_finite(view, str(match.slope))
    spec = _QUANTIZED[match.operator]
    return _Found(before, activation, after, match, spec) if has_one_use and is_single else None


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


def _is_plain(view: View, node: onnx.NodeProto, dtype: str) -> bool:
    """Whether a node of the pair has one scale, float32, and integers of an element type."""
    if node.domain not in STANDARD_DOMAINS:
        return False
    integers = node.input[0] if node.op_type == "DequantizeLinear" else node.output[0]
    has_plain_attributes = all(_PLAIN[item.name] in (None, item.i) for item in node.attribute)
    names = [name for name in node.input[1:] if name]
    return (
        has_plain_attributes
        and view.dtype(integers) == dtype
        and view.dtype(names[0]) == "float32"
        and all(view.shape(name) in ((), (1,)) for name in names)
    )


def _is_single_and_finite(view: View, slope: str) -> bool:
    """Whether a slope is float32, and no number of it is known to be infinite or NaN.

    The product of those with 0 is NaN where a runtime computes it, which ONNX Runtime did to 1.26.
    """
    values = view.constant(slope)
    return view.dtype(slope) == "float32" and (values is None or bool(np.isfinite(values).all()))


def _fuse(graph: onnx.GraphProto, view: View, found: _Found, names: FreshNames) -> None:
    """Puts the operator in the place of QuantizeLinear; the activation goes."""
    before, after = found.before, found.after
    slope = [str(found.match.slope)] if found.match.slope is not None else []
    scales = [name for node in (before, after) for name in _scale(graph, node, names)]
    new = make_node(
        found.spec.name,
        [before.input[0], *scales, *slope],
        [after.output[0]],
        node_name=found.activation.name,
        **found.match.attributes,
    )
    new.doc_string = found.activation.doc_string
    new.metadata_props.extend(found.activation.metadata_props)
    gone = set(found.activation.output)
    graph.node.remove(found.activation)
    after.CopyFrom(new)
    _forget(graph, gone)


def _scale(graph: onnx.GraphProto, node: onnx.NodeProto, names: FreshNames) -> list[str]:
    """The names of a node's scale and zero point, which is 0 where it has none."""
    if len(node.input) > 2 and node.input[2]:
        return list(node.input[1:3])
    name = names.fresh(f"{node.input[1]}_zero_point")
    graph.initializer.append(numpy_helper.from_array(np.zeros((), np.uint8), name))
    return [node.input[1], name]


def _remove_unread(graph: onnx.GraphProto, names: set[str]) -> None:
    """Removes the nodes whose only outputs are among `names`, where nobody reads them any more."""
    graphs = list(walk_graphs(graph))
    read = {name for inner in graphs for node in inner.node for name in node.input}
    read |= {value.name for inner in graphs for value in inner.output}
    gone = names - read
    kept = [node for node in graph.node if gone.isdisjoint(node.output)]
    copies = onnx.GraphProto(node=kept)
    del graph.node[:]
    graph.node.extend(copies.node)
    _forget(graph, gone)


def _forget(graph: onnx.GraphProto, names: set[str]) -> None:
    """Removes the type information of values that are gone."""
    for value in [item for item in graph.value_info if item.name in names]:
        graph.value_info.remove(value)
