"""Operators on 8 bits on the last axis, where ONNX Runtime convolves with the channels last."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from tests.graph.models import operators
from tests.graph.test_quantized import CONSTANTS, quantized
from tests.quantized import Array, f32

WEIGHTS: dict[str, Any] = {
    "k": np.random.default_rng(0).integers(-99, 99, (3, 3, 3, 3)).astype(np.int8),
    "ks": np.float32(0.01),
    "kz": np.int8(0),
    **CONSTANTS,
    "w": f32([0.25, -0.3, 1.5]).reshape(3, 1, 1),
}

CONVOLUTION = (
    "{0}r = DequantizeLinear ({0}, xs, xz) {1}k = DequantizeLinear (k, ks, kz)"
    " {1}c = Conv <pads = [1, 1, 1, 1]> ({0}r, {1}k) {1} = QuantizeLinear ({1}c, ys, yz) "
)
ACTIVATION = "{0}r = DequantizeLinear ({0}, ys, yz) {1}a = {2} {1} = QuantizeLinear ({1}a, ys, yz) "
ADDITION = (
    "{2}l = DequantizeLinear ({0}, ys, yz) {2}m = DequantizeLinear ({1}, ys, yz)"
    " {2}s = Add ({2}l, {2}m) {2} = QuantizeLinear ({2}s, ys, yz) "
)
SHAPE = "uint8[N,3,6,5]"


def network(body: str, **changed: Array) -> onnx.ModelProto:
    """A model from x to y of one shape."""
    return quantized(
        body, inputs=f"{SHAPE} x", outputs=f"{SHAPE} y", opset=17, **{**WEIGHTS, **changed}
    )


BETWEEN = CONVOLUTION.format("x", "b") + "{} " + CONVOLUTION.format("d", "y")
X = np.random.default_rng(1).integers(0, 256, (2, 3, 6, 5)).astype(np.uint8)


def result_of(model: onnx.ModelProto, accelerated: bool) -> Array:
    """What a model gives on our kernels, or in ONNX Runtime alone."""
    return np.asarray(onnx_acts.session(model, accelerated=accelerated).run(None, {"x": X})[0])


@pytest.mark.parametrize(
    ("activation", "slope", "last"),
    [
        ("PRelu (br, w)", (3, 1, 1), (3,)),
        ("PRelu (br, w)", (1, 3, 1, 1), (3,)),
        ("PRelu (br, w)", (6, 5), (6, 5, 1)),
        ("PRelu (br, w)", (3, 6, 5), (6, 5, 3)),
        ("PRelu (br, w)", (5,), (5, 1)),
        ("PRelu (br, w)", (2, 1, 1, 1), (2, 1, 1, 1)),
        ("Elu <alpha = 0.7> (br)", (3, 1, 1), None),
    ],
)
def test_between_convolutions(
    activation: str, slope: tuple[int, ...], last: tuple[int, ...] | None
) -> None:
    """Between two Transposes, its slope along the same axes as before; the bits are the same."""
    body = BETWEEN.format(ACTIVATION.format("b", "d", activation))
    if slope[0] == 2:
        body = body.replace("N,", "2,")
    model = network(body, w=f32(np.random.default_rng(2).normal(size=slope)))
    if slope[0] == 2:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    result = onnx_acts.accelerate(model)
    names = operators(result)
    place = next(i for i, name in enumerate(names) if "QLinear" in name)
    assert [names[place - 1], names[place + 1]] == ["Transpose", "Transpose"]
    shapes = {item.name: tuple(item.dims) for item in result.graph.initializer}
    if last is not None:
        assert shapes[result.graph.node[place].input[-1]] == last
    wanted = result_of(model, accelerated=False)
    for accelerated in (True, False):
        np.testing.assert_array_equal(result_of(result, accelerated), wanted)
    back = onnx_acts.lower(result)
    assert Counter(operators(back)) == Counter(operators(model))
    if last is not None:
        (node,) = [item for item in back.graph.node if item.op_type == "PRelu"]
        given = {item.name: tuple(item.dims) for item in back.graph.initializer}
        stripped = slope[1:] if slope[0] == 1 else slope
        assert given[node.input[1]] == stripped
    assert {item.name for item in back.graph.value_info} <= {
        name for node in back.graph.node for name in node.output
    }
    np.testing.assert_array_equal(result_of(back, accelerated=False), wanted)


def optimised(model: onnx.ModelProto, folder: Path) -> Counter[str]:
    """What ONNX Runtime makes of a model."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnx_acts.session(model, session_options=options)
    return Counter(node.op_type for node in onnx.load(folder / "optimised.onnx").graph.node)


