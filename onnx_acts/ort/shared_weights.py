"""Sessions on a model in memory that share its large weights, by way of a file.

A session takes a model in memory as bytes: its weights are copied into these, decoded from these
and then packed, all once for each session. Of a large network that takes many times as long as
a run. Weights in a file of their own are mapped into memory by all sessions.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import numpy_helper

from onnx_acts.files.reading import check_model_in_memory
from onnx_acts.files.saving import serialised
from onnx_acts.files.weights import (
    copy_without_weights,
    has_raw_data_only,
    is_large,
    set_external,
)
from onnx_acts.files.wire import Range

__all__ = ["write_shared"]

_PAGE = 4096
"""Where the data of a tensor starts, in multiples of bytes: mapped as it is."""


def write_shared(model: onnx.ModelProto, folder: Path) -> Path:
    """Writes a model, which stays as it is, and its large weights to two files for sessions.

    Nothing is flushed to the disk: the files are for this process, and not to last.

    Args:
        model: the model.
        folder: an empty folder.

    Returns:
        The path of the model.

    Raises:
        ValueError: as in `onnx_acts.files.reading.check_model_in_memory`, or the model is above
            2 GiB without its initializers.
        OSError: it cannot be written.
    """
    light = copy_without_weights(check_model_in_memory(model))
    path = folder / "model.onnx"
    with open(folder / "weights", "wb") as stream:
        for tensor, copy in zip(model.graph.initializer, light.graph.initializer, strict=True):
            if is_large(tensor):
                data = _bytes_of(tensor)
                place = Range(stream.seek(-(-stream.tell() // _PAGE) * _PAGE), len(data))
                stream.write(data)
                set_external(copy, "weights", place)
    path.write_bytes(serialised(light))
    return path


def _bytes_of(tensor: onnx.TensorProto) -> bytes:
    """A tensor's data as a file has it."""
    if has_raw_data_only(tensor):
        return bytes(tensor.raw_data)
    return bytes(numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data)
