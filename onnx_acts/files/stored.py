"""Models in memory as light models: writing one then takes no second copy of its weights."""

from __future__ import annotations

import bisect

import onnx
from google.protobuf.unknown_fields import UnknownFieldSet
from onnx import TensorProto

from onnx_acts.files.references import refer
from onnx_acts.files.weights import (
    copy_without_weights,
    declared_bytes,
    has_raw_data_only,
    is_large,
)
from onnx_acts.files.wire import Range

__all__ = ["Stored", "without_data"]


class Stored:
    """The raw data of tensors, as if one after the other; a slice is of one of them."""

    def __init__(self) -> None:
        """Of no tensors yet."""
        self._tensors: list[TensorProto] = []
        self._starts: list[int] = []
        self._length = 0
        self._last = -1, b""

    def add(self, tensor: TensorProto) -> Range:
        """Adds a tensor's data; returns where it is.

        Its length is told by the shape: protobuf would copy the data to tell it.
        """
        place = Range(self._length, declared_bytes(tensor))
        self._tensors.append(tensor)
        self._starts.append(place.start)
        self._length += place.length
        return place

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> bytes:
        number = bisect.bisect_right(self._starts, part.start) - 1
        if self._last[0] != number:  # protobuf gives a copy, which is kept for the next part
            tensor = self._tensors[number]
            self._last = number, tensor.raw_data
            if len(self._last[1]) != declared_bytes(tensor):
                raise ValueError(
                    f"tensor {tensor.name!r} has {len(self._last[1])} bytes of data, and its shape"
                    f" says {declared_bytes(tensor)}"
                )
        start = self._starts[number]
        return self._last[1][part.start - start : part.stop - start]


def without_data(model: onnx.ModelProto) -> tuple[onnx.ModelProto, Stored | None]:
    """Returns a model with references to the data of its large initializers, and that data.

    Where the copy would lose fields that onnx does not know, the model itself comes back.
    """
    known = (model, model.graph, *model.graph.initializer)
    if any(len(UnknownFieldSet(message)) for message in known):
        return model, None
    light, data = copy_without_weights(model), Stored()
    for tensor, copy in zip(model.graph.initializer, light.graph.initializer, strict=True):
        if is_large(tensor) and has_raw_data_only(tensor):
            refer(copy, data.add(tensor))
        elif is_large(tensor):
            copy.CopyFrom(tensor)
    return light, data
