"""Models of one node, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from onnx_acts import make_node
from onnx_acts.definition import reference
from onnx_acts.definition.specs import SPECS, Spec
from onnx_acts.files.embedding import embed_functions

Array = NDArray[Any]

ALL = tuple(spec.name for spec in SPECS)
"""Every operator, for `ops`."""

FIXED = {"float16": 10, "bfloat16": 16, "float32": 1, "float64": 11}


def one_node_model(
    spec: Spec,
    dtype: str,
    *,
    opset: int = 20,
    bodies: bool = True,
    outputs: int = 1,
    slope_shape: tuple[int | str, ...] = ("C", 1),
    x_shape: tuple[int | str, ...] = ("N", "C", "L"),
    **attributes: float | int,
) -> onnx.ModelProto:
    """A model of one `onnx_acts` node; its inputs and outputs are float64, cast to `dtype` inside.

    float64 holds every value of the other types, so the casts are exact and NumPy can feed all.
    """
    inputs = [name.lower() for name in spec.inputs]
    names = [name.lower() for name in spec.outputs[:outputs]]
    kind = FIXED[dtype]
    before = [helper.make_node("Cast", [f"{name}_in"], [name], to=kind) for name in inputs]
    after = [
        helper.make_node("Cast", [name], [f"{name}_out"], to=FIXED["float64"]) for name in names
    ]
    shapes = [x_shape, slope_shape]
    graph = helper.make_graph(
        [*before, make_node(spec.name, inputs, names, node_name="act", **attributes), *after],
        "one_node",
        [
            helper.make_tensor_value_info(f"{name}_in", FIXED["float64"], shape)
            for name, shape in zip(inputs, shapes, strict=False)
        ],
        [helper.make_tensor_value_info(f"{name}_out", FIXED["float64"], x_shape) for name in names],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("onnx_acts", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    if bodies:
        embed_functions(model)
    return model


def feeds(spec: Spec, *arrays: Array) -> dict[str, Array]:
    """The inputs of a `one_node_model`, in float64."""
    return {
        f"{name.lower()}_in": np.asarray(array, dtype=np.float64)
        for name, array in zip(spec.inputs, arrays, strict=False)
    }


def in_type(values: Any, dtype: str) -> Array:
    """Float values rounded to an element type."""
    name = "bfloat16" if dtype == "bfloat16" else dtype
    return reference.rounded(np.asarray(values), np.dtype(name))
