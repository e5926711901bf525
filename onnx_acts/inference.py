"""Element types and shapes of the values of a model."""

from __future__ import annotations

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import helper

from onnx_acts.schemas import register_schemas
from onnx_acts.structure import walk_graphs
from onnx_acts.weights import copy_without_weights

__all__ = ["dtype_name", "element_types", "inferred"]


def element_types(model: onnx.ModelProto) -> dict[str, str]:
    """Returns the NumPy names of the element types of the values whose types are known.

    Values of subgraphs are included. Two subgraphs may use one name for different values: where
    their types differ, the name is left out.
    """
    types: dict[str, set[int]] = {}
    for graph in walk_graphs(inferred(model).graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            types.setdefault(value.name, set()).add(value.type.tensor_type.elem_type)
        for initializer in graph.initializer:
            types.setdefault(initializer.name, set()).add(initializer.data_type)
    found = {name: kinds - {onnx.TensorProto.UNDEFINED} for name, kinds in types.items()}
    return {name: dtype_name(kinds.pop(), name) for name, kinds in found.items() if len(kinds) == 1}


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy with `value_info` completed as far as possible and without large weights."""
    register_schemas()
    light = copy_without_weights(model)
    try:
        return onnx.shape_inference.infer_shapes(light)
    except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, ValueError):
        return light  # a model that inference cannot follow still has its declared types
    except (DecodeError, EncodeError) as error:
        raise ValueError(
            f"the model cannot be processed, even without its weights: {error}"
        ) from error


def dtype_name(element_type: int, value: str) -> str:
    """Returns the NumPy (ml_dtypes) name of a number of `TensorProto.DataType`.

    Args:
        element_type: the number.
        value: the name of the value that has it, for the message.

    Raises:
        ValueError: onnx does not know the number.
    """
    if element_type not in onnx.TensorProto.DataType.values():
        raise ValueError(
            f"{value!r} has the element type {element_type}, which onnx {onnx.__version__} does not"
            " know: the model is damaged, or needs a newer onnx"
        )
    dtype: np.dtype[np.generic] = helper.tensor_dtype_to_np_dtype(element_type)
    return dtype.name
