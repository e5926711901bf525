"""Models on tensors of 8 bits, for tests: one node of ours, and the pair around a standard one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.definition.specs import Spec, spec_of
from onnx_acts.files.embedding import embed_functions

Array = NDArray[Any]

Shape = Sequence[int | str]

PRELU, ELU = spec_of("QLinearPReLU"), spec_of("QLinearELU")

TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}


def f32(values: Any) -> Array:
    """Scales or slopes."""
    return np.asarray(values, np.float32)


def u8(values: Any) -> Array:
    """Elements."""
    return np.asarray(values, np.uint8)


def one_node(
    spec: Spec,
    x_shape: Shape,
    slope_shape: Shape = (),
    constants: Mapping[str, Array] | None = None,
    **attributes: float,
) -> onnx.ModelProto:
    """A model of one node with its body; inputs that are not constants are the model's."""
    stored = constants or {}
    names = [name for name in spec.inputs if name not in stored]
    shapes: dict[str, Shape] = {"X": x_shape, "slope": slope_shape}
    graph = helper.make_graph(
        [onnx_acts.make_node(spec.name, spec.inputs, ["Y"], node_name="act", **attributes)],
        "quantized",
        [
            helper.make_tensor_value_info(name, element_type(spec, name), shapes.get(name, ()))
            for name in names
        ],
        [helper.make_tensor_value_info("Y", TensorProto.UINT8, x_shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("onnx_acts", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    embed_functions(model)
    return model


def element_type(spec: Spec, name: str) -> int:
    """The number of an input's element type."""
    return int(TYPES[spec.input_types.get(name, "uint8")])


def scales(x_scale: float, x_zero: int, y_scale: float, y_zero: int) -> dict[str, Array]:
    """The inputs between X and the slope."""
    return {
        "x_scale": np.array(x_scale, np.float32),
        "x_zero_point": np.array(x_zero, np.uint8),
        "y_scale": np.array(y_scale, np.float32),
        "y_zero_point": np.array(y_zero, np.uint8),
    }


def some_scales(count: int, seed: int = 0) -> list[dict[str, Array]]:
    """Scales and zero points: every second are powers of two, which give ties."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        if number % 2:
            x_scale, y_scale = 2.0 ** rng.integers(-9, 1, 2)
        else:
            x_scale, y_scale = 10 ** rng.uniform(-4, 0, 2)
        zeros = rng.choice([0, 1, 127, 128, 254, 255, *rng.integers(0, 256, 4)], 2)
        found.append(scales(float(x_scale), int(zeros[0]), float(y_scale), int(zeros[1])))
    return found
