"""The operators as ONNX functions: record of the table -> `FunctionProto`.

A function body has no element type, yet the rules need one: 16-bit types compute in float32,
float64 in float64. So a body is written for a `Form`: the opset of the model that will carry it,
the compute type, and whether values must be converted to it and back. `form_for` picks the form
that is right for every element type in a model.
"""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Collection

import onnx
import onnx.parser
from onnx import TensorProto

from onnx_acts.nodes import attribute_proto
from onnx_acts.specs import DOMAIN, Spec

__all__ = ["MINIMUM_OPSET", "Form", "form_for", "function_proto"]

MINIMUM_OPSET = 9
"""The oldest standard opset in which a body can be written (Where appeared there)."""

_CAST_LIKE_OPSET = 15
_BITWISE_OPSET = 18


@dataclasses.dataclass(frozen=True)
class Form:
    """How a body is written.

    Attributes:
        opset: the version of the standard operators, that of the model.
        double: compute in float64 rather than float32.
        convert: values are converted to the compute type and the result back.
        training: include RReLU's training form.
        outputs: number of outputs that the function has, or None for all.
    """

    opset: int
    double: bool = False
    convert: bool = True
    training: bool = False
    outputs: int | None = None


def form_for(opset: int, dtypes: Collection[str | None]) -> Form:
    """Picks the form for a model.

    Args:
        opset: the model's version of the standard operators.
        dtypes: the element types that the operator meets, None where unknown.

    Raises:
        ValueError: the opset is too old for these types.
    """
    # float64 represents every value of the other types: right for all, where a type is unknown.
    double = bool({None, "float64"} & set(dtypes))
    convert = set(dtypes) != {"float64" if double else "float32"}
    needed = _CAST_LIKE_OPSET if convert else MINIMUM_OPSET
    if opset < needed:
        found = ", ".join(sorted(dtype or "unknown" for dtype in dtypes))
        raise ValueError(
            f"the model has opset {opset}; functions for the element types {found} need opset"
            f" {needed} or newer: convert it with onnx.version_converter.convert_version"
        )
    return Form(opset=opset, double=double, convert=convert)


def function_proto(spec: Spec, form: Form) -> onnx.FunctionProto:
    """Builds the function for one operator.

    The real attributes are TENSOR attributes that hold one float64. Defaults are declared, but a
    node should carry every attribute: onnx.reference does not apply defaults of functions.

    Args:
        spec: the operator.
        form: see `Form`.

    Raises:
        ValueError: the training form needs opset 18 (BitwiseXor).
    """
    if form.training and spec.training_body and form.opset < _BITWISE_OPSET:
        raise ValueError(
            f"{spec.name} in training mode needs opset {_BITWISE_OPSET} or newer,"
            f" the model has opset {form.opset}"
        )
    function = onnx.parser.parse_function(_function_text(spec, form))
    _declare_defaults(function, spec)
    _drop_unused_nodes(function)
    function.doc_string = f"{spec.summary} {spec.formula}. {spec.source}."
    return function


def _function_text(spec: Spec, form: Form) -> str:
    """Writes the function in the ONNX text syntax."""
    body = spec.training_body if form.training and spec.training_body else spec.body
    lines = [*_attribute_lines(spec), *body.strip().splitlines()]
    if form.convert:
        lines = [f"{_inner(name)} = Cast <to = $to> ({name})" for name in spec.inputs] + lines
        lines += [f"{name} = CastLike ({_inner(name)}, X)" for name in spec.outputs]
    text = string.Template("\n".join(lines)).substitute(
        C="double" if form.double else "float",
        to=TensorProto.DOUBLE if form.double else TensorProto.FLOAT,
    )
    if not form.convert:
        for name in (*spec.inputs, *spec.outputs):
            text = re.sub(rf"\b{_inner(name)}\b", name, text)
    attributes = ", ".join(attribute.name for attribute in spec.attributes)
    outputs = ", ".join(spec.outputs[: form.outputs])
    return (
        f'<domain: "{DOMAIN}", opset_import: ["": {form.opset}]>\n'
        f"{spec.name} {f'<{attributes}>' if attributes else ''}"
        f" ({', '.join(spec.inputs)}) => ({outputs})\n{{\n{text}\n}}"
    )


def _inner(name: str) -> str:
    """The name under which a body knows an input, output or attribute in the compute type."""
    return f"{name.lower()}_c"


def _attribute_lines(spec: Spec) -> list[str]:
    """Nodes that turn the attributes into values."""
    lines = []
    for attribute in spec.attributes:
        name = attribute.name
        if attribute.kind == "real":
            lines.append(f"{name}_64 = Constant <value: tensor = @{name}> ()")
            lines.append(f"{_inner(name)} = Cast <to = $to> ({name}_64)")
        else:
            lines.append(f"{name} = Constant <value_int: int = @{name}> ()")
    return lines


def _declare_defaults(function: onnx.FunctionProto, spec: Spec) -> None:
    """Turns the plain attribute names into attributes with defaults."""
    del function.attribute[:]
    function.attribute_proto.extend(
        attribute_proto(attribute, attribute.default) for attribute in spec.attributes
    )


def _drop_unused_nodes(function: onnx.FunctionProto) -> None:
    """Removes nodes that no output depends on."""
    needed = set(function.output)
    for node in reversed(list(function.node)):
        if needed.isdisjoint(node.output):
            function.node.remove(node)
        else:
            needed.update(node.input)