@pytest.mark.parametrize(
    "middle",
    [
        ACTIVATION.format("b", "d", "PRelu (br, w)"),
        ACTIVATION.format("b", "d", "Elu (br)"),
        ACTIVATION.format("b", "e", "PRelu (br, w)") + ADDITION.format("b", "e", "d"),
        ADDITION.format("b", "b", "e") + ACTIVATION.format("e", "d", "PRelu (er, w)"),
    ],
    ids=["PReLU", "ELU", "before an addition", "after an addition"],
)
def test_the_transposes_go(middle: str, tmp_path: Path) -> None:
    """ONNX Runtime is left with those at the ends, as many as without an activation."""
    model = network(BETWEEN.format(middle))
    found = optimised(onnx_acts.accelerate(model), tmp_path)
    assert found["QLinearConv"] == 2
    assert found["QLinearPReLU"] + found["QLinearELU"] == 1
    assert found["Transpose"] == 2
    assert found["DequantizeLinear"] == 0


PLAIN = {
    "no convolution before": ACTIVATION.format("x", "y", "PRelu (xr, w)"),
    "a convolution in floating point": (
        "xr = DequantizeLinear (x, xs, xz) bc = Conv <pads = [1, 1, 1, 1]> (xr, f)"
        " b = QuantizeLinear (bc, ys, yz) " + ACTIVATION.format("b", "y", "PRelu (br, w)")
    ),
    "something that keeps the Transposes": CONVOLUTION.format("x", "b")
    + "c = Reshape (b, sizes) "
    + ACTIVATION.format("c", "y", "PRelu (cr, w)"),
    "a slope that is computed": CONVOLUTION.format("x", "b")
    + "vf = DequantizeLinear (b, ys, yz) v = ReduceMax <keepdims = 0> (vf) "
    + ACTIVATION.format("b", "y", "PRelu (br, v)"),
}


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_left_on_planes(body: str) -> None:
    """Where no Transposes would meet, or the slope would need one of its own."""
    floats = f32(np.random.default_rng(3).normal(size=(3, 3, 3, 3)))
    model = network(body, f=floats, sizes=np.array([-1, 3, 6, 5]))
    names = operators(onnx_acts.accelerate(model))
    assert "onnx_acts::QLinearPReLU" in names
    assert "Transpose" not in names


def test_lower_leaves_other_transposes() -> None:
    """Those that do not undo each other, and those whose value somebody else reads."""
    for perm, more, outputs in (
        ("0, 2, 3, 1", "", f"{SHAPE} y"),
        ("0, 3, 1, 2", "z = Abs (t)", f"{SHAPE} y, uint8[N,6,5,3] z"),
        ("0, 3, 1, 2", "z = Abs (p)", f"{SHAPE} y, uint8[N,6,5,3] z"),
    ):
        body = (
            "t = Transpose <perm = [0, 2, 3, 1]> (x)"
            " p = onnx_acts.QLinearELU (t, xs, xz, ys, yz)"
            f" y = Transpose <perm = [{perm}]> (p) {more}"
        )
        model = quantized(body, inputs=f"{SHAPE} x", outputs=outputs.replace("SHAPE", SHAPE))
        assert operators(onnx_acts.lower(model)).count("Transpose") >= 1


S8: dict[str, Any] = {"xz": np.int8(3), "yz": np.int8(-4)}


