"""Standard nodes as activations, and activations as standard nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.graph.match import Match, fits
from onnx_acts.graph.view import View

__all__ = ["as_standard", "standard_node", "standard_spec"]

_OPERATORS = {s.standard.name: s for s in SPECS if s.standard and s.parameter_source != "draw"}
"""The operator for each standard one; RReLU shares LeakyReLU's."""


def standard_node(view: View, node: onnx.NodeProto) -> Match | None:
    """Recognises the standard operators of the table: Relu, LeakyRelu, PRelu, Elu.

    A PRelu is left alone where its slope might enlarge x. ONNX Runtime allows that, against the
    standard; the operator of `onnx_acts` refuses it.
    """
    spec = standard_spec(node)
    if spec is None:
        return None
    if spec.parameter_source == "input" and not fits(view, node.input[1], node.input[0]):
        return None
    return Match(
        form=node.op_type,
        operator=spec.name,
        x=node.input[0],
        attributes=_attributes(spec, node),
        slope=node.input[1] if spec.parameter_source == "input" else None,
        is_standard=True,
    )


def standard_spec(node: onnx.NodeProto) -> Spec | None:
    """The operator of `onnx_acts` for a standard node; None where it is no activation."""
    return _OPERATORS.get(node.op_type) if node.domain in STANDARD_DOMAINS else None


def as_standard(node: onnx.NodeProto) -> onnx.NodeProto:
    """Makes the standard node that computes Y of an `onnx_acts` node in inference.

    Its parameters become 32-bit attributes; RReLU becomes a LeakyRelu with the mean slope.
    """
    standard, values = spec_of(node.op_type).standard, read_attributes(node)
    if standard is None:
        raise ValueError(f"no standard operator computes the same as {node.op_type}")
    attributes: dict[str, Any] = {item.name: item.value(values) for item in standard.attributes}
    new = helper.make_node(standard.name, node.input, node.output[:1], name=node.name, **attributes)
    new.doc_string = node.doc_string
    new.metadata_props.extend(node.metadata_props)
    return new


def _attributes(spec: Spec, node: onnx.NodeProto) -> dict[str, float]:
    """Our attributes, from ones of 32 bits, whatever x's element type is."""
    given = {item.name: float(item.f) for item in node.attribute}
    items = spec.standard.attributes if spec.standard else ()
    return {
        name: given.get(item.name, float(np.float32(item.default)))
        for item in items
        for name in item.ours
    }
