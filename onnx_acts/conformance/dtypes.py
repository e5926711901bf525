"""The element types of the cases, as NumPy and ONNX have them."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from onnx import helper

__all__ = ["limits_of", "numpy_type", "onnx_type", "text_type"]

_TEXTS = {"float32": "float", "float64": "double"}
"""The names that ONNX's text syntax has for element types, where they are not NumPy's."""


def numpy_type(dtype: str) -> np.dtype[Any]:
    """The NumPy element type of that name."""
    return np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)


def limits_of(kind: np.dtype[Any]) -> Any:
    """The limits of an element type, as `numpy.finfo` gives them."""
    return ml_dtypes.finfo(kind)  # type: ignore[no-untyped-call]  # ml_dtypes declares no types


def onnx_type(dtype: str) -> int:
    """The number that ONNX gives to the element type of that name."""
    return int(helper.np_dtype_to_tensor_dtype(numpy_type(dtype)))


def text_type(dtype: str) -> str:
    """The name that ONNX's text syntax has for the element type."""
    return _TEXTS.get(dtype, dtype)
