"""int8 activations -> uint8, bit for bit: integers and zero points are 128 more.

ONNX Runtime's CPU has its fast convolutions, and this package its operators on 8 bits, for uint8
activations alone. (q - z) * scale is the same of q + 128 and z + 128, and QuantizeLinear saturates
at the same real numbers. Weights stay int8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from onnx_acts.files.embedding import default_opset
from onnx_acts.files.sources import Weights
from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.files.types import inferred
from onnx_acts.graph.names import FreshNames
from onnx_acts.graph.unused import remove_unused
from onnx_acts.graph.view import Array, View

__all__ = ["make_unsigned"]

_FORM = "int8 activation -> uint8"
_OFFSET = 128

_Nodes = Sequence[onnx.NodeProto]


def make_unsigned(model: onnx.ModelProto, weights: Weights) -> Counter[str]:
    """Makes int8 activations uint8, in place.

    They are what QuantizeLinear makes and DequantizeLinear alone reads. Those with a zero point
    that is no constant stay, and so do outputs of the model and values in subgraphs.

    Args:
        model: the model; its graph is changed.
        weights: where the data of large tensors is.

    Returns:
        How many became uint8.
    """
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        return Counter()
    view = View(model.graph, inferred(model).graph, default_opset(model), weights=weights)
    names = FreshNames(model)
    stored: dict[str, str] = {}
    found = 0
    for nodes in _activations(view):
        zeros = [_zero_point(view, node) for node in nodes]
        if any(zero is None for zero in zeros):
            continue
        for node, zero in zip(nodes, zeros, strict=True):
            old = node.input[2] if len(node.input) > 2 else ""
            key = old or f"{node.input[1]}_zero_point"
            if key not in stored:
                stored[key] = names.fresh(f"{key}_uint8")
                unsigned = (np.asarray(zero, np.int16) + _OFFSET).astype(np.uint8)
                view.graph.initializer.append(numpy_helper.from_array(unsigned, stored[key]))
            node.input[:] = [*node.input[:2], stored[key]]
        _declare(view.graph, nodes[0].output[0])
        found += 1
    remove_unused(model.graph, set(stored))
    return Counter({_FORM: found} if found else {})


def _activations(view: View) -> Iterator[_Nodes]:
    """QuantizeLinear of each int8 activation, then its readers, all of them DequantizeLinear."""
    readers = _readers(view.graph)
    inputs = {value.name for value in view.graph.input}
    for node in view.graph.node:
        if not _is_one_of_pair(node, "QuantizeLinear") or view.dtype(node.output[0]) != "int8":
            continue
        is_made = node.input[0] in inputs or view.maker(node.input[0]) is not None
        if not is_made or view.constant_shape(node.input[0]) is not None:
            continue  # a weight, which ONNX Runtime wants to be int8
        found = readers.get(node.output[0], [])
        are_pairs = all(_is_one_of_pair(reader, "DequantizeLinear") for reader in found)
        if are_pairs and len(found) == view.uses(node.output[0]):
            yield [node, *found]


def _readers(graph: onnx.GraphProto) -> Mapping[str, list[onnx.NodeProto]]:
    found: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            found.setdefault(name, []).append(node)
    return found


def _is_one_of_pair(node: onnx.NodeProto, operator: str) -> bool:
    """Whether a node is such an operator, with a type that its zero point alone says."""
    attributes = {item.name for item in node.attribute}
    is_standard = node.domain in STANDARD_DOMAINS and node.op_type == operator
    return is_standard and "output_dtype" not in attributes


def _zero_point(view: View, node: onnx.NodeProto) -> Array | None:
    """The zero point of a node, 0 where it has none; None where it is unknown."""
    if len(node.input) > 2 and node.input[2]:
        return view.constant(node.input[2])
    shape = view.shape(node.input[1])
    sizes = [size for size in shape or () if isinstance(size, int)]
    return None if shape is None or len(sizes) < len(shape) else np.zeros(sizes, np.int8)


def _declare(graph: onnx.GraphProto, name: str) -> None:
    """Says of a value that it is uint8, where the file says what it is."""
    for value in graph.value_info:
        if value.name == name:
            value.type.tensor_type.elem_type = TensorProto.UINT8
