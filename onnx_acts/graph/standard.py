"""Standard nodes as activations, and activations as standard nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from onnx_acts.files.structure import STANDARD_DOMAINS
from onnx_acts.graph.matching import Match, fits
from onnx_acts.graph.view import View

__all__ = ["as_standard", "standard_node", "standard_spec"]

_OPERATORS = {s.standard: s for s in SPECS if s.standard and s.parameter_source != "draw"}
"""The operator for each standard one; RReLU shares LeakyReLU's."""

_DEFAULT_ALPHA = {"LeakyRelu": 0.01, "Elu": 1.0}


def standard_node(view: View, node: onnx.NodeProto) -> Match | None:
    """Recognises Relu, LeakyRelu, PRelu and Elu.

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
    spec = spec_of(node.op_type)
    values: dict[str, Any] = dict(read_attributes(node))
    if spec.parameter_source == "draw":
        values = {"alpha": (values["lower"] + values["upper"]) / 2}
    new = helper.make_node(spec.standard, node.input, node.output[:1], name=node.name, **values)
    new.doc_string = node.doc_string
    new.metadata_props.extend(node.metadata_props)
    return new


def _attributes(spec: Spec, node: onnx.NodeProto) -> dict[str, float]:
    """The attribute alpha: 32 bits, whatever x's element type is."""
    if spec.parameter_source != "attribute":
        return {}
    given = {item.name: item for item in node.attribute}
    if "alpha" in given:
        return {"alpha": float(given["alpha"].f)}
    return {"alpha": float(np.float32(_DEFAULT_ALPHA[spec.standard]))}
