"""The attributes that two nodes have differently, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import onnx
from onnx import AttributeProto, helper, numpy_helper

from onnx_acts.comparing.tolerance import is_real
from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.verifying.arrays import differs
from onnx_acts.verifying.lanes import draws

__all__ = ["attributes"]


_NEWEST = onnx.defs.onnx_opset_version()


def attributes(
    node: onnx.NodeProto,
    other: onnx.NodeProto,
    opsets: tuple[int, int] = (_NEWEST, _NEWEST),
    *,
    counts_clamped: bool = True,
) -> Iterator[str]:
    """The attributes that are not the same, but for graphs; nothing where a default says it.

    Args:
        node: a node.
        other: what it is compared with.
        opsets: the versions of the standard operators that the models of the two import.
        counts_clamped: whether numbers count that the element type here cannot hold.
    """
    own, theirs = ({item.name: item for item in n.attribute} for n in (node, other))
    usual = [_defaults(item, opset) for item, opset in zip((node, other), opsets, strict=True)]
    for name in dict.fromkeys((*own, *theirs, *usual[0], *usual[1])):
        if name == "seed" or (name == "dtype" and draws(node)):
            continue  # of random numbers, which differ from run to run, and from type to type
        given = [_attribute(attributes.get(name)) for attributes in (own, theirs)]
        if node.op_type != other.op_type and None in given:
            continue
        # An attribute that an older opset does not have yet stands for what it does without it.
        pair = [
            usual[i].get(name, usual[1 - i].get(name)) if value is None else value
            for i, value in enumerate(given)
        ]
        if NotImplemented in pair or _are_close(*pair) or _means_nothing(name, pair):
            continue
        is_clamped = not counts_clamped and name in own and name in theirs
        if is_clamped and _are_alike(own[name], theirs[name]):
            continue
        if pair[0] != pair[1]:
            texts = [_text(*values) for values in zip(given, pair, strict=True)]
            yield f"{name} is {texts[0]} here, {texts[1]} in the reference"


def _text(given: Any, value: Any) -> str:
    """An attribute in words, with what it is where a node leaves it out."""
    if given is not None:
        return _short(given)
    return "not given" if value is None else f"not given ({_short(value)})"


def _are_close(a: Any, b: Any) -> bool:
    """Whether two numbers are the same in float32: operators of ours have more digits."""
    return all(isinstance(x, float) for x in (a, b)) and math.isclose(a, b, rel_tol=1e-6)


def _are_alike(a: onnx.AttributeProto, b: onnx.AttributeProto) -> bool:
    """Whether two tensors are the same but for the numbers that the first one cannot hold."""
    if not a.type == b.type == AttributeProto.TENSOR:
        return False
    own, theirs = numpy_helper.to_array(a.t), numpy_helper.to_array(b.t)
    are_real = is_real(own.dtype) and is_real(theirs.dtype)
    return are_real and not differs(own, theirs, counts_clamped=False)


def _means_nothing(name: str, pair: list[Any]) -> bool:
    """Whether one of two attributes is not given, and the other is what that means.

    These are the attributes whose defaults depend on the inputs.
    """
    if None not in pair:
        return False
    value = pair[0] if pair[1] is None else pair[1]
    if name == "kernel_shape":  # that of the weight
        return True
    usual = {"dilations": 1, "strides": 1, "pads": 0, "output_padding": 0}.get(name)
    if usual is not None:
        return all(item == usual for item in value)
    return (name, value) in (("group", 1), ("auto_pad", b"NOTSET"))


def _defaults(node: onnx.NodeProto, opset: int) -> dict[str, Any]:
    """What attributes are where a node leaves them out, as far as that is a fixed value."""
    try:
        if node.domain in STANDARD_DOMAINS:
            schema = onnx.defs.get_schema(node.op_type, opset)
        else:
            schema = onnx.defs.get_schema(node.op_type, domain=node.domain)
    except onnx.defs.SchemaError:
        return {}
    return {
        name: _attribute(item.default_value)
        for name, item in schema.attributes.items()
        if item.default_value.name
    }


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
