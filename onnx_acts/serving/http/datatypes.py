"""Element types: their names in the protocol, in NumPy and in ONNX Runtime."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["DATATYPES", "Datatype", "datatype_of"]


@dataclasses.dataclass(frozen=True)
class Datatype:
    """An element type.

    Attributes:
        name: the protocol's name, such as "FP32".
        runtime: ONNX Runtime's name of a tensor of it, such as "tensor(float)".
        dtype: NumPy's type.
        kind: "float", "int" or "bool": the JSON values that stand for its elements.
    """

    name: str
    runtime: str
    dtype: np.dtype[Any]
    kind: str


def _integers() -> list[Datatype]:
    signs = (("INT", "int"), ("UINT", "uint"))
    return [
        Datatype(f"{upper}{bits}", f"tensor({lower}{bits})", np.dtype(f"{lower}{bits}"), "int")
        for upper, lower in signs
        for bits in (8, 16, 32, 64)
    ]


DATATYPES = (
    Datatype("BOOL", "tensor(bool)", np.dtype(np.bool_), "bool"),
    *_integers(),
    Datatype("FP16", "tensor(float16)", np.dtype(np.float16), "float"),
    Datatype("BF16", "tensor(bfloat16)", np.dtype(ml_dtypes.bfloat16), "float"),
    Datatype("FP32", "tensor(float)", np.dtype(np.float32), "float"),
    Datatype("FP64", "tensor(double)", np.dtype(np.float64), "float"),
)
"""All that are served; of the protocol's, BYTES (strings) is missing."""

_BY_RUNTIME = {item.runtime: item for item in DATATYPES}


def datatype_of(runtime: str) -> Datatype | None:
    """The element type of ONNX Runtime's "tensor(float)"; None where it is not served."""
    return _BY_RUNTIME.get(runtime)
