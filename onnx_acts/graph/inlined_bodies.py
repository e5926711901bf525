"""Function bodies that a tool has inlined, as activations again.

`onnx_acts.lower`, onnx.inliner and optimisers put the bodies of functions in the place of nodes;
optimisers also compute what is constant in them. The bodies to look for are made from the table of
operators, in the forms for the graph's opset.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_acts.definition.functions import MINIMUM_OPSET, Form, form_for, function_proto
from onnx_acts.definition.known import Known
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec
from onnx_acts.graph.match import Match, fits
from onnx_acts.graph.view import Array, View

__all__ = ["inlined_body"]


def inlined_body(view: View, root: onnx.NodeProto) -> Match | None:
    """Recognises the body of any operator in inference, for the element type of x."""
    for body in _bodies(view.opset).get(root.op_type, ()):
        found = _Comparison(view, body)
        if not found.agrees(body.output, root.output[0]):
            continue
        x, *slopes = (found.values.get(name) for name in body.spec.inputs)
        if x is None or not (view.is_tolerant or view.dtype(x) in body.dtypes):
            continue
        if all(name is not None and fits(view, name, x) for name in (*slopes, *found.constants)):
            return Match(
                form=f"{body.spec.name} body",
                operator=body.spec.name,
                x=x,
                attributes=found.attributes,
                slope=_in_type_of(view, slopes[0], x) if slopes else None,
                inner=tuple(found.inner - {root.output[0]}),
            )
    return None


def _in_type_of(view: View, slope: str | None, x: str) -> str | Array | None:
    """A constant slope that a tool has converted to the compute type, in x's type again."""
    values, dtype = view.constant(slope or ""), view.dtype(x)
    if values is None or dtype in (None, values.dtype.name):
        return slope
    with np.errstate(over="ignore"):
        narrow = values.astype(dtype)
    return narrow if np.array_equal(narrow.astype(values.dtype), values) else slope


@dataclasses.dataclass(frozen=True)
class _Leaf:
    """A constant of a body in some element type: a number, or an attribute of the operator."""

    dtype: np.dtype[Any]
    number: float | None = None
    attribute: str = ""


@dataclasses.dataclass(frozen=True)
class _Body:
    """A function body: its nodes by the value that they make, and for which types it is made."""

    spec: Spec
    dtypes: frozenset[str]
    nodes: Mapping[str, onnx.NodeProto]
    leaves: Mapping[str, _Leaf]

    @property
    def output(self) -> str:
        return self.spec.outputs[0]


@functools.cache
def _bodies(opset: int) -> dict[str, list[_Body]]:
    """The bodies for an opset, by the operator of their last node.

    Those with more attributes come first: with its bounds folded, RReLU's is a LeakyReLU's, and
    with a slope of one constant PReLU's is too.
    """
    found: dict[str, list[_Body]] = {}
    specs = sorted(SPECS, key=lambda spec: -len(spec.attributes))
    for spec in specs:
        for form, dtypes in _forms(opset):
            nodes = _nodes(spec, form)
            body = _Body(spec, frozenset(dtypes), nodes, _leaves(nodes.values()))
            found.setdefault(nodes[body.output].op_type, []).append(body)
    return found


def _nodes(spec: Spec, form: Form) -> dict[str, onnx.NodeProto]:
    return {name: node for node in function_proto(spec, form).node for name in node.output}


def _forms(opset: int) -> Iterator[tuple[Form, Sequence[str]]]:
    """The forms that the element types need, with constants of no and of X's dimensions."""
    by_form: dict[Form, list[str]] = {}
    known = [[Known(dtype)] for dtype in ELEMENT_TYPES] if opset >= MINIMUM_OPSET else []
    for uses in known:
        try:
            form = form_for(opset, uses)
        except ValueError:
            continue  # there is no body of this type in this opset, so none can be found
        for aligned in (False, True):
            key = dataclasses.replace(form, aligned=aligned, outputs=1)
            by_form.setdefault(key, []).append(str(uses[0].dtype))
    yield from by_form.items()


