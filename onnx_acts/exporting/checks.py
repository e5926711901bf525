"""What cannot be exported, found before anything is written; messages name the submodule."""

from __future__ import annotations

import ast
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from onnx_acts.inference import element_types
from onnx_acts.nodes import read_attributes
from onnx_acts.specs import DOMAIN, ELEMENT_TYPES, spec_of
from onnx_acts.structure import walk_nodes
from onnx_acts.validation import check_element_types

__all__ = [
    "MINIMUM_OPSET",
    "check_activations",
    "check_module",
    "check_opset",
    "check_style",
    "check_target",
    "check_tensors",
]

MINIMUM_OPSET = 18
"""The oldest opset that torch's exporter writes without converting."""

_HOW_TO_TRAIN = (
    "call module.eval() to export the mean slope, or pass training=True (--training) to export"
    " random slopes"
)


def check_style(style: str, ops: Iterable[str]) -> None:
    """Requires a known style and known operators."""
    if style not in ("acts", "standard"):
        raise ValueError(f"style must be 'acts' or 'standard', got {style!r}")
    for name in ops:
        spec_of(name)


def check_opset(opset: int) -> None:
    """Requires an opset that the exporter can write."""
    newest = onnx.defs.onnx_opset_version()
    if not MINIMUM_OPSET <= opset <= newest:
        raise ValueError(
            f"opset {opset} is not supported; the exporter writes opsets {MINIMUM_OPSET} to"
            f" {newest} (onnx.version_converter converts files of the style 'standard' further)"
        )


def check_target(path: str | os.PathLike[str]) -> None:
    """Requires a place where the file can be written, before the work is done."""
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {target}: it is a directory")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {target}: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {target.parent} is read-only")


def check_module(module: object, *, training: bool) -> None:
    """Requires a Python module, without RReLU in training mode unless that was asked for."""
    if isinstance(module, torch.jit.ScriptModule):
        raise TypeError(
            "a TorchScript module cannot be exported: build the Python module and load its weights"
            " with module.load_state_dict(scripted.state_dict())"
        )
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.RReLU) and part.training and not training:
            raise ValueError(f"{_place(name)}RReLU is in training mode; {_HOW_TO_TRAIN}")


def check_tensors(tensors: Mapping[str, torch.Tensor]) -> None:
    """Refuses floating-point types that the operators do not have; integers may be indices."""
    for name, tensor in tensors.items():
        dtype = str(tensor.dtype).removeprefix("torch.")
        if (tensor.is_complex() or tensor.is_floating_point()) and dtype not in ELEMENT_TYPES:
            raise TypeError(
                f"{name} is {dtype}; supported element types are {', '.join(ELEMENT_TYPES)}"
            )


def check_activations(model: onnx.ModelProto, *, training: bool) -> None:
    """Checks element types and parameters of every `onnx_acts` node.

    Raises:
        TypeError: an element type that is not supported.
        ValueError: a parameter that is NaN or infinite, bounds in the wrong order, or training
            mode that was not asked for.
    """
    types, constants = element_types(model), _constants(model)
    for node in walk_nodes(model):
        if node.domain != DOMAIN:
            continue
        try:
            _check_node(node, [types.get(name, "unknown") for name in node.input], training)
            for name in node.input[1:]:
                _check_finite(node, name, constants.get(name))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{_place(_scope(node))}{error}") from error


def _check_node(node: onnx.NodeProto, dtypes: Sequence[str], training: bool) -> None:
    values = read_attributes(node)
    if node.op_type != "ReLU" or "int" not in dtypes[0]:  # ReLU of integers stays standard
        check_element_types(spec_of(node.op_type), dtypes)
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{node.op_type}: {name} is {value}; it must be finite")
    if values.get("training_mode") and not training:
        raise ValueError(f"RReLU is in training mode; {_HOW_TO_TRAIN}")


def _check_finite(node: onnx.NodeProto, name: str, slope: NDArray[np.floating] | None) -> None:
    if slope is None:
        return
    wrong = np.flatnonzero(~np.isfinite(slope.astype(np.float64)))
    if wrong.size:
        raise ValueError(
            f"{node.op_type}: slope {wrong[0]} of {slope.size} is {slope.reshape(-1)[wrong[0]]};"
            f" every slope must be finite ({name} in the graph)"
        )


def _constants(model: onnx.ModelProto) -> dict[str, NDArray[np.floating]]:
    """The constant slopes of the model by name."""
    wanted = {
        name for node in walk_nodes(model) if node.domain == DOMAIN for name in node.input[1:]
    }
    tensors = {item.name: item for item in model.graph.initializer}
    for node in walk_nodes(model):
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    return {name: numpy_helper.to_array(tensors[name]) for name in wanted & set(tensors)}


def _scope(node: onnx.NodeProto) -> str:
    """The name of the submodule that a node comes from; torch writes it into the node."""
    for item in node.metadata_props:
        if item.key == "pkg.torch.onnx.name_scopes":
            scopes = ast.literal_eval(item.value)
            return str(scopes[-2]) if len(scopes) > 1 else ""
    return ""


def _place(name: str) -> str:
    return f"in submodule {name!r}: " if name else ""
