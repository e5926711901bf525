"""PReLU with one slope, where ONNX Runtime fuses a LeakyRelu with the nodes beside it.

A PReLU with one slope is a LeakyRelu, bit for bit. After a convolution ONNX Runtime computes a
LeakyRelu while the convolution writes its results; between DequantizeLinear and QuantizeLinear it
computes one in 8 bits. It does neither with a PRelu, nor with a node of another domain.
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
from onnx_acts.files.types import inferred
from onnx_acts.graph.match import Match
from onnx_acts.graph.unused import remove_unused
from onnx_acts.graph.view import View

__all__ = ["fuse_prelus", "fused_leaky_relu"]

_EIGHT_BITS = ("int8", "uint8")


def fused_leaky_relu(view: View, root: onnx.NodeProto, match: Match) -> Match | None:
    """The same activation as a LeakyReLU that will be fused; None where it will not be.

    Args:
        view: the graph.
        root: the node that makes the activation.
        match: a PReLU that ends there.
    """
    place = _place(view, root, match)
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
    freed: set[str] = set()
    graph = View(model.graph, inferred(model).graph, default_opset(model))
    for view in _views(graph):
        for node in view.graph.node:
            if (node.domain, node.op_type) != (DOMAIN, "PReLU"):
                continue
            match = Match("PReLU", "PReLU", node.input[0], slope=node.input[1])
            fused = fused_leaky_relu(view, node, match)
            if fused is not None:
                counts[fused.form] += 1
                freed.add(node.input[1])
                node.CopyFrom(_as_leaky_relu(node, fused))
    remove_unused(model.graph, freed)
    return counts


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


def _place(view: View, root: onnx.NodeProto, match: Match) -> str:
    """Where a LeakyRelu would be fused, for people; empty where it would not be."""
    if view.dtype(match.x) != "float32":
        return ""  # neither the fused convolution nor the alpha of a LeakyRelu has another type
    if _is_convolution(view, match.x):
        return "after Conv"
    before = view.standard_maker(match.x, "DequantizeLinear")
    after = view.only_user(root.output[0])
    is_between = after is not None and after.op_type == "QuantizeLinear"
    if before is None or not is_between or view.dtype(before.input[0]) not in _EIGHT_BITS:
        return ""
    return "in 8 bits"


def _is_convolution(view: View, name: str) -> bool:
    """Tells whether a value is a convolution's result that nothing else uses.

    A BatchNormalization in between becomes a part of the convolution.
    """
    node = view.standard_maker(name, "Conv", "BatchNormalization")
    while node is not None and view.uses(node.output[0]) == 1 and len(node.output) == 1:
        if node.op_type == "Conv":
            return True
        node = view.standard_maker(node.input[0], "Conv")
    return False


def _one_slope(view: View, match: Match) -> float | None:
    """The slope, where it is one finite number that the file says."""
    values = view.constant(match.slope) if isinstance(match.slope, str) else None
    if values is None or values.size != 1:
        return None
    slope = float(values.reshape(-1)[0])
    return slope if math.isfinite(slope) else None
