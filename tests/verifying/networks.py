"""Deep networks for the tests of `verify`, written node by node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["changed", "deep", "node_called", "stored_called"]


def deep(blocks: int = 18, *, channels: int = 8, opset: int = 17, seed: int = 5) -> onnx.ModelProto:
    """A residual network of `blocks` times Conv, activation, Transpose there and back, Conv, Add.

    The activations are LeakyRelu, PRelu and Elu in turn; the last nodes pool and project.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    nodes: list[onnx.NodeProto] = []
    stored: list[onnx.TensorProto] = []

    def keep(name: str, array: np.ndarray) -> str:
        stored.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def conv(number: str, x: str) -> str:
        weight = generator.standard_normal((channels, channels, 3, 3)) / (3 * channels**0.5)
        inputs = [x, keep(f"{number}.weight", weight), keep(f"{number}.bias", np.zeros(channels))]
        nodes.append(
            helper.make_node("Conv", inputs, [f"{number}_out"], name=number, pads=[1, 1, 1, 1])
        )
        return f"{number}_out"

    def node(operator: str, inputs: list[str], name: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [f"{name}_out"], name=name, **attributes))
        return f"{name}_out"

    x = "x"
    for i in range(blocks):
        y = conv(f"conv{i}a", x)
        if i % 3 == 0:
            y = node("LeakyRelu", [y], f"act{i}", alpha=0.1)
        elif i % 3 == 1:
            slope = keep(f"act{i}.slope", generator.uniform(0.1, 0.4, (channels, 1, 1)))
            y = node("PRelu", [y, slope], f"act{i}")
        else:
            y = node("Elu", [y], f"act{i}", alpha=1.0)
        y = node("Transpose", [y], f"there{i}", perm=[0, 1, 3, 2])
        y = conv(f"conv{i}b", y)
        y = node("Transpose", [y], f"back{i}", perm=[0, 1, 3, 2])
        y = node("Add", [y, x], f"add{i}")
        x = node("Mul", [y, keep(f"scale{i}.by", np.array(0.7))], f"scale{i}")
    y = node("GlobalAveragePool", [x], "pool")
    y = node("Flatten", [y], "flat")
    weight = keep("fc.weight", generator.standard_normal((channels, 4)))
    y = node("Gemm", [y, weight, keep("fc.bias", np.ones(4))], "fc")
    nodes.append(helper.make_node("Softmax", [y], ["y"], name="softmax", axis=-1))
    graph = helper.make_graph(
        nodes,
        "deep",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", channels, 12, 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        initializer=stored,
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def node_called(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    """The node of that name."""
    (found,) = [node for node in model.graph.node if node.name == name]
    return found


def stored_called(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    """The initializer of that name."""
    (found,) = [tensor for tensor in model.graph.initializer if tensor.name == name]
    return found


def changed(
    model: onnx.ModelProto, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> onnx.ModelProto:
    """A copy of a model with another value of one initializer."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    tensor = stored_called(copy, name)
    array = np.array(change(numpy_helper.to_array(tensor).copy()))
    tensor.CopyFrom(numpy_helper.from_array(array.astype(array.dtype), name))
    return copy
