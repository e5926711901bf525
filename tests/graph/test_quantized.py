"""accelerate and lower on files in which a quantizer has put pairs around activations."""

from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.parser
import pytest

import onnx_acts
from onnx_acts.files.embedding import embed_functions
from onnx_acts.graph.accelerate import accelerate_counted, accelerate_reported
from tests.graph.models import operators
from tests.quantized import Array, f32, u8

PAIR = """
    r = DequantizeLinear (x, xs, xz)
    a = {activation}
    y = QuantizeLinear (a, ys, yz)
"""

CONSTANTS = {
    "xs": np.float32(0.05),
    "xz": np.uint8(120),
    "ys": np.float32(0.03),
    "yz": np.uint8(60),
    "w": f32([0.25, -0.3, 1.5]).reshape(3, 1),
}


def quantized(
    body: str,
    *,
    opset: int = 17,
    inputs: str = "uint8[N,3,4] x",
    outputs: str = "uint8[N,3,4] y",
    **changed: Any,
) -> onnx.ModelProto:
    """A model with the constants of this file, some of them changed, or none where None."""
    text = (
        f'<ir_version: 8, opset_import: ["": {opset}, "onnx_acts": 1]>'
        f" g ({inputs}) => ({outputs}) {{ {body} }}"
    )
    model = onnx.parser.parse_model(text)
    used = {name for node in model.graph.node for name in node.input}
    for name, value in {**CONSTANTS, **changed}.items():
        if name in used and value is not None:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))
    onnx.checker.check_model(model)
    embed_functions(model)
    return model


def pair(activation: str, **options: Any) -> onnx.ModelProto:
    """DequantizeLinear, an activation from r to a, QuantizeLinear."""
    return quantized(PAIR.format(activation=activation), **options)


X = np.arange(256, dtype=np.uint8).reshape(1, 1, 256).repeat(3, 1).reshape(-1, 3, 4)


def outputs_of(model: onnx.ModelProto, accelerated: bool, x: Array = X) -> list[Array]:
    """What a model gives on our kernels, or in ONNX Runtime alone."""
    return list(onnx_acts.session(model, accelerated=accelerated).run(None, {"x": x}))


TAKEN = {
    "PRelu": ("PRelu (r, w)", "QLinearPReLU"),
    "Elu": ("Elu <alpha = 0.7> (r)", "QLinearELU"),
    "ours": ("onnx_acts.PReLU (r, w)", "QLinearPReLU"),
}


@pytest.mark.parametrize(("activation", "operator"), TAKEN.values(), ids=TAKEN)
def test_taken(activation: str, operator: str) -> None:
    """One node in the place of three, with the same bits, natively and by its body."""
    model = pair(activation)
    result, counts = accelerate_counted(model)
    assert operators(result) == [f"onnx_acts::{operator}"]
    form = f"DequantizeLinear, {model.graph.node[1].op_type}, QuantizeLinear"
    assert counts == {f"{form} -> {operator}": 1}
    onnx.checker.check_model(result, full_check=True)
    (wanted,) = outputs_of(model, accelerated=False)
    for accelerated in (True, False):
        np.testing.assert_array_equal(outputs_of(result, accelerated)[0], wanted)


@pytest.mark.parametrize("activation", ["PRelu (r, w)", "Elu <alpha = 0.7> (r)", "Elu (r)"])
def test_lower_gives_the_pair_back(activation: str) -> None:
    """The standard operators of the file before, with its values."""
    model = pair(activation)
    back = onnx_acts.lower(onnx_acts.accelerate(model))
    assert operators(back) == operators(model)
    assert not back.functions
    assert [item.domain for item in back.opset_import] == [""]
    np.testing.assert_array_equal(
        outputs_of(back, accelerated=False), outputs_of(model, accelerated=False)
    )


def test_names_and_documentation_stay() -> None:
    """The new node has those of the activation, the value the name that it had."""
    model = pair("PRelu (r, w)")
    model.graph.node[1].name = "act7"
    model.graph.node[1].doc_string = "seventh"
    (node,) = onnx_acts.accelerate(model).graph.node
    assert (node.name, node.doc_string) == ("act7", "seventh")
    assert list(node.input) == ["x", "xs", "xz", "ys", "yz", "w"]
    assert list(node.output) == ["y"]


def test_without_zero_points() -> None:
    """A pair without has zeros."""
    body = "r = DequantizeLinear (x, xs) a = PRelu (r, w) y = QuantizeLinear (a, ys)"
    model = quantized(body)
    result = onnx_acts.accelerate(model)
    assert operators(result) == ["onnx_acts::QLinearPReLU"]
    np.testing.assert_array_equal(
        outputs_of(result, accelerated=True), outputs_of(model, accelerated=False)
    )


