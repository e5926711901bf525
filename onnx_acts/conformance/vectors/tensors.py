"""Tensors in files: `TensorProto` and NumPy's `.npy`."""

from __future__ import annotations

import io
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

__all__ = ["read_npy", "read_tensor", "tensor_bytes"]

Array = NDArray[Any]

_BFLOAT16_WORDS = (np.dtype("V2"), np.dtype(np.uint16))
"""What NumPy's format, which has no bfloat16, may hold in its place."""


def tensor_bytes(array: Array, name: str) -> bytes:
    """The array as a serialised TensorProto."""
    packed = np.array(array, order="C")  # np.ascontiguousarray makes 0-d arrays 1-d
    return bytes(numpy_helper.from_array(packed, name).SerializeToString(deterministic=True))


def read_tensor(data: bytes) -> Array:
    """Reads a serialised TensorProto.

    Raises:
        ValueError: it is none, or its data is in another file.
    """
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(data)
    except DecodeError as error:
        raise ValueError("not a TensorProto") from error
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ValueError("its data is in another file; put it into the tensor")
    if min(tensor.dims, default=0) < 0:
        raise ValueError(f"its shape is {tuple(tensor.dims)}")
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"a damaged TensorProto: {error}") from error


def read_npy(data: bytes, dtype: np.dtype[Any]) -> Array:
    """Reads NumPy's format, of any byte order; of bfloat16, which it has not, the 16-bit words.

    Args:
        data: the file's bytes.
        dtype: the element type that is expected.

    Raises:
        ValueError: not NumPy's format, or objects in it.
    """
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"not a .npy file of numbers: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ValueError("a .npz archive; a .npy file of one array was expected")
    array = _native(array)
    is_bits = dtype == ml_dtypes.bfloat16 and array.dtype in _BFLOAT16_WORDS
    return array.view(dtype) if is_bits else array


def _native(array: Array) -> Array:
    """The same numbers in the byte order of this machine: the format says which one they have."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
