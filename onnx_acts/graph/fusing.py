"""PReLU with one slope, where ONNX Runtime fuses a LeakyRelu with the nodes beside it.

A PReLU with one slope is a LeakyRelu, bit for bit. After a convolution ONNX Runtime's CPU provider
computes a LeakyRelu while the convolution writes its results; between DequantizeLinear and
QuantizeLinear it computes one in 8 bits. It does neither with a PRelu, nor with a node of another
domain. In 8 bits it (1.17 to 1.32) also does so where it cannot: with a scale for each channel the
model no longer loads.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator

import onnx
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_nodes
from onnx_acts.files.types import inferred
from onnx_acts.graph.match import Match
from onnx_acts.graph.unused import remove_unused
from onnx_acts.graph.view import View

__all__ = ["fuse_prelus", "fused_leaky_relu", "is_wrongly_fused"]

_EIGHT_BITS: tuple[set[str | None], ...] = ({"int8"}, {"uint8"})


def fused_leaky_relu(view: View, root: onnx.NodeProto, match: Match) -> Match | None:
    """The same activation as a LeakyReLU that will be fused; None where it will not be.

    Args:
        view: the graph.
        root: the node that makes the activation.
        match: a PReLU that ends there.
    """
    place = _place(view, root, match.x)
    alpha = _one_slope(view, match) if place else None
    if alpha is None:
        return None
    return dataclasses.replace(
        match,
        form=f"{match.form} of one slope {place}",
        operator="LeakyReLU",
        attributes={"alpha": alpha},
        slope=None,
        is_standard=False,
    )


def fuse_prelus(model: onnx.ModelProto) -> Counter[str]:
    """Turns `onnx_acts` PReLU nodes into the LeakyRelu nodes that will be fused, in place.

    Returns:
        How many of each kind there were, like {"PReLU of one slope after Conv": 2}.
    """
    counts: Counter[str] = Counter()
    if not any(_is_prelu(node) for node in walk_nodes(model)):
        return counts
    freed: set[str] = set()
    graph = View(model.graph, inferred(model).graph, default_opset(model))
    for view in _views(graph):
        for node in view.graph.node:
            if not _is_prelu(node):
                continue
            match = Match("PReLU", "PReLU", node.input[0], slope=node.input[1])
            fused = fused_leaky_relu(view, node, match)
            if fused is not None:
                counts[fused.form] += 1
                freed.add(node.input[1])
                node.CopyFrom(_as_leaky_relu(node, fused))
    remove_unused(model.graph, freed)
    return counts


def _is_prelu(node: onnx.NodeProto) -> bool:
    return (node.domain, node.op_type) == (DOMAIN, "PReLU")


def _as_leaky_relu(node: onnx.NodeProto, fused: Match) -> onnx.NodeProto:
    """The standard node; its name, documentation and metadata are those of `node`."""
    attribute = helper.make_attribute("alpha", fused.attributes["alpha"])
    new = onnx.NodeProto()
    new.CopyFrom(node)
    del new.input[1:], new.attribute[:]
    new.attribute.append(attribute)
    new.op_type, new.domain = "LeakyRelu", ""
    return new


def _views(view: View) -> Iterator[View]:
    yield view
    for inner in view.inner_views():
        yield from _views(inner)


def is_wrongly_fused(view: View, root: onnx.NodeProto, x: str) -> bool:
    """Tells whether ONNX Runtime would not load a LeakyRelu of x in the place of `root`.

    It makes a QLinearLeakyRelu of it, which has one scale for all of x and one for all of y.
    """
    pair = _quantized_around(view, root, x)
    return pair is not None and not all(_has_one_scale(view, node) for node in pair)


def _place(view: View, root: onnx.NodeProto, x: str) -> str:
    """Where a LeakyRelu would be fused, for people; empty where it would not be."""
    if view.dtype(x) != "float32":
        return ""  # neither the fused convolution nor the alpha of a LeakyRelu has another type
    if _is_convolution(view, x):
        return "after Conv"
    pair = _quantized_around(view, root, x)
    if pair is None or not all(_has_one_scale(view, node) for node in pair):
        return ""
    narrow = {view.dtype(pair[0].input[0]), view.dtype(pair[1].output[0])}
    return "in 8 bits" if narrow in _EIGHT_BITS else ""


def _quantized_around(
    view: View, root: onnx.NodeProto, x: str
) -> tuple[onnx.NodeProto, onnx.NodeProto] | None:
    """The DequantizeLinear that makes x, and the QuantizeLinear that alone takes the result."""
    before, after = view.standard_maker(x, "DequantizeLinear"), view.only_user(root.output[0])
    if before is None or after is None or after.input[0] != root.output[0]:
        return None
    is_standard = after.op_type == "QuantizeLinear" and after.domain in STANDARD_DOMAINS
    return (before, after) if is_standard else None


def _has_one_scale(view: View, node: onnx.NodeProto) -> bool:
    """Tells whether scale and zero point are constants of one element."""
    shapes = [view.constant_shape(name) for name in node.input[1:] if name]
    return all(shape is not None and math.prod(shape) == 1 for shape in shapes)


def _is_convolution(view: View, name: str) -> bool:
    """Tells whether a value is a convolution's result that nothing else uses.

    A BatchNormalization in between becomes a part of the convolution, if both are of constants.
    """
    node = view.standard_maker(name, "Conv", "BatchNormalization")
    if node is None or view.uses(name) != 1 or len(node.output) != 1:
        return False
    if node.op_type == "Conv":
        return True
    before = view.standard_maker(node.input[0], "Conv")
    if before is None or view.uses(node.input[0]) != 1:
        return False
    parameters = [item for item in (*node.input[1:], *before.input[1:]) if item]
    return all(view.constant_shape(item) is not None for item in parameters)


def _one_slope(view: View, match: Match) -> float | None:
    """The slope, where it is one finite number that the file says."""
    values = view.constant(match.slope) if isinstance(match.slope, str) else None
    if values is None or values.size != 1:
        return None
    slope = float(values.reshape(-1)[0])
    return slope if math.isfinite(slope) else None