def _leaves(nodes: Iterable[onnx.NodeProto]) -> dict[str, _Leaf]:
    """The constants of a body, also after Cast and Reshape."""
    leaves: dict[str, _Leaf] = {}
    for node in nodes:
        name = node.output[0]
        if node.op_type == "Constant":
            leaves[name] = _leaf(node.attribute[0])
        elif node.op_type in ("Cast", "Reshape") and node.input[0] in leaves:
            before = leaves[node.input[0]]
            to = next((item.i for item in node.attribute if item.name == "to"), None)
            dtype = helper.tensor_dtype_to_np_dtype(to) if to else before.dtype
            leaves[name] = dataclasses.replace(before, dtype=dtype)
    return leaves


def _leaf(attribute: onnx.AttributeProto) -> _Leaf:
    if attribute.ref_attr_name:
        return _Leaf(np.dtype(np.float64), attribute=attribute.ref_attr_name)
    array = numpy_helper.to_array(attribute.t)
    return _Leaf(array.dtype, float(array.reshape(-1)[0]))


class _Comparison:
    """Compares values of a graph with those of a body, backwards from the output.

    Attributes:
        values: the value in the graph for each input of the body.
        attributes: the numbers in the graph for the body's attributes.
        constants: the constants in the graph that stand for those of the body.
        inner: the values between the inputs and the output that are not constant.
    """

    def __init__(self, view: View, body: _Body) -> None:
        self.values: dict[str, str] = {}
        self.attributes: dict[str, float] = {}
        self.constants: set[str] = set()
        self.inner: set[str] = set()
        self._view, self._body = view, body

    def agrees(self, name: str, value: str) -> bool:
        """Tells whether `value` is computed as the body computes `name`."""
        if name in self.values or name in self._body.spec.inputs:
            return self.values.setdefault(name, value) == value
        constant = self._view.constant(value)
        if constant is not None and name in self._body.leaves:
            return self._same_constant(self._body.leaves[name], value, constant)
        node = self._body.nodes[name]
        other = self._view.standard_maker(value, node.op_type)
        if other is None or len(other.input) != len(node.input) or not _same(node, other):
            # A converted constant stands for the input that the body converts.
            is_converted = constant is not None and node.op_type == "Cast"
            return is_converted and self.agrees(node.input[0], value)
        self.values[name] = value
        if constant is None:
            self.inner.add(value)
        return all(self.agrees(*pair) for pair in zip(node.input, other.input, strict=True))

    def _same_constant(self, leaf: _Leaf, value: str, constant: Array) -> bool:
        """Tells whether a constant of the graph is one of the body, which it may shape freely."""
        if constant.size != 1 or constant.dtype != leaf.dtype:
            return False
        self.constants.add(value)
        if not leaf.attribute:
            return bool(constant.reshape(-1)[0] == leaf.dtype.type(leaf.number))
        number = _unrounded(self._view, value, constant)
        return self.attributes.setdefault(leaf.attribute, number) == number


def _unrounded(view: View, value: str, constant: Array) -> float:
    """A number as the file has it, before the conversions that lead to a constant `value`.

    What was rounded to another type on the way is another number: it is taken as it arrives.
    """
    origin = value
    while (node := view.standard_maker(origin, "Cast", "Reshape", "Identity")) is not None:
        origin = node.input[0]
    found = view.constant(origin)
    if found is not None and found.dtype == np.float64:
        with np.errstate(over="ignore"):
            is_direct = found.reshape(-1)[0].astype(constant.dtype) == constant.reshape(-1)[0]
        constant = found if is_direct else constant
    return float(constant.reshape(-1)[0])


def _same(node: onnx.NodeProto, other: onnx.NodeProto) -> bool:
    """Tells whether two nodes have equal attributes; one of a function around is not known."""
    is_known = not any(item.ref_attr_name for item in other.attribute)
    return is_known and _attributes(node) == _attributes(other)


def _attributes(node: onnx.NodeProto) -> dict[str, object]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}
