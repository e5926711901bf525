"""What an exported file says about its origin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
import onnxruntime
import torch
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.definition.version import version
from onnx_acts.exporting.checks import LOWEST_IR_VERSION
from onnx_acts.exporting.result import OutputError
from onnx_acts.files.structure import walk_graphs, walk_nodes
from onnx_acts.files.user_metadata import write_metadata

__all__ = ["clean", "describe", "lower_ir_version", "verification_record", "without_folders"]

_PRODUCER = "onnx-acts"
_OF_FILE = "<factory "
_FOLDERS = re.compile(rf"{_OF_FILE}[^>]*/([^/>]+)>")
"""The module that `factory` makes of a file, by its whole path."""

_STACK_TRACE = "pkg.torch.onnx.stack_trace"


def clean(model: onnx.ModelProto) -> None:
    """Removes what torch's exporter leaves behind: file paths of this machine and loose ends.

    It lists initializers among the values: other tools that change their types, as quantisation
    does, then find two types of one name.
    """
    for node in walk_nodes(model):
        if node.domain == DOMAIN:
            del node.output[1:]  # the translations use only the first output
        for item in list(node.metadata_props):
            if item.key == _STACK_TRACE:
                node.metadata_props.remove(item)
            elif _OF_FILE in item.value:
                item.value = without_folders(item.value)
    for graph in walk_graphs(model.graph):
        constants = {item.name for item in graph.initializer}
        kept = [
            value
            for value in graph.value_info
            if value.type.WhichOneof("value") and value.name not in constants
        ]
        del graph.value_info[:]
        graph.value_info.extend(kept)


def without_folders(text: str) -> str:
    """A text in which modules that were made of files have the files' names alone."""
    return _FOLDERS.sub(r"\1", text)


def lower_ir_version(model: onnx.ModelProto) -> None:
    """Lowers the file format's version to what the opset needs, so that old runtimes load the file.

    Element types that are newer than bfloat16 may need a newer format: it stays as it is.
    """
    if any(tensor_type > onnx.TensorProto.BFLOAT16 for tensor_type in _tensor_types(model)):
        return
    needed = helper.find_min_ir_version_for(model.opset_import, ignore_unknown=True)
    model.ir_version = min(model.ir_version, max(needed, LOWEST_IR_VERSION))


def _tensor_types(model: onnx.ModelProto) -> Iterator[int]:
    """The element types of the graph's values, of constants and of casts."""
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        yield value.type.tensor_type.elem_type
    yield from (tensor.data_type for tensor in graph.initializer)
    for node in walk_nodes(model):
        for attribute in node.attribute:
            yield attribute.t.data_type
            if attribute.name in ("to", "dtype", "output_dtype"):
                yield attribute.i


def describe(
    model: onnx.ModelProto,
    *,
    style: str,
    ops: Sequence[str],
    verification: dict[str, Any],
    user: Mapping[str, Any],
) -> None:
    """Writes producer and `metadata_props`; real numbers in the record keep all their digits."""
    own_version = version(_PRODUCER) or "unknown"  # a source tree that is not installed has none
    model.producer_name, model.producer_version = _PRODUCER, own_version
    properties = {item.key: item.value for item in model.metadata_props}
    properties |= {
        "onnx_acts.version": own_version,
        "onnx_acts.torch": torch.__version__,
        "onnx_acts.onnx": onnx.__version__,
        "onnx_acts.style": style,
        "onnx_acts.ops": ",".join(ops) if style == "acts" else "",
        "onnx_acts.verification": json.dumps(verification),
    }
    helper.set_model_props(model, properties)
    write_metadata(model, user)


def verification_record(
    status: str, errors: Sequence[OutputError], sizes: Mapping[str, Sequence[int]]
) -> dict[str, Any]:
    """Puts the verification's result into a form for JSON."""
    return {
        "status": status,
        "onnxruntime": onnxruntime.__version__,
        "outputs": [vars(error) for error in errors],
        "sizes": dict(sizes),
    }
