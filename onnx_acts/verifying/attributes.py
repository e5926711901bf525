"""The attributes that two nodes have differently, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import onnx
from onnx import AttributeProto, helper, numpy_helper

__all__ = ["attributes"]


def attributes(node: onnx.NodeProto, other: onnx.NodeProto) -> Iterator[str]:
    """The attributes that are not the same, but for graphs; nothing where a default says it."""
    own, theirs = ({item.name: item for item in n.attribute} for n in (node, other))
    for name in dict.fromkeys((*own, *theirs)):
        if name == "seed":  # of random numbers, which differ from run to run
            continue
        pair = [_attribute(attributes.get(name)) for attributes in (own, theirs)]
        if NotImplemented in pair or _are_close(*pair) or _is_default(node, name, pair):
            continue
        if node.op_type != other.op_type and None in pair:
            continue
        if pair[0] != pair[1]:
            texts = ["not given" if value is None else _short(value) for value in pair]
            yield f"{name} is {texts[0]} here, {texts[1]} in the reference"


def _are_close(a: Any, b: Any) -> bool:
    """Whether two numbers are the same in float32: operators of ours have more digits."""
    return all(isinstance(x, float) for x in (a, b)) and math.isclose(a, b, rel_tol=1e-6)


def _is_default(node: onnx.NodeProto, name: str, pair: list[Any]) -> bool:
    """Whether one of two attributes is not given, and the other is what that means."""
    if None not in pair:
        return False
    value = pair[0] if pair[1] is None else pair[1]
    if name == "kernel_shape":  # that of the weight
        return True
    usual = _default(node, name)
    if usual is not None and (usual == value or _are_close(usual, value)):
        return True
    usual = {"dilations": 1, "strides": 1, "pads": 0, "output_padding": 0}.get(name)
    if usual is not None:
        return all(item == usual for item in value)
    return (name, value) in (("group", 1), ("auto_pad", b"NOTSET"))


def _default(node: onnx.NodeProto, name: str) -> Any:
    """What an attribute is where a node leaves it out; None where that is not a fixed value."""
    try:
        found = onnx.defs.get_schema(node.op_type, domain=node.domain).attributes[name]
    except (onnx.defs.SchemaError, KeyError):
        return None
    return helper.get_attribute_value(found.default_value) if found.default_value.name else None


def _attribute(attribute: onnx.AttributeProto | None) -> Any:
    """An attribute to compare; NotImplemented for graphs."""
    if attribute is None:
        return None
    if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
        return NotImplemented
    if attribute.type == AttributeProto.TENSOR:
        try:
            return numpy_helper.to_array(attribute.t).tolist()
        except (ValueError, OSError):  # its data is in the file
            return NotImplemented
    value = helper.get_attribute_value(attribute)
    return list(value) if not isinstance(value, int | float | bytes | str) else value


def _short(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    shown = f"{text:.9g}" if isinstance(text, float) else str(text)
    return shown if len(shown) < 60 else f"{shown[:57]}..."
