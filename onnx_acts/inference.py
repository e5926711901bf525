"""Element types and shapes of the values of a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError
from onnx import helper

from onnx_acts.runtime_types import types_in_runtime
from onnx_acts.scans import complete_scans, scan_bodies
from onnx_acts.schemas import register_schemas
from onnx_acts.structure import import_domain, walk_graphs
from onnx_acts.weights import copy_without_weights

__all__ = [
    "Known",
    "Shape",
    "complete_scan_outputs",
    "dtype_name",
    "element_types",
    "in_file",
    "inferred",
    "known_values",
    "shape_of",
    "value_info",
]

_MADE_UP = "unk__"
"""How the names begin that onnx makes up for sizes."""

Shape = tuple[int | str | None, ...]
"""Sizes, names of symbolic sizes, and None where nothing is known."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a value: its element type (a NumPy name) and shape, None where unknown."""

    dtype: str | None = None
    shape: Shape | None = None


def element_types(model: onnx.ModelProto) -> dict[str, str]:
    """Returns the NumPy names of the element types of the values whose types are known."""
    return {name: known.dtype for name, known in known_values(model).items() if known.dtype}


def known_values(model: onnx.ModelProto) -> dict[str, Known]:
    """Returns what inference finds out about the values of a model, those of subgraphs included.

    Two subgraphs may use one name for different values: what differs between them is unknown.
    """
    dtypes: dict[str, set[str | None]] = {}
    shapes: dict[str, set[Shape]] = {}
    for graph in walk_graphs(inferred(model).graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            kind = value.type.tensor_type
            dtypes.setdefault(value.name, set()).add(dtype_name(kind.elem_type, value.name))
            if kind.HasField("shape"):
                shapes.setdefault(value.name, set()).add(shape_of(kind.shape))
        for tensor in graph.initializer:
            dtypes.setdefault(tensor.name, set()).add(dtype_name(tensor.data_type, tensor.name))
            shapes.setdefault(tensor.name, set()).add(tuple(tensor.dims))
    found = {}
    for name, kinds in dtypes.items():
        known = kinds - {None}
        dtype = known.pop() if len(known) == 1 else None
        found[name] = Known(dtype, _common(shapes.get(name, set())))
    return found


def _common(shapes: Collection[Shape]) -> Shape | None:
    """What all of some shapes say; None where they have different ranks."""
    if len({len(shape) for shape in shapes}) != 1:
        return None
    columns = (set(sizes) for sizes in zip(*shapes, strict=True))
    return tuple(sizes.pop() if len(sizes) == 1 else None for sizes in columns)


def shape_of(shape: onnx.TensorShapeProto) -> Shape:
    """Returns a shape as a tuple; exporters also write a negative size where it is unknown."""
    return tuple(
        (int(size.dim_value) if size.dim_value >= 0 else None)
        if size.HasField("dim_value")
        else size.dim_param or None
        for size in shape.dim
    )


def complete_scan_outputs(model: onnx.ModelProto) -> None:
    """Gives the outputs of Scan bodies the types and shapes that inference finds, in place.

    ONNX Runtime must know how many dimensions they have, and does not always find out where the
    function that makes one has been inlined.
    """
    bodies = [graph for graph in walk_graphs(model.graph) for graph in scan_bodies(graph)]
    open_outputs = [
        value
        for body in bodies
        for value in body.output
        if not value.type.tensor_type.HasField("shape")
    ]
    values = known_values(model) if open_outputs else {}
    for value in open_outputs:
        known = values.get(value.name, Known())
        if known.dtype and known.shape is not None:
            value.CopyFrom(value_info(value.name, known))


def value_info(name: str, known: Known) -> onnx.ValueInfoProto:
    """Makes a `ValueInfoProto` of a known element type, without the names that onnx makes up."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(known.dtype))
    shape = None if known.shape is None else tuple(map(in_file, known.shape))
    return helper.make_tensor_value_info(name, kind, shape)


def in_file(size: int | str | None) -> int | str | None:
    """A size as a file has it: without the names that onnx makes up when it infers shapes."""
    return None if isinstance(size, str) and size.startswith(_MADE_UP) else size


def inferred(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns a copy with `value_info` completed as far as possible and without large weights.

    What onnx does not know (the operators of ONNX Runtime's own domains, which its optimised files
    have, say) ONNX Runtime is asked for.
    """
    register_schemas()
    light = copy_without_weights(model)
    import_domain(light)  # else onnx would infer nothing at all
    light = _inferred_by_onnx(light)
    if complete_scans(light):
        light = _inferred_by_onnx(light)
    light.graph.value_info.extend(types_in_runtime(light))
    return light


def _inferred_by_onnx(model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        return onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError, ValueError):
        return model  # a model that inference cannot follow still has its declared types
    except (DecodeError, EncodeError) as error:
        raise ValueError(
            f"the model cannot be processed, even without its weights: {error}"
        ) from error


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
    if element_type not in onnx.TensorProto.DataType.values():
        raise ValueError(
            f"{value!r} has the element type {element_type}, which onnx {onnx.__version__} does not"
            " know: the model is damaged, or needs a newer onnx"
        )
    dtype: np.dtype[np.generic] = helper.tensor_dtype_to_np_dtype(element_type)
    return dtype.name
