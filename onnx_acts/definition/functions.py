"""The operators as ONNX functions: record of the table -> `FunctionProto`.

A function body has no element type, yet the rules need one: 16-bit types compute in float32,
float64 in float64. So a body is written for a `Form`: the opset of the model that will carry it,
the compute type, whether values must be converted to it and back, and whether its constants get
as many dimensions as X. `form_for` picks the form that is right for all that an operator meets.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from collections.abc import Collection

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper

from onnx_acts.definition.known import Known, Shape
from onnx_acts.definition.nodes import attribute_proto
from onnx_acts.definition.specs import DOMAIN, Spec

__all__ = ["MINIMUM_OPSET", "Form", "form_for", "form_of", "function_proto", "needs_alignment"]

MINIMUM_OPSET = 9
"""The oldest standard opset in which a body can be written (Where appeared there)."""

_QUANTIZE_OPSET = 10
_CAST_LIKE_OPSET = 15
_BITWISE_OPSET = 18
_CAST_OPSETS = {"float16": MINIMUM_OPSET, "bfloat16": 13}
"""The first opset whose Cast gives a 16-bit type."""

_CONSTANT = re.compile(r"^ *(\w+) = Constant <value = \$C \{(.+)\}> \(\)$", re.MULTILINE)
"""A constant of a body in the compute type: its name and number."""


@dataclasses.dataclass(frozen=True)
class Form:
    """How a body is written.

    Attributes:
        opset: the version of the standard operators, that of the model.
        double: compute in float64 rather than float32.
        convert: values are converted to the compute type and the result back.
        result: the element type of the result where it is converted to that one type; None where
            CastLike, from opset 15 on, converts it to X's.
        aligned: constants get as many dimensions as X has, at run time, all of size 1; else they
            have none. See `needs_alignment`.
        training: include RReLU's training form.
        outputs: number of outputs that the function has, or None for all.
    """

    opset: int
    double: bool = False
    convert: bool = True
    result: str | None = None
    aligned: bool = False
    training: bool = False
    outputs: int | None = None


def form_of(spec: Spec, opset: int, uses: Collection[Known]) -> Form:
    """Picks the form of an operator for a model; one on 8 bits has a single form.

    Args:
        spec: the operator.
        opset: as in `form_for`, which raises what this raises.
        uses: as in `form_for`.
    """
    if not spec.is_quantized:
        return form_for(opset, uses)
    if opset < _QUANTIZE_OPSET:
        raise ValueError(
            f"the model has opset {opset}; {spec.name} needs opset {_QUANTIZE_OPSET} or newer:"
            " convert it with onnx.version_converter.convert_version"
        )
    return Form(opset, convert=False)


def form_for(opset: int, uses: Collection[Known]) -> Form:
    """Picks the form of an operator in floating point for a model.

    Args:
        opset: the model's version of the standard operators.
        uses: what is known of each X that the operator meets.

    Raises:
        ValueError: the opset is too old for these types.
    """
    dtypes = {use.dtype for use in uses}
    # float64 represents every value of the other types: right for all, where a type is unknown.
    double = bool({None, "float64"} & dtypes)
    convert = dtypes != {"float64" if double else "float32"}
    result = next(iter(dtypes)) if len(dtypes) == 1 and opset < _CAST_LIKE_OPSET else None
    needed = _CAST_LIKE_OPSET if convert and result is None else MINIMUM_OPSET
    needed = max(needed, _CAST_OPSETS.get(result or "", needed))
    if opset < needed:
        found = ", ".join(sorted(dtype or "unknown" for dtype in dtypes))
        raise ValueError(
            f"the model has opset {opset}; functions for the element types {found} need opset"
            f" {needed} or newer: convert it with onnx.version_converter.convert_version"
        )
    aligned = needs_alignment([use.shape for use in uses])
    return Form(opset, double, convert, result if convert else None, aligned)


def needs_alignment(shapes: Collection[Shape | None]) -> bool:
    """Tells whether a body is slow for some X unless its constants have as many dimensions as X.

    ONNX Runtime broadcasts a constant without dimensions in runs that end at each size of 1, up to
    a hundred times slower than in one. A size that is no number may be 1. Only the first may be.
    (More dimensions than X has would give them to Y: what the file says of them may be wrong, so
    they are counted at run time. ONNX Runtime does that when it loads a model, where it can.)

    Args:
        shapes: the shapes of X that the operator meets, None where not even the rank is known.
    """
    return any(
        shape is None
        or any(size == 1 or not isinstance(size, int) for size in shape[1:])
        or (len(shape) == 1 and shape[0] == 1)
        for shape in shapes
    )


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
    function = onnx.FunctionProto()
    function.CopyFrom(_parsed(_function_text(spec, form)))
    _declare_defaults(function, spec)
    function.doc_string = f"{spec.summary} {spec.formula}. {spec.source}."
    return function


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> onnx.FunctionProto:
    """A function from the ONNX text syntax; a model, and the next one, asks for a text often."""
    function = onnx.parser.parse_function(text)
    _drop_unused_nodes(function)
    return function


def _function_text(spec: Spec, form: Form) -> str:
    """Writes the function in the ONNX text syntax."""
    body = spec.training_body if form.training and spec.training_body else spec.body
    lines = _ones_lines() if form.aligned else []
    lines += [*_attribute_lines(spec, form), *_constant_lines(body, form)]
    for name in spec.inputs[1:] if form.aligned else ():
        lines.append(f"{name}_r = Mul ({_inner(name)}, one_r)")
        body = re.sub(rf"\b{_inner(name)}\b", f"{name}_r", body)
    lines += [line for line in body.strip().splitlines() if not _CONSTANT.fullmatch(line)]
    if form.convert:
        lines = [f"{_inner(name)} = Cast <to = $to> ({name})" for name in spec.inputs] + lines
        lines += [_result_line(name, form) for name in spec.outputs]
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


def _ones_lines() -> list[str]:
    """Nodes that make `ones`, the shape of the constants."""
    return [
        "x_sizes = Shape (X)",
        "x_rank = Shape (x_sizes)",
        "ones = ConstantOfShape <value = int64[1] {1}> (x_rank)",
    ]


def _attribute_lines(spec: Spec, form: Form) -> list[str]:
    """Nodes that turn the attributes into values."""
    lines = []
    for attribute in spec.attributes:
        name = attribute.name
        if attribute.kind == "single":
            continue  # a standard operator takes it as it is
        if attribute.kind == "real":
            stored = f"{name}_0" if form.aligned else f"{name}_64"
            lines.append(f"{stored} = Constant <value: tensor = @{name}> ()")
            if form.aligned:
                lines.append(f"{name}_64 = Reshape ({stored}, ones)")
            lines.append(f"{_inner(name)} = Cast <to = $to> ({name}_64)")
        else:
            lines.append(f"{name} = Constant <value_int: int = @{name}> ()")
    return lines


def _constant_lines(body: str, form: Form) -> list[str]:
    """The constants of a body in the compute type."""
    lines = []
    for name, number in [*_CONSTANT.findall(body), ("one_r", "1")]:
        stored = f"{name}_0" if form.aligned else name
        lines.append(f"{stored} = Constant <value = $C {{{number}}}> ()")
        if form.aligned:
            lines.append(f"{name} = Reshape ({stored}, ones)")
    return lines


def _result_line(name: str, form: Form) -> str:
    """The node that converts an output to X's element type."""
    if form.result is None:
        return f"{name} = CastLike ({_inner(name)}, X)"
    number = helper.np_dtype_to_tensor_dtype(np.dtype(form.result))
    return f"{name} = Cast <to = {number}> ({_inner(name)})"


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
