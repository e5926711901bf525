"""What is known of one value: its element type and its shape."""

from __future__ import annotations

import dataclasses
import functools

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
import onnx
from onnx import helper

__all__ = ["Known", "Shape", "dtype_name", "in_file", "value_info"]

_MADE_UP = "unk__"
"""How the names begin that onnx makes up for sizes."""

Shape = tuple[int | str | None, ...]
"""Sizes, names of symbolic sizes, and None where nothing is known."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a value: its element type (a NumPy name) and shape, None where unknown."""

    dtype: str | None = None
    shape: Shape | None = None


def value_info(name: str, known: Known) -> onnx.ValueInfoProto:
    """Makes a `ValueInfoProto` of a known element type, without the names that onnx makes up."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(known.dtype))
    shape = None if known.shape is None else tuple(map(in_file, known.shape))
    return helper.make_tensor_value_info(name, kind, shape)


def in_file(size: int | str | None) -> int | str | None:
    """A size as a file has it: without the names that onnx makes up when it infers shapes."""
    return None if isinstance(size, str) and size.startswith(_MADE_UP) else size


def dtype_name(element_type: int, value: str) -> str | None:
    """Returns the NumPy (ml_dtypes) name of a number of `TensorProto.DataType`, None for UNDEFINED.

    Args:
        element_type: the number.
        value: the name of the value that has it, for the message.

    Raises:
        ValueError: onnx does not know the number.
    """
    if element_type == onnx.TensorProto.UNDEFINED:
        return None
    if not _is_element_type(element_type):
        raise ValueError(
            f"{value!r} has the element type {element_type}, which onnx {onnx.__version__} does not"
            " know: the model is damaged, or needs a newer onnx"
        )
    return _numpy_name(element_type)


@functools.cache
def _is_element_type(number: int) -> bool:
    return number in onnx.TensorProto.DataType.values()


@functools.cache
def _numpy_name(element_type: int) -> str:
    dtype: np.dtype[np.generic] = helper.tensor_dtype_to_np_dtype(element_type)
    return dtype.name