def s8_network(body: str) -> onnx.ModelProto:
    """A model of float32 that computes in int8, from x to y of one shape."""
    body = (f"q = QuantizeLinear (u, xs, xz) {body} o = DequantizeLinear (y, ys, yz)").replace(
        "dr = DequantizeLinear (d, xs, xz)", "dr = DequantizeLinear (d, ys, yz)"
    )
    constants = {**WEIGHTS, **S8}
    return quantized(body, inputs="float[N,3,6,5] u", outputs="float[N,3,6,5] o", **constants)


def same_values(first: onnx.ModelProto, second: onnx.ModelProto) -> None:
    """Two models of this kind have the same bits."""
    u = 0.1 * np.random.default_rng(4).normal(size=(2, 3, 6, 5)).astype(np.float32)
    one, two = (onnx_acts.session(item).run(None, {"u": u})[0] for item in (first, second))
    np.testing.assert_array_equal(one, two)


def two_convolutions(activation: str, last: str) -> str:
    """A convolution from q to b, an activation from br, and a convolution from d."""
    middle = ACTIVATION.format("b", "d", activation)
    return CONVOLUTION.format("q", "b") + middle + CONVOLUTION.format("d", last)


@pytest.mark.parametrize("activation", ["PRelu (br, w)", "Elu (br)"])
def test_in_floating_point(activation: str, tmp_path: Path) -> None:
    """Between int8 convolutions, which have no operator on 8 bits, it is on the last axis too."""
    model = s8_network(two_convolutions(activation, "y"))
    assert optimised(model, tmp_path)["QLinearConv"] == 2
    result = onnx_acts.accelerate(model)
    names = operators(result)
    place = next(i for i, name in enumerate(names) if name.startswith("onnx_acts"))
    assert names[place - 2 : place + 3] == [
        *("DequantizeLinear", "Transpose", names[place], "Transpose", "QuantizeLinear")
    ]
    same_values(result, model)
    back = onnx_acts.lower(result)
    assert Counter(operators(back)) == Counter(operators(model))


SHARED_S8 = {
    "what is dequantized before the second": "s = Add (dr, em)",
    "what is quantized before it": "dm = DequantizeLinear (d, ys, yz) s = Add (dm, em)",
    "the result of the first": "bm = DequantizeLinear (b, ys, yz) s = Add (bm, em)",
}


@pytest.mark.parametrize("addition", SHARED_S8.values(), ids=SHARED_S8)
def test_shared_tensors_of_int8(addition: str, tmp_path: Path) -> None:
    """Beside them ONNX Runtime convolves in floating point: Transposes of 32 bits would stay."""
    first = two_convolutions("PRelu (br, w)", "e")
    sum_of = f"em = DequantizeLinear (e, ys, yz) {addition} y = QuantizeLinear (s, ys, yz)"
    model = s8_network(f"{first} {sum_of}")
    plain, fast = optimised(model, tmp_path), onnx_acts.accelerate(model)
    assert plain["Conv"] == 1
    assert "onnx_acts::PReLU" in operators(fast)
    found = optimised(fast, tmp_path)
    assert found["Transpose"] == plain["Transpose"]
    assert found["QuantizeLinear"] == plain["QuantizeLinear"]
    same_values(fast, model)


def test_twice() -> None:
    """What is on the last axis stays there."""
    once = onnx_acts.accelerate(network(BETWEEN.format(ACTIVATION.format("b", "d", "Elu (br)"))))
    assert onnx_acts.accelerate(once) == once


def test_in_floating_point_to_the_end() -> None:
    """A float node that QuantizeLinear does not follow would meet Transposes of float32 alone."""
    body = CONVOLUTION.format("x", "b") + "br = DequantizeLinear (b, ys, yz) y = PRelu (br, w)"
    model = quantized(body, inputs=f"{SHAPE} x", outputs="float[N,3,6,5] y", **WEIGHTS)
    names = operators(onnx_acts.accelerate(model))
    assert names[-1] == "onnx_acts::PReLU"
    assert "Transpose" not in names
