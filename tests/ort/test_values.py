"""Arrays go to ONNX Runtime and come back bit for bit."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from onnx_acts.ort.values import from_ort, to_ort


@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (2, 3, 4)])
@pytest.mark.parametrize(
    "dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int64, np.bool_]
)
def test_round_trip(dtype: type, shape: tuple[int, ...]) -> None:
    """Every element type and shape, empty and without dimensions included."""
    values = np.random.default_rng(0).standard_normal(shape) * 3
    array: NDArray[Any] = np.asarray(values).astype(dtype)
    back = from_ort(to_ort(array))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float32])
def test_copies(dtype: type) -> None:
    """What comes back outlives the value, and strides do not matter."""
    array: NDArray[Any] = np.arange(6).astype(dtype).reshape(2, 3).T
    value = to_ort(array)
    back = from_ort(value)
    del value
    assert back.tolist() == array.tolist()
    back[0] = 9  # it can be written


def test_old_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX Runtime that cannot take bfloat16 is named, with the way out."""
    monkeypatch.delattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type")
    with pytest.raises(ImportError, match=r"takes no bfloat16 arrays.*newer onnxruntime"):
        to_ort(np.zeros(2, ml_dtypes.bfloat16))
