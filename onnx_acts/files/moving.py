"""Moving the data of tensors to a new file beside a model."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import onnx
from onnx import TensorProto, numpy_helper

from onnx_acts.files.opened import OpenFile
from onnx_acts.files.references import data_range, is_reference
from onnx_acts.files.sources import Weights
from onnx_acts.files.weights import (
    check_external_data,
    copy_without_weights,
    external_range,
    external_tensors,
    is_large,
    set_external,
)
from onnx_acts.files.wire import Range
from onnx_acts.files.writing import copy_range

__all__ = ["move_external", "move_weights"]

_ALIGNMENT = 4096
"""Where tensors start in a sidecar, so that it can be mapped into memory."""


def move_weights(
    model: onnx.ModelProto, stream: BinaryIO, location: str, weights: Weights
) -> onnx.ModelProto:
    """Writes the large initializers to `stream`; the copy returned refers to them."""
    light = copy_without_weights(model)
    for tensor, copy in zip(model.graph.initializer, light.graph.initializer, strict=True):
        if is_reference(tensor):
            assert weights.data is not None  # the reference comes from there
            start, place = _aligned(stream), data_range(tensor)
            copy_range(weights.data, place, stream)
            set_external(copy, location, Range(start, place.length))
        elif is_large(tensor):
            start = _aligned(stream)
            stream.write(_raw(tensor))
            set_external(copy, location, Range(start, stream.tell() - start))
    return light


def move_external(
    model: onnx.ModelProto, stream: BinaryIO, location: str, weights: Weights
) -> onnx.ModelProto:
    """Copies external data to `stream`; the copy returned refers to it there.

    Each range of a file is copied once, however many tensors share it.
    """
    assert weights.folder is not None  # it is where the data is
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    found: dict[Path, dict[Range, list[TensorProto]]] = {}
    for tensor in external_tensors(copy):
        if not is_reference(tensor):
            file = check_external_data(tensor, weights.folder)
            found.setdefault(file, {}).setdefault(external_range(tensor), []).append(tensor)
    for path, ranges in found.items():
        with OpenFile(path) as source:
            for place, tensors in ranges.items():
                start = _aligned(stream)
                copy_range(source, place, stream)
                for tensor in tensors:
                    set_external(tensor, location, Range(start, place.length))
            source.check_unchanged()
    return copy


def _aligned(stream: BinaryIO) -> int:
    """Fills a stream up to where the next tensor may start; returns the place."""
    stream.write(bytes(-stream.tell() % _ALIGNMENT))
    return stream.tell()


def _raw(tensor: TensorProto) -> bytes:
    if tensor.HasField("raw_data"):
        return bytes(tensor.raw_data)
    return bytes(numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data)