def test_scales_of_the_call() -> None:
    """Scales that are inputs of the model."""
    inputs = "uint8[N,3,4] x, float xs, uint8 yz"
    model = pair("PRelu (r, w)", inputs=inputs, xs=None, yz=None)
    result = onnx_acts.accelerate(model)
    assert operators(result) == ["onnx_acts::QLinearPReLU"]
    feeds = {"x": X, "xs": np.array(0.02, np.float32), "yz": np.array(9, np.uint8)}
    ours, plain = (onnx_acts.session(m).run(None, feeds)[0] for m in (result, model))
    np.testing.assert_array_equal(ours, plain)


def test_shared_dequantized_value() -> None:
    """DequantizeLinear stays for its other readers."""
    body = PAIR.format(activation="PRelu (r, w)") + "z = Abs (r)"
    model = quantized(body, outputs="uint8[N,3,4] y, float[N,3,4] z")
    result = onnx_acts.accelerate(model)
    assert operators(result) == ["DequantizeLinear", "onnx_acts::QLinearPReLU", "Abs"]
    for ours, plain in zip(outputs_of(result, True), outputs_of(model, False), strict=True):
        np.testing.assert_array_equal(ours, plain)


S8: dict[str, Any] = {"xz": np.int8(3), "yz": np.int8(-4)}

LEFT: dict[str, onnx.ModelProto] = {
    "int8": pair("PRelu (r, w)", inputs="int8[N,3,4] x", outputs="int8[N,3,4] y", **S8),
    "a scale for each channel": quantized(
        PAIR.format(activation="PRelu (r, w)").replace("(x,", "<axis = 1> (x,"),
        xs=f32([1, 2, 3]),
        xz=u8([1, 2, 3]),
    ),
    "an infinite slope": pair("PRelu (r, w)", w=f32([np.inf])),
    "a slope that might enlarge x": pair(
        "PRelu (r, w)", inputs="uint8[N,3,4] x, float[S,1] w", w=None
    ),
    "read in floating point, too": quantized(
        PAIR.format(activation="PRelu (r, w)") + "z = Abs (a)",
        outputs="uint8[N,3,4] y, float[N,3,4] z",
    ),
    "an output in floating point": quantized(
        PAIR.format(activation="PRelu (r, w)"), outputs="uint8[N,3,4] y, float[N,3,4] a"
    ),
    "another activation": pair("LeakyRelu (r)"),
    "float16 between": quantized(
        PAIR.format(activation="PRelu (r, w)"),
        opset=19,
        xs=np.float16(0.05),
        ys=np.float16(0.03),
        w=np.array([0.5], np.float16),
    ),
}


@pytest.mark.parametrize("model", LEFT.values(), ids=LEFT)
def test_left(model: onnx.ModelProto) -> None:
    """What has no operator on 8 bits stays between its pair; in floating point it may be ours."""
    result = onnx_acts.accelerate(model)
    assert not [name for name in operators(result) if "QLinear" in name]
    assert operators(result).count("DequantizeLinear") == 1


def test_not_asked_for() -> None:
    """`ops` names activations: without PReLU, no QLinearPReLU."""
    model = pair("PRelu (r, w)")
    assert operators(onnx_acts.accelerate(model, ops=["ELU"])) == operators(model)
    with pytest.raises(ValueError, match="QLinearELU takes the place of ELU in quantized models"):
        onnx_acts.accelerate(model, ops=["QLinearELU"])


def test_an_old_opset() -> None:
    """From opset 10 on, the first with the pair."""
    model = pair("PRelu (r, w)", opset=10)
    result = onnx_acts.accelerate(model)
    assert operators(result) == ["onnx_acts::QLinearPReLU"]
    np.testing.assert_array_equal(
        outputs_of(result, accelerated=True), outputs_of(model, accelerated=False)
    )


def test_twice() -> None:
    """What is there already stays, and keeps its body."""
    once = onnx_acts.accelerate(pair("PRelu (r, w)"))
    twice, counts = accelerate_counted(once)
    assert twice == once
    assert not counts


MOVED = {
    "MaxPool": ("MaxPool <kernel_shape = [2], strides = [2]> (a)", "N,3,2"),
    "MaxPool with padding": ("MaxPool <kernel_shape = [3], pads = [1, 1]> (a)", "N,3,4"),
    "Reshape": ("Reshape (a, sizes)", "N,12"),
    "Flatten": ("Flatten (a)", "N,12"),
    "Transpose": ("Transpose <perm = [0, 2, 1]> (a)", "N,4,3"),
}


