"""The operators as ONNX functions: record of the table -> `FunctionProto`.

A function body has no element type, yet the rules need one: 16-bit types compute in float32,
float64 in float64. So a body is written for a `Form`: the opset of the model that will carry it,
the compute type, whether values must be converted to it and back, and how many dimensions its
constants have. `form_for` picks the form that is right for all that an operator meets in a model.
"""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Collection

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper

from onnx_acts.inference import Known, Shape
from onnx_acts.nodes import attribute_proto
from onnx_acts.specs import DOMAIN, Spec

__all__ = ["MINIMUM_OPSET", "Form", "form_for", "function_proto", "rank_for"]

MINIMUM_OPSET = 9
"""The oldest standard opset in which a body can be written (Where appeared there)."""

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
        rank: the dimensions of constants, all of size 1; None where they get as many as X has, at
            run time. See `rank_for`.
        training: include RReLU's training form.
        outputs: number of outputs that the function has, or None for all.
    """

    opset: int
    double: bool = False
    convert: bool = True
    result: str | None = None
    rank: int | None = 0
    training: bool = False
    outputs: int | None = None


def form_for(opset: int, uses: Collection[Known]) -> Form:
    """Picks the form for a model.

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
    rank = rank_for([use.shape for use in uses])
    return Form(opset, double, convert, result if convert else None, rank)


def rank_for(shapes: Collection[Shape | None]) -> int | None:
    """Picks the dimensions of a body's constants, None for as many as X has at run time.

    ONNX Runtime broadcasts a constant element by element, a hundred times slower than in one run,
    where X ends in at least as many sizes of 1 as the constant has dimensions. More dimensions than
    X has would give them to Y. A size that has a name only may be 1.

    Args:
        shapes: the shapes of X that the operator meets, None where not even the rank is known.
    """
    known = [shape for shape in shapes if shape is not None]
    most = min((len(shape) for shape in known), default=0)
    needed = max((_rank_for(shape, {1}) for shape in known), default=0)
    if len(known) < len(shapes) or needed > most:
        return None
    wanted = max((_rank_for(shape, {1, *_names(shape)}) for shape in known), default=0)
    return min(wanted, most)


def _rank_for(shape: Shape, ones: Collection[int | str | None]) -> int:
    """One more dimension than the sizes in `ones` at the end, as far as there are so many."""
    count = 0
    while count < len(shape) and shape[-1 - count] in ones:
        count += 1
    return min(count + 1, len(shape)) if count else 0


def _names(shape: Shape) -> list[str | None]:
    return [size for size in shape if not isinstance(size, int)]


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
    lines = [*_ones_lines(form), *_attribute_lines(spec, form), *_constant_lines(body, form)]
    for name in spec.inputs[1:] if form.rank != 0 else ():
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


def _ones_lines(form: Form) -> list[str]:
    """Nodes that make `ones`, the shape of the constants."""
    if form.rank is None:
        return [
            "x_sizes = Shape (X)",
            "x_rank = Shape (x_sizes)",
            "ones = ConstantOfShape <value = int64[1] {1}> (x_rank)",
        ]
    sizes = ", ".join(["1"] * form.rank)
    return [f"ones = Constant <value = int64[{form.rank}] {{{sizes}}}> ()"] if form.rank else []


def _attribute_lines(spec: Spec, form: Form) -> list[str]:
    """Nodes that turn the attributes into values."""
    lines = []
    for attribute in spec.attributes:
        name = attribute.name
        if attribute.kind == "real":
            stored = f"{name}_64" if form.rank == 0 else f"{name}_0"
            lines.append(f"{stored} = Constant <value: tensor = @{name}> ()")
            if form.rank != 0:
                lines.append(f"{name}_64 = Reshape ({stored}, ones)")
            lines.append(f"{_inner(name)} = Cast <to = $to> ({name}_64)")
        else:
            lines.append(f"{name} = Constant <value_int: int = @{name}> ()")
    return lines


def _constant_lines(body: str, form: Form) -> list[str]:
    """The constants of a body in the compute type, with the form's rank."""
    lines = []
    for name, number in [*_CONSTANT.findall(body), ("one_r", "1")]:
        if form.rank is None:
            lines.append(f"{name}_0 = Constant <value = $C {{{number}}}> ()")
            lines.append(f"{name} = Reshape ({name}_0, ones)")
        else:
            sizes = f"[{', '.join(['1'] * form.rank)}]" if form.rank else ""
            lines.append(f"{name} = Constant <value = $C{sizes} {{{number}}}> ()")
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
