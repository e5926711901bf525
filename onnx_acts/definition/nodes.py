"""Nodes of the domain `onnx_acts`: making them and reading their attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.specs import DOMAIN, Attribute, spec_of
from onnx_acts.definition.validation import check_attributes

__all__ = ["attribute_proto", "make_node", "read_attributes"]

_KINDS = onnx.AttributeProto.AttributeType


def attribute_proto(attribute: Attribute, value: float | int) -> onnx.AttributeProto:
    """Encodes a value as its attribute, of the type that its kind says."""
    if attribute.kind == "real":
        scalar = numpy_helper.from_array(np.array(value, dtype=np.float64))
        return helper.make_attribute(attribute.name, scalar)
    if attribute.kind == "single":
        return helper.make_attribute(attribute.name, float(np.float32(value)))
    return helper.make_attribute(attribute.name, int(value))


def make_node(
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    node_name: str | None = None,
    **attributes: float | int,
) -> onnx.NodeProto:
    """Makes a node of the domain `onnx_acts` with every attribute written out.

    Args:
        name: of the table, such as "ReLU", "LeakyReLU", "PReLU", "RReLU" or "ELU".
        inputs: names of the input values.
        outputs: names of the output values; later ones may be left out.
        node_name: the node's own name.
        **attributes: Python numbers; those left out have their defaults.

    Raises:
        ValueError: unknown operator or attribute, wrong number of inputs or outputs, or a value
            that the operator refuses.
        TypeError: an attribute of the wrong kind.

    Example:
        >>> node = make_node("ELU", ["x"], ["y"], alpha=0.1)
        >>> read_attributes(node)
        {'alpha': 0.1}
    """
    spec = spec_of(name)
    if len(inputs) != len(spec.inputs) or not 1 <= len(outputs) <= len(spec.outputs):
        raise ValueError(
            f"{name} takes the inputs {', '.join(spec.inputs)} and gives {', '.join(spec.outputs)};"
            f" got inputs {list(inputs)} and outputs {list(outputs)}"
        )
    node = helper.make_node(name, list(inputs), list(outputs), name=node_name, domain=DOMAIN)
    values = check_attributes(spec, attributes)
    node.attribute.extend(attribute_proto(item, values[item.name]) for item in spec.attributes)
    return node


def read_attributes(node: onnx.NodeProto) -> dict[str, float | int]:
    """Returns the attributes of an `onnx_acts` node as Python numbers, defaults filled in.

    A FLOAT attribute is accepted for a real one: its value is the 32-bit number.

    Raises:
        ValueError: an attribute that the operator does not have, or a value that it refuses.
        TypeError: an attribute of the wrong kind.
    """
    spec = spec_of(node.op_type)
    values = {item.name: _number(node, item) for item in node.attribute}
    return check_attributes(spec, values, node.name)


def _number(node: onnx.NodeProto, item: onnx.AttributeProto) -> float | int:
    """Decodes one attribute."""
    if item.type == _KINDS.FLOAT:
        return float(item.f)
    if item.type == _KINDS.INT:
        return int(item.i)
    if item.type == _KINDS.TENSOR:
        if _is_one_float64(item.t):
            return float(numpy_helper.to_array(item.t).reshape(-1)[0])
        found = _described(item.t)
    else:
        found = _KINDS.Name(item.type)
    raise TypeError(
        f"{node.op_type} (node {node.name!r}): attribute {item.name} is {found};"
        " expected a tensor of one float64 value, or a number"
    )


def _is_one_float64(tensor: onnx.TensorProto) -> bool:
    """Tells whether a tensor holds one float64 itself; others may be damaged or in other files."""
    is_own = tensor.data_location != onnx.TensorProto.EXTERNAL
    return is_own and tensor.data_type == onnx.TensorProto.DOUBLE and math.prod(tensor.dims) == 1


def _described(tensor: onnx.TensorProto) -> str:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return "a tensor in another file"
    kinds = onnx.TensorProto.DataType
    known = tensor.data_type in kinds.values()
    kind = kinds.Name(tensor.data_type) if known else f"unknown ({tensor.data_type})"
    return f"a tensor of {math.prod(tensor.dims)} {kind} value(s)"