@pytest.mark.parametrize("activation", ["PRelu (r, w)", "Elu (r)"])
@pytest.mark.parametrize(("moving", "shape"), MOVED.values(), ids=MOVED)
def test_quantize_after_moving(activation: str, moving: str, shape: str) -> None:
    """QuantizeLinear goes before what only moves or chooses numbers, which then has 8 bits."""
    body = PAIR.format(activation=activation).replace("y = Q", f"p = {moving} y = Q")
    body = body.replace("(a, ys", "(p, ys")
    model = quantized(body, outputs=f"uint8[{shape}] y", sizes=np.array([-1, 12]))
    result, counts = accelerate_counted(model)
    name = moving.split(maxsplit=1)[0]
    assert operators(result)[1:] == [name]
    assert [form for form in counts if f", {name}, QuantizeLinear -> QLinear" in form]
    np.testing.assert_array_equal(
        outputs_of(result, accelerated=True), outputs_of(model, accelerated=False)
    )
    back = onnx_acts.lower(result)
    np.testing.assert_array_equal(
        outputs_of(back, accelerated=False), outputs_of(model, accelerated=False)
    )


def test_after_several_movers() -> None:
    """All of them have 8 bits."""
    body = (
        "r = DequantizeLinear (x, xs, xz) a = PRelu (r, w)"
        " b = MaxPool <kernel_shape = [2]> (a) c = Transpose <perm = [0, 2, 1]> (b)"
        " d = Flatten (c) y = QuantizeLinear (d, ys, yz)"
    )
    model = quantized(body, outputs="uint8[N,9] y")
    result = onnx_acts.accelerate(model)
    assert operators(result) == ["onnx_acts::QLinearPReLU", "MaxPool", "Transpose", "Flatten"]
    np.testing.assert_array_equal(
        outputs_of(result, accelerated=True), outputs_of(model, accelerated=False)
    )


POOLED = PAIR.format(activation="PRelu (r, w)").replace(
    "y = QuantizeLinear (a,", "p = MaxPool <kernel_shape = [2]> (a) y = QuantizeLinear (p,"
)
SHORTER = "uint8[N,3,3] y"

NOT_MOVED: dict[str, onnx.ModelProto] = {
    "an opset whose MaxPool has no 8 bits": quantized(POOLED, outputs=SHORTER, opset=11),
    "steps that fall": quantized(POOLED, outputs=SHORTER, ys=np.float32(-0.03)),
    "a scale that may be negative": quantized(
        POOLED, inputs="uint8[N,3,4] x, float ys", outputs=SHORTER, ys=None
    ),
    "read before it is chosen from": quantized(
        POOLED + "z = Abs (a)", outputs=f"{SHORTER}, float[N,3,4] z"
    ),
    "read in floating point": quantized(
        POOLED + "z = Abs (p)", outputs=f"{SHORTER}, float[N,3,3] z"
    ),
    "the places, too": quantized(
        POOLED.replace("p = ", "p, places = "), outputs=f"{SHORTER}, int64[N,3,3] places"
    ),
    "a computation": quantized(POOLED.replace("MaxPool <kernel_shape = [2]>", "Neg")),
}


@pytest.mark.parametrize("model", NOT_MOVED.values(), ids=NOT_MOVED)
def test_not_moved(model: onnx.ModelProto) -> None:
    """Where the numbers might be others, or are needed in floating point."""
    assert "onnx_acts::QLinearPReLU" not in operators(onnx_acts.accelerate(model))


@pytest.mark.parametrize("mover", ["MaxPool <kernel_shape = [2]>", "Flatten"])
def test_left_where_a_mover_would_leave_8_bits(mover: str) -> None:
    """In int8 ONNX Runtime moves QuantizeLinear before it after a PRelu, and not after ours."""
    body = POOLED.replace("MaxPool <kernel_shape = [2]>", mover)
    shape = "N,12" if mover == "Flatten" else "N,3,3"
    model = quantized(body, inputs="int8[N,3,4] x", outputs=f"int8[{shape}] y", **S8)
    result, report = accelerate_reported(model)
    assert operators(result) == operators(model)
    ((left, count),) = report.left.items()
    assert (left.form, left.operator, count) == ("PRelu", "PReLU", 1)
    assert "--unsigned may help" in left.reason
