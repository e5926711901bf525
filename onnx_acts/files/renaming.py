"""Operators whose names a tool has changed: onnx.compose puts a prefix before those of functions.

The library knows only the plain names, so such nodes would run their bodies, in silence.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection

import onnx

from onnx_acts.definition.functions import Form, function_proto
from onnx_acts.definition.specs import DOMAIN, OPERATORS, Spec, spec_of
from onnx_acts.files.structure import walk_nodes

__all__ = ["restore_names"]

_NAMES = frozenset(spec.name for spec in OPERATORS)

_CONVERSIONS = frozenset(
    {"Cast", "CastLike", "Constant", "ConstantOfShape", "Identity", "Reshape", "Shape"}
)
"""Operators that differ between the forms of a body."""


def restore_names(model: onnx.ModelProto) -> Counter[str]:
    """Gives the nodes of the domain `onnx_acts` their plain names again, in place.

    An operator is known by what is before or after a plain name in its name, and by its body. Where
    the body is missing, its inputs and attributes must fit, and a letter or digit may not touch the
    plain name: CELU is not ELU. The bodies under the other names are removed.

    Returns:
        How many nodes of each operator got their names back.
    """
    names: dict[str, str] = {}
    for function in model.functions:
        spec = _spec_of_function(function) if function.domain == DOMAIN else None
        if spec is not None and spec.name != function.name:
            names[function.name] = spec.name
    for function in [item for item in model.functions if item.domain == DOMAIN]:
        if function.name in names:
            model.functions.remove(function)
    restored: Counter[str] = Counter()
    for node in walk_nodes(model):
        if node.domain == DOMAIN:
            name = names.get(node.op_type) or _name_of_node(node)
            if name not in (node.op_type, None):
                node.op_type = name
                restored[name] += 1
    return restored


def _spec_of_function(function: onnx.FunctionProto) -> Spec | None:
    """The operator whose body a function is."""
    attributes = {*function.attribute, *(item.name for item in function.attribute_proto)}
    for spec in _candidates(function.name, len(function.input), attributes):
        if _operators(function) in _possible_operators(spec.name):
            return spec
    return None


def _name_of_node(node: onnx.NodeProto) -> str | None:
    if node.op_type in _NAMES:
        return node.op_type
    attributes = {item.name for item in node.attribute}
    for spec in _candidates(node.op_type, len(node.input), attributes):
        before, _, after = node.op_type.rpartition(spec.name)
        if not (before[-1:].isalnum() or after[:1].isalnum()):
            return spec.name
    return None


def _candidates(name: str, inputs: int, attributes: Collection[str]) -> list[Spec]:
    """The operators that may be meant, those with the longest names first."""
    return [
        spec
        for spec in sorted(OPERATORS, key=lambda spec: -len(spec.name))
        if (name.endswith(spec.name) or name.startswith(spec.name))
        and inputs == len(spec.inputs)
        and set(attributes) == {attribute.name for attribute in spec.attributes}
    ]


def _operators(function: onnx.FunctionProto) -> Counter[str]:
    """How often each operator stands in a body, but for those that differ between its forms."""
    return Counter(node.op_type for node in function.node if node.op_type not in _CONVERSIONS)


@functools.cache
def _possible_operators(name: str) -> list[Counter[str]]:
    opset = 18  # of RReLU's training form; the operators are the same in others
    forms = [Form(opset, aligned=a, training=t) for a in (False, True) for t in (False, True)]
    return [_operators(function_proto(spec_of(name), form)) for form in forms]
