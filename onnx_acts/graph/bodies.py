"""Function bodies that a tool has inlined, as activations again.

`onnx_acts.lower`, onnx.inliner and optimisers put the bodies of functions in the place of nodes.
The bodies to look for are made from the table of operators, in the form for the graph's opset.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.functions import MINIMUM_OPSET, Form, form_for, function_proto
from onnx_acts.graph.matching import Match, fits
from onnx_acts.graph.view import View
from onnx_acts.specs import ELEMENT_TYPES, SPECS, Spec

__all__ = ["inlined_body"]


def inlined_body(view: View, root: onnx.NodeProto) -> Match | None:
    """Recognises the body of any operator in inference, for the element type of x."""
    for body in _bodies(view.opset).get(root.op_type, ()):
        found = _Comparison(view, body)
        if not found.agrees(body.output, root.output[0]):
            continue
        inputs = [found.values.get(name) for name in body.spec.inputs]
        x = inputs[0]
        if x is None or not (view.is_tolerant or view.dtype(x) in body.dtypes):
            continue
        if all(name is not None and fits(view, name, x) for name in inputs[1:]):
            return Match(
                form=f"{body.spec.name} body",
                operator=body.spec.name,
                x=x,
                attributes=found.attributes,
                slope=inputs[1] if inputs[1:] else None,
                inner=tuple(found.inner - {root.output[0]}),
            )
    return None


@dataclasses.dataclass(frozen=True)
class _Body:
    """A function body: its nodes by the value that they make, and for which types it is made."""

    spec: Spec
    dtypes: frozenset[str]
    nodes: Mapping[str, onnx.NodeProto]

    @property
    def output(self) -> str:
        return self.spec.outputs[0]


@functools.cache
def _bodies(opset: int) -> dict[str, list[_Body]]:
    """The bodies for an opset, by the operator of their last node."""
    found: dict[str, list[_Body]] = {}
    for form, dtypes in _forms(opset):
        for spec in SPECS:
            function = function_proto(spec, form)
            nodes = {name: node for node in function.node for name in node.output}
            body = _Body(spec, frozenset(dtypes), nodes)
            found.setdefault(nodes[body.output].op_type, []).append(body)
    return found


def _forms(opset: int) -> Iterator[tuple[Form, list[str]]]:
    """The forms that the element types need."""
    by_form: dict[Form, list[str]] = {}
    for dtype in ELEMENT_TYPES if opset >= MINIMUM_OPSET else ():
        try:
            form = dataclasses.replace(form_for(opset, {dtype}), outputs=1)
        except ValueError:
            continue  # there is no body of this type in this opset, so none can be found
        by_form.setdefault(form, []).append(dtype)
    yield from by_form.items()


class _Comparison:
    """Compares values of a graph with those of a body, backwards from the output.

    Attributes:
        values: the value in the graph for each input of the body.
        attributes: the numbers in the graph for the body's attributes.
        inner: the values between the inputs and the output that are not constant.
    """

    def __init__(self, view: View, body: _Body) -> None:
        self.values: dict[str, str] = {}
        self.attributes: dict[str, float] = {}
        self.inner: set[str] = set()
        self._view, self._body = view, body

    def agrees(self, name: str, value: str) -> bool:
        """Tells whether `value` is computed as the body computes `name`."""
        if name in self.values or name in self._body.spec.inputs:
            return self.values.setdefault(name, value) == value
        node = self._body.nodes[name]
        if node.op_type == "Constant":
            return self._same_constant(node.attribute[0], value)
        other = self._view.producer(value, node.op_type)
        if other is None or len(other.input) != len(node.input) or not _same(node, other):
            return False
        self.values[name] = value
        if self._view.constant(value) is None:
            self.inner.add(value)
        return all(self.agrees(*pair) for pair in zip(node.input, other.input, strict=True))

    def _same_constant(self, attribute: onnx.AttributeProto, value: str) -> bool:
        found = self._view.constant(value)
        if found is None or found.size != 1:
            return False
        number = found.reshape(-1)[0]
        if attribute.ref_attr_name:
            known = self.attributes.setdefault(attribute.ref_attr_name, float(number))
            return bool(found.dtype == np.float64 and known == number)
        wanted = numpy_helper.to_array(attribute.t)
        return bool(found.dtype == wanted.dtype and wanted == number)


def _same(node: onnx.NodeProto, other: onnx.NodeProto) -> bool:
    """Tells whether two nodes have equal attributes; one of a function around is not known."""
    is_known = not any(item.ref_attr_name for item in other.attribute)
    return is_known and _attributes(node) == _attributes(other)


def _attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}
