"""What `accelerate` makes of networks on 8 bits hides no fault, and right ones are not accused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts

CHANNELS = 4
SHAPE = [1, CHANNELS, 8, 8]


def network(
    operator: str, parameter: Any, *, quantized: bool, scale: float = 0.04
) -> onnx.ModelProto:
    """Conv, activation, Conv; all between Q and DQ where it is quantized.

    Args:
        operator: PRelu, LeakyRelu, Elu, Celu or Relu.
        parameter: the slope, for a PRelu of each channel, or alpha.
        quantized: whether it is on 8 bits.
        scale: of the activation's output.
    """
    rng = np.random.default_rng(3)
    stored: dict[str, Any] = {"s": np.float32(0.04), "t": np.float32(scale), "z": np.uint8(128)}
    weights = [rng.standard_normal((CHANNELS, CHANNELS, 3, 3)) / 4 for _ in range(2)]
    nodes: list[onnx.NodeProto] = []

    def short(x: str, by: str = "s") -> str:
        if not quantized:
            return x
        q, d = f"{x}_QuantizeLinear_Output", f"{x}_DequantizeLinear_Output"
        nodes.append(helper.make_node("QuantizeLinear", [x, by, "z"], [q], f"{x}_Q"))
        nodes.append(helper.make_node("DequantizeLinear", [q, by, "z"], [d], f"{x}_DQ"))
        return d

    def conv(x: str, i: int) -> str:
        steps = np.rint(weights[i] / 0.01).clip(-127, 127)
        if quantized:
            stored.update({f"w{i}": steps.astype(np.int8), "ws": np.float32(0.01)})
            stored["wz"] = np.int8(0)
            nodes.append(helper.make_node("DequantizeLinear", [f"w{i}", "ws", "wz"], [f"d{i}"]))
        else:
            stored[f"d{i}"] = (steps * 0.01).astype(np.float32)
        nodes.append(helper.make_node("Conv", [x, f"d{i}"], [f"c{i}"], f"c{i}", pads=[1] * 4))
        return short(f"c{i}")

    x = conv(short("x"), 0)
    attributes = {} if operator in ("PRelu", "Relu") else {"alpha": parameter}
    inputs = [x, "slope"] if operator == "PRelu" else [x]
    if operator == "PRelu":
        stored["slope"] = np.reshape(parameter, (-1, 1, 1)).astype(np.float32)
    nodes.append(helper.make_node(operator, inputs, ["a"], "act", **attributes))
    nodes.append(helper.make_node("Identity", [conv(short("a", "t"), 1)], ["y"]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in stored.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


SLOPES = np.array([0.1, 0.2, 0.25, 0.3])
FAULTS = [
    ("PRelu", SLOPES, SLOPES * 1.005),
    ("PRelu", SLOPES, SLOPES * 1.5),
    ("PRelu", SLOPES, SLOPES[::-1]),
    ("LeakyRelu", 0.25, 0.26),
    ("Elu", 1.0, 0.995),
    ("Elu", 0.9, 1.8),
]


def forms(operator: str, parameter: Any, scale: float = 0.04) -> list[onnx.ModelProto]:
    """The network in floats, on 8 bits, and accelerated in two ways."""
    short = network(operator, parameter, quantized=True, scale=scale)
    return [
        network(operator, parameter, quantized=False),
        short,
        onnx_acts.accelerate(short),
        onnx_acts.accelerate(short, unsigned=True),
    ]


def test_there_are_transposes() -> None:
    """What the other tests here are about."""
    for operator, parameter, new in (("PRelu", SLOPES, "QLinearPReLU"), ("Elu", 1.0, "QLinearELU")):
        kinds = [node.op_type for node in forms(operator, parameter)[2].graph.node]
        assert kinds.count("Transpose") == 2
        assert kinds[kinds.index("Transpose") + 1] == new


@pytest.mark.parametrize(("operator", "right", "wrong"), FAULTS)
@pytest.mark.parametrize("scale", [0.04, pytest.param(0.042, marks=pytest.mark.slow)])
def test_a_fault_is_named(operator: str, right: Any, wrong: Any, scale: float) -> None:
    """A wrong slope or alpha of an accelerated file, against every form, in either order.

    The activation is named, not a Transpose or a converting node behind it, and no other node.
    """
    spoilt = forms(operator, wrong, scale)[2]
    for reference in forms(operator, right):
        for result in (onnx_acts.verify(spoilt, reference), onnx_acts.verify(reference, spoilt)):
            assert not result.same
            assert [cause.name for cause in result.causes] == ["act"]
            assert {item.name for item in result.nodes if item.status == "causes"} == {"act"}


@pytest.mark.slow
@pytest.mark.parametrize(("operator", "right"), [(item[0], item[1]) for item in FAULTS[2:5]])
def test_right_pairs(operator: str, right: Any) -> None:
    """No form of a network is accused of being another one."""
    models = forms(operator, right)
    for model in models:
        for reference in models:
            result = onnx_acts.verify(model, reference)
            assert result.same, result.causes


def test_two_faults() -> None:
    """A wrong slope is named although the convolution behind it is wrong as well."""
    reference = network("PRelu", SLOPES, quantized=True)
    wrong = network("PRelu", SLOPES * 2, quantized=True, scale=0.05)
    (weight,) = [tensor for tensor in wrong.graph.initializer if tensor.name == "w1"]
    steps = numpy_helper.to_array(weight).astype(int) + 4
    weight.CopyFrom(numpy_helper.from_array(steps.clip(-127, 127).astype(np.int8), "w1"))
    short = onnx_acts.accelerate(wrong)
    for result in (onnx_acts.verify(short, reference), onnx_acts.verify(reference, short)):
        assert [cause.name for cause in result.causes] == ["act", "c1"]


def pair_of_activations(slope: float) -> onnx.ModelProto:
    """Elu and LeakyRelu on 8 bits."""
    nodes: list[onnx.NodeProto] = []
    x = "x"
    for operator, y, alpha in (
        ("Identity", "i", None),
        ("Elu", "e", 1.0),
        ("LeakyRelu", "l", slope),
    ):
        attributes: dict[str, Any] = {} if alpha is None else {"alpha": alpha}
        nodes += [
            helper.make_node(operator, [x], [y], y, **attributes),
            helper.make_node("QuantizeLinear", [y, "s", "z"], [f"{y}_QuantizeLinear_Output"]),
            helper.make_node(
                "DequantizeLinear",
                [f"{y}_QuantizeLinear_Output", "s", "z"],
                [x := f"{y}_DequantizeLinear_Output"],
            ),
        ]
    nodes.append(helper.make_node("Identity", [x], ["y"]))
    tensors = {"s": np.float32(0.04), "z": np.uint8(128)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, SHAPE)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_behind_a_value_without_counterpart() -> None:
    """Where one node stands for three in the reference, what reads behind them is judged, too."""
    reference = onnx_acts.accelerate(pair_of_activations(0.2))
    assert "QLinearELU" in [node.op_type for node in reference.graph.node]
    assert onnx_acts.verify(pair_of_activations(0.2), reference).same
    for wrong in (0.201, 0.21, 0.4):
        result = onnx_acts.verify(pair_of_activations(wrong), reference)
        assert not result.same
        assert [cause.name for cause in result.causes] == ["l"]


def test_another_operator() -> None:
    """An Elu on 8 bits for a LeakyRelu or a Celu, accelerated, is another network."""
    for operator, alpha in (("Celu", 1.1), ("LeakyRelu", 0.5)):
        reference = network(operator, alpha, quantized=False)
        result = onnx_acts.verify(forms("Elu", 1.1)[2], reference)
        assert not result.same
        assert [cause.name for cause in result.causes] == ["act"]
