"""What an exported file says about its origin."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from typing import Any

import onnx
import onnxruntime
import torch
from onnx import helper

from onnx_acts.exporting.result import OutputError
from onnx_acts.structure import walk_nodes

__all__ = ["clean", "describe", "verification_record"]

_PRODUCER = "onnx-acts"
_STACK_TRACE = "pkg.torch.onnx.stack_trace"


def clean(model: onnx.ModelProto) -> None:
    """Removes what torch's exporter leaves behind: file paths of this machine and loose ends."""
    for node in walk_nodes(model):
        if node.op_type == "RReLU":
            del node.output[1:]  # the translations use only the first output
        for item in list(node.metadata_props):
            if item.key == _STACK_TRACE:
                node.metadata_props.remove(item)
    for value in list(model.graph.value_info):
        if not value.type.WhichOneof("value"):
            model.graph.value_info.remove(value)


def describe(
    model: onnx.ModelProto, *, style: str, ops: Sequence[str], verification: dict[str, Any]
) -> None:
    """Writes producer and `metadata_props`; real numbers in the record keep all their digits."""
    model.producer_name, model.producer_version = _PRODUCER, _version()
    properties = {item.key: item.value for item in model.metadata_props}
    properties |= {
        "onnx_acts.version": _version(),
        "onnx_acts.torch": torch.__version__,
        "onnx_acts.onnx": onnx.__version__,
        "onnx_acts.style": style,
        "onnx_acts.ops": ",".join(ops) if style == "acts" else "",
        "onnx_acts.verification": json.dumps(verification),
    }
    helper.set_model_props(model, properties)


def verification_record(status: str, errors: Sequence[OutputError]) -> dict[str, Any]:
    """Puts the verification's result into a form for JSON."""
    return {
        "status": status,
        "onnxruntime": onnxruntime.__version__,
        "outputs": [vars(error) for error in errors],
    }


def _version() -> str:
    """This package's version; a source tree that is not installed has none."""
    try:
        return importlib.metadata.version(_PRODUCER)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
