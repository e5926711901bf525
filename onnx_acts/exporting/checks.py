"""What cannot be exported, found before anything is written; messages name the submodule."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, spec_of
from onnx_acts.definition.validation import check_element_types
from onnx_acts.exporting.options import STYLES
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.types import element_types
from onnx_acts.graph.older_opset import OLDER_OPSET
from onnx_acts.ort.opsets import newest_opset

__all__ = [
    "LOWEST_IR_VERSION",
    "MINIMUM_OPSET",
    "check_activations",
    "check_module",
    "check_opset",
    "check_style",
    "check_tensors",
]

MINIMUM_OPSET = 18
"""The oldest opset that torch's exporter writes without converting."""

LOWEST_IR_VERSION = 8
"""The oldest file format that has functions, which the bodies are."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)

_HOW_TO_TRAIN = (
    "call module.eval() to export the mean slope, or pass training=True (--training) to export"
    " random slopes"
)


def check_style(style: str, ops: Iterable[str]) -> None:
    """Requires a known style and known operators."""
    if isinstance(ops, str):
        raise TypeError(f"ops must be a sequence of operators, like ({ops!r},), got a str")
    if style not in STYLES:
        raise ValueError(f"style must be 'acts' or 'standard', got {style!r}")
    for name in ops:
        spec_of(name)


def check_opset(opset: int) -> None:
    """Requires an opset that the exporter can write."""
    newest = newest_opset()
    if not OLDER_OPSET <= opset <= newest:
        raise ValueError(
            f"opset {opset} is not supported; the exporter writes opsets {OLDER_OPSET} to"
            f" {newest}, the newest of onnxruntime {onnxruntime.__version__}"
            " (onnx.version_converter converts files of the style 'standard' further)"
        )


def check_module(module: torch.nn.Module, *, training: bool) -> None:
    """Requires finite slopes, and RReLU in training mode only if wanted."""
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.RReLU) and part.training and not training:
            raise ValueError(f"{_place(name)}RReLU is in training mode; {_HOW_TO_TRAIN}")
        if isinstance(part, torch.nn.PReLU):
            _check_slopes(f"{_place(name)}PReLU", part.weight)


def check_tensors(tensors: Mapping[str, object]) -> None:
    """Refuses floating-point types that the operators do not have; integers may be indices."""
    for name, tensor in tensors.items():
        if isinstance(tensor, torch.dtype) or (
            isinstance(tensor, torch.Tensor) and tensor.is_quantized
        ):  # packed parameters of a quantised module
            raise TypeError(
                f"{name} is quantised: export the module as it was before the quantisation, and"
                " quantise the file, with onnxruntime.quantization"
            )
        if not isinstance(tensor, torch.Tensor):  # extra state, of any kind
            continue
        dtype = str(tensor.dtype).removeprefix("torch.")
        if (tensor.is_complex() or tensor.is_floating_point()) and dtype not in ELEMENT_TYPES:
            raise TypeError(
                f"{name} is {dtype}; supported element types are {', '.join(ELEMENT_TYPES)}"
            )


def check_activations(model: onnx.ModelProto, *, training: bool) -> None:
    """Checks element types and parameters of every `onnx_acts` node.

    Raises:
        TypeError: an element type that is not supported.
        ValueError: a parameter that is NaN or infinite or overflows the compute type, bounds in
            the wrong order, or training mode that was not asked for.
    """
    types, constants = element_types(model), _constants(model)
    for node in walk_nodes(model):
        if node.domain != DOMAIN:
            continue
        try:
            _check_node(node, [types.get(name, "unknown") for name in node.input], training)
            for name in node.input[1:]:
                if name in constants:
                    array = numpy_helper.to_array(constants[name]).astype(np.float64)
                    _check_slopes(node.op_type, torch.from_numpy(array))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{_place(_scope(node))}{error}") from error


def _check_node(node: onnx.NodeProto, dtypes: Sequence[str], training: bool) -> None:
    values = read_attributes(node)
    if node.op_type != "ReLU" or "int" not in dtypes[0]:  # ReLU of integers stays standard
        check_element_types(spec_of(node.op_type), dtypes)
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{node.op_type}: {name} is {value}; it must be finite")
        if dtypes[0] != "float64" and abs(value) > _FLOAT32_MAX and isinstance(value, float):
            raise ValueError(
                f"{node.op_type}: {name} is {value}; that overflows float32, in which a model of"
                f" {dtypes[0]} computes"
            )
    if values.get("training_mode") and not training:
        raise ValueError(f"RReLU is in training mode; {_HOW_TO_TRAIN}")


def _check_slopes(operator: str, slopes: torch.Tensor) -> None:
    wrong = torch.nonzero(~torch.isfinite(slopes.detach().flatten())).flatten()
    if wrong.numel():
        index = int(wrong[0])
        raise ValueError(
            f"{operator}: slope {index} of {slopes.numel()} is {slopes.flatten()[index].item()};"
            " every slope must be finite"
        )


def _constants(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """The constant tensors of the model by name, also under the names of their reshaped forms."""
    tensors = {item.name: item for item in model.graph.initializer}
    for node in walk_nodes(model):
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    for node in walk_nodes(model):  # torch reshapes small constants itself and leaves large ones
        if node.op_type in ("Reshape", "Identity") and node.input[0] in tensors:
            tensors[node.output[0]] = tensors[node.input[0]]
    return tensors


def _scope(node: onnx.NodeProto) -> str:
    """The name of the submodule that a node comes from; torch writes it into the node."""
    for item in node.metadata_props:
        if item.key == "pkg.torch.onnx.name_scopes":
            scopes = ast.literal_eval(item.value)
            return str(scopes[-2]) if len(scopes) > 1 else ""
    return ""


def _place(name: str) -> str:
    return f"in submodule {name!r}: " if name else ""
