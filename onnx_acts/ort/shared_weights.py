"""Sessions on a model in memory that share its large weights.

A session takes a model in memory as bytes: its weights are copied into these, decoded from these
and then packed, all once for each session. Of a large network that takes many times as long as
a run.
"""

from __future__ import annotations

import onnx
import onnxruntime
from onnx import numpy_helper

from onnx_acts.files.reading import check_model_in_memory
from onnx_acts.files.saving import serialised
from onnx_acts.files.weights import (
    copy_without_weights,
    declared_bytes,
    has_raw_data_only,
    is_large,
    set_external,
)
from onnx_acts.files.wire import Range
from onnx_acts.ort import sessions
from onnx_acts.ort.values import to_ort

__all__ = ["SharedWeights"]

_SHARED = 2**16
"""Bytes from which a tensor is handed over as it is; smaller ones are what kernels look into."""

_TYPES = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16})
"""What every ONNX Runtime takes as a NumPy array."""


class SharedWeights:
    """A model without its large weights, and these; keep it for as long as its sessions."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Takes a model, which stays as it is.

        Raises:
            ValueError: as in `onnx_acts.files.reading.check_model_in_memory`.
        """
        light = copy_without_weights(check_model_in_memory(model))
        self._values: dict[str, onnxruntime.OrtValue] = {}
        for tensor, copy in zip(model.graph.initializer, light.graph.initializer, strict=True):
            if _is_shared(tensor):
                set_external(copy, "memory", Range(0, declared_bytes(tensor)))
                self._values[tensor.name] = to_ort(numpy_helper.to_array(tensor))
            elif is_large(tensor):
                copy.CopyFrom(tensor)
        self._light = serialised(light)

    def session(
        self, session_options: onnxruntime.SessionOptions, *, accelerated: bool
    ) -> onnxruntime.InferenceSession:
        """Opens a session on the CPU; errors as in `onnx_acts.ort.sessions.session`.

        The weights are not packed for it: that takes longer than the few runs of a comparison.
        """
        session_options.add_session_config_entry("session.disable_prepacking", "1")
        if self._values:
            names, values = list(self._values), list(self._values.values())
            session_options.add_external_initializers(names, values)
        return sessions.open_checked(self._light, session_options, accelerated=accelerated)


def _is_shared(tensor: onnx.TensorProto) -> bool:
    is_plain = tensor.data_type in _TYPES and has_raw_data_only(tensor)
    return is_plain and declared_bytes(tensor) >= _SHARED
