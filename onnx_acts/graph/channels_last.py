"""Operators of quantized models on the last axis, where ONNX Runtime has the channels.

ONNX Runtime's CPU computes a quantized convolution with the channels last, writes a Transpose
before it and one after it, and moves these through the graph until two meet and go. It knows no way
through a node of another domain. Such a node is written on the last axis here, between Transposes
that meet those of its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.specs import DOMAIN, spec_of
from onnx_acts.files.embedding import default_opset
from onnx_acts.files.sources import Weights
from onnx_acts.files.types import inferred
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.ordering import sort_nodes
from onnx_acts.graph.unused import forget_types, remove_unused
from onnx_acts.graph.view import Array, View

__all__ = ["move_channels_back", "move_channels_last"]

_SLOPE = "slope"

_FEWEST_DIMENSIONS = 3
"""Of what is convolved: those of one picture or sequence, its channels and one more."""

_PASSED = (
    *("QuantizeLinear", "DequantizeLinear", "Add", "Mul", "Concat", "MaxPool", "AveragePool"),
    *("Relu", "LeakyRelu", "PRelu", "Elu", "Clip", "Sigmoid"),
)
"""Operators that ONNX Runtime moves a Transpose through, as far as they stand between the pair."""


def move_channels_last(model: onnx.ModelProto, weights: Weights) -> Counter[str]:
    """Writes operators of ours between quantized convolutions on the last axis, in place.

    Those on 8 bits, and those in floating point between DequantizeLinear and QuantizeLinear.

    Args:
        model: the model; its graph is changed.
        weights: where the data of large tensors is.

    Returns:
        How many of each operator were moved.
    """
    counts: Counter[str] = Counter()
    if not any(node.op_type == "DequantizeLinear" for node in model.graph.node):
        return counts
    view = View(model.graph, inferred(model).graph, default_opset(model), weights=weights)
    found = [node for node in model.graph.node if node.domain == DOMAIN and _pays(view, node)]
    names = FreshNames(model)
    freed: set[str] = set()
    for node in found:
        slopes = set(node.input[1:])
        rank = len(view.shape(node.input[0]) or ())
        if _transpose_slope(view, node, [0, *range(2, rank), 1], names):
            model.graph.node.extend(_between_transposes(node, rank, names))
            counts[f"{node.op_type} -> {node.op_type} with the channels last"] += 1
            freed |= slopes
    remove_unused(model.graph, freed)
    if counts:
        sort_nodes(model.graph)
    return counts


def _pays(view: View, node: onnx.NodeProto) -> bool:
    """Whether the Transposes around a node would meet others: of a node in floating point, both."""
    spec, x, y = spec_of(node.op_type), node.input[0], node.output[0]
    has_channels = len(view.shape(x) or ()) >= _FEWEST_DIMENSIONS
    if not has_channels or len(node.output) > 1:
        return False
    if not spec.is_quantized:
        before, after = view.standard_maker(x, "DequantizeLinear"), view.only_user(y)
        is_between = after is not None and after.op_type == "QuantizeLinear"
        if before is None or after is None or not is_between or after.input[0] != y:
            return False
        if not _is_before_convolutions(view, y):
            return False
    return _is_after_convolution(view, x)


def _is_before_convolutions(view: View, name: str) -> bool:
    """Tells whether every use of a value ends in a quantized convolution or in a mean, through
    what ONNX Runtime moves a Transpose through.
    """
    waiting, seen = [name], {name}
    while waiting:
        value = waiting.pop()
        users = view.users(value)
        if len(users) < view.uses(value):
            return False
        for node in users:
            is_passed = node.domain == DOMAIN or node.op_type in _PASSED
            if is_passed:
                waiting += sorted(set(node.output) - seen)
                seen.update(node.output)
            elif node.op_type != "ReduceMean" and not any(
                _is_quantized_convolution(view, item) for item in node.output
            ):
                return False
    return True


def _is_after_convolution(view: View, name: str) -> bool:
    """Tells whether a value comes from a quantized convolution, whatever is between them that ONNX
    Runtime moves a Transpose through.
    """
    waiting, seen = [name], {name}
    while waiting:
        value = waiting.pop()
        if _is_quantized_convolution(view, value):
            return True
        node = view.maker(value)
        if node is not None and (node.domain == DOMAIN or node.op_type in _PASSED):
            waiting += sorted(set(node.input) - seen)
            seen.update(node.input)
    return False


def _is_quantized_convolution(view: View, name: str) -> bool:
    """Whether ONNX Runtime computes a value as a convolution of 8 bits.

    Of int8 it makes one where what comes and what goes is quantized, dequantized and used in one
    place each (so in 194 convolutions of 18 networks, on 1.26.0 and 1.31.1); the others it
    computes in floating point.
    """
    node = view.standard_maker(name, "Conv")
    if node is None:
        return False
    pair = [view.standard_maker(item, "DequantizeLinear") for item in node.input[:2]]
    if pair[0] is None or pair[1] is None:
        return False
    x = pair[0].input[0]
    if view.dtype(x) != "int8":
        return True
    after = view.only_user(name)
    if view.standard_maker(x, "QuantizeLinear") is None or after is None:
        return False
    is_quantized = after.op_type == "QuantizeLinear"
    return is_quantized and all(_is_used_once(view, item) for item in (x, after.output[0]))


def _is_used_once(view: View, name: str) -> bool:
    """Whether a tensor of 8 bits is dequantized once, and then used once."""
    user = view.only_user(name)
    if user is None or user.op_type != "DequantizeLinear":
        return False
    return view.uses(user.output[0]) == 1


def _between_transposes(
    node: onnx.NodeProto, rank: int, names: FreshNames
) -> Sequence[onnx.NodeProto]:
    """Puts a node on the last axis, in place; returns the Transposes before and after it."""
    x, y = node.input[0], node.output[0]
    node.input[0], node.output[0] = (names.fresh(f"{name}_channels_last") for name in (x, y))
    order, back = [0, *range(2, rank), 1], [0, rank - 1, *range(1, rank - 1)]
    return [
        helper.make_node("Transpose", [x], [node.input[0]], perm=order),
        helper.make_node("Transpose", [node.output[0]], [y], perm=back),
    ]


def move_channels_back(graph: onnx.GraphProto, view: View, names: FreshNames) -> None:
    """Undoes what `move_channels_last` has done, in place.

    Args:
        graph: the graph.
        view: a view of it.
        names: gives names to slopes.
    """
    made: set[str] = set()
    freed: set[str] = set()
    for node in [item for item in graph.node if item.domain == DOMAIN]:
        before = view.standard_maker(node.input[0], "Transpose")
        after = view.only_user(node.output[0])
        if before is None or after is None or not _are_inverse(before, after):
            continue
        freed |= set(node.input)
        if _transpose_slope(view, node, _order(after), names):
            forget_types(graph, {node.output[0]})
            node.input[0], node.output[0] = before.input[0], after.output[0]
            made.add(after.output[0])
    for index in reversed(range(len(graph.node))):
        if graph.node[index].op_type == "Transpose" and graph.node[index].output[0] in made:
            del graph.node[index]
    remove_unused(graph, freed)


def _are_inverse(before: onnx.NodeProto, after: onnx.NodeProto) -> bool:
    orders = _order(before), _order(after)
    return after.op_type == "Transpose" and np.argsort(orders[0]).tolist() == orders[1] != []


def _order(node: onnx.NodeProto) -> list[int]:
    return [int(axis) for item in node.attribute if item.name == "perm" for axis in item.ints]


def _transpose_slope(
    view: View, node: onnx.NodeProto, order: Sequence[int], names: FreshNames
) -> bool:
    """Gives a node the slope for an X whose axes are in another order; False if it is unknown."""
    inputs = spec_of(node.op_type).inputs
    if _SLOPE not in inputs:
        return True
    place = inputs.index(_SLOPE)
    slope = view.constant(node.input[place])
    if slope is None:
        return False
    if slope.size > 1:
        name = names.fresh(f"{node.input[place]}_transposed")
        array = _transposed(slope, order)
        view.graph.initializer.append(numpy_helper.from_array(array, name))
        node.input[place] = name
    return True


def _transposed(slope: Array, order: Sequence[int]) -> Array:
    """A slope for an X whose axes are in another order, without needless leading sizes of 1."""
    full = slope.reshape((1,) * (len(order) - slope.ndim) + slope.shape).transpose(order)
    leading = next((i for i, size in enumerate(full.shape) if size != 1), full.ndim - 1)
    return np.ascontiguousarray(full.reshape(full.shape[leading:]))
