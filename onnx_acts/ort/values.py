"""NumPy arrays and ONNX Runtime values, bfloat16 included; needs no torch."""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

__all__ = ["from_ort", "to_ort"]


def to_ort(array: NDArray[Any]) -> onnxruntime.OrtValue:
    """Copies an array to an ONNX Runtime value.

    NumPy itself has no bfloat16, so of an `ml_dtypes.bfloat16` array the bits are handed over.

    Raises:
        ImportError: bfloat16 with an ONNX Runtime that is too old to be handed bits.
    """
    packed = np.ascontiguousarray(array).reshape(array.shape)  # the former makes 0-d arrays 1-d
    if packed.dtype != ml_dtypes.bfloat16:
        return onnxruntime.OrtValue.ortvalue_from_numpy(packed)
    convert = getattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type", None)
    if convert is None:
        raise ImportError(
            f"onnxruntime {onnxruntime.__version__} takes no bfloat16 arrays from Python; install"
            " a newer onnxruntime, or use another element type"
        )
    return convert(packed.view(np.uint16), onnx.TensorProto.BFLOAT16)


def from_ort(value: onnxruntime.OrtValue) -> NDArray[Any]:
    """Copies an ONNX Runtime value to an array; bfloat16 becomes `ml_dtypes.bfloat16`."""
    if value.element_type() != onnx.TensorProto.BFLOAT16:
        return np.array(value.numpy())
    shape = tuple(value.shape())
    size = 2 * int(np.prod(shape, dtype=np.int64))  # `OrtValue.numpy` refuses bfloat16
    bits = ctypes.string_at(value.data_ptr(), size) if size else b""
    return np.frombuffer(bits, ml_dtypes.bfloat16).reshape(shape).copy()
