"""Values on their way through a graph: arrays, and what is none (sequences, optionals)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TypeProto, helper

from onnx_acts.ort.values import from_ort, to_ort

__all__ = ["Opaque", "Value", "as_fed", "as_value", "type_of"]


@dataclasses.dataclass(frozen=True)
class Opaque:
    """A value that is handed on and not looked into.

    Attributes:
        value: as ONNX Runtime gave it.
        kind: its type as ONNX Runtime writes it, like "seq(tensor(float))".
    """

    value: onnxruntime.OrtValue
    kind: str


_ELEMENTS = frozenset(onnx.TensorProto.DataType.keys())

Value = NDArray[Any] | Opaque


def as_value(value: onnxruntime.OrtValue) -> Value:
    """What a session gave."""
    if not value.is_tensor():
        return Opaque(value, value.data_type())
    if value.data_type() == "tensor(string)":
        return np.array(value.numpy(), dtype=object)
    return from_ort(value)


def as_fed(value: Value) -> onnxruntime.OrtValue:
    """What a session takes."""
    return value.value if isinstance(value, Opaque) else to_ort(value)


def type_of(value: Value) -> TypeProto:
    """The type of a value, with the number of its dimensions and not their sizes."""
    if isinstance(value, Opaque):
        return _written_type(value.kind)
    if value.dtype.kind in "OSU":
        element = onnx.TensorProto.STRING
    else:
        element = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_type_proto(element, [None] * value.ndim)


def _written_type(text: str) -> TypeProto:
    """Reads a type as ONNX Runtime writes it."""
    kind, _, inner = text.removesuffix(")").partition("(")
    if kind == "seq":
        return helper.make_sequence_type_proto(_written_type(inner))
    if kind == "optional":
        return helper.make_optional_type_proto(_written_type(inner))
    if kind != "tensor" or inner.upper() not in _ELEMENTS:
        raise ValueError(f"a value of the type {text} cannot be handed from node to node")
    return helper.make_tensor_type_proto(onnx.TensorProto.DataType.Value(inner.upper()), None)
