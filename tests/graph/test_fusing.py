"""A PRelu of one slope becomes a LeakyRelu exactly where ONNX Runtime fuses that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import onnx_acts
from onnx_acts.graph import accelerate, accelerate_counted, accelerate_reported, lower
from tests.graph.models import ONNX_NAMES, operators
from tests.helpers import ALL

AFTER_CONV = "PRelu of one slope after Conv -> LeakyRelu"
IN_8_BITS = "PRelu of one slope in 8 bits -> LeakyRelu"

NORMALISED = "n = BatchNormalization (c, one, two, one, two)"
CONV = "c = Conv <pads = [1, 1, 1, 1]> (x, w)"


def model_of(
    nodes: str, *, slope: object = 0.25, dtype: str = "float32", constants: str = ""
) -> onnx.ModelProto:
    """A model of 2 channels with a convolution's weights, and a slope `s` of any shape."""
    text = (
        '<ir_version: 8, opset_import: ["": 17]> g (T[N,2,6,6] x, T[1] v, T[2,2,3,3] u,'
        " T[2] r) => (T[N,2,6,6] y)"
        f" <T[2] one = {{1, 1}}, T[2] two = {{2, 3}}{constants}> {{ {nodes} }}"
    )
    model = onnx.parser.parse_model(text.replace("T[", f"{ONNX_NAMES[dtype]}["))
    weights = np.random.default_rng(2).normal(size=(2, 2, 3, 3))
    for name, value in {"w": weights, "s": slope}.items():
        array = np.array(value).astype(dtype)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def fed(dtype: str = "float32") -> dict[str, np.ndarray]:
    """Values for x, among them zeros and the largest, and v."""
    x = np.random.default_rng(1).normal(size=(2, 2, 6, 6)).astype(dtype)
    x[0, 0, 0, :4] = 0, -0.0, 1e30, -1e30
    rng = np.random.default_rng(4)
    more = {"u": rng.normal(size=(2, 2, 3, 3)), "r": rng.normal(size=2)}
    return {"x": x, "v": np.array([0.5], dtype), **{k: v.astype(dtype) for k, v in more.items()}}


def optimised(model: onnx.ModelProto, folder: Path, *, accelerated: bool = True) -> list[str]:
    """The operators after ONNX Runtime's optimisation."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnx_acts.session(model, session_options=options, accelerated=accelerated)
    graph = onnx.load(folder / "optimised.onnx").graph
    return [node.op_type for node in graph.node]


@pytest.mark.parametrize(
    "slope", [0.25, [0.25], [[[0.25]]], [[[[0.25]]]], -0.5, 0.0, 3.0, 0.1], ids=str
)
@pytest.mark.parametrize(
    "nodes", [f"{CONV} y = PRelu (c, s)", f"{CONV} {NORMALISED} y = PRelu (n, s)"]
)
def test_after_a_convolution(nodes: str, slope: object, tmp_path: Path) -> None:
    """It is fused with the convolution, and gives the same bits."""
    model = model_of(nodes, slope=slope)
    result, counts = accelerate_counted(model)
    assert counts == {AFTER_CONV: 1}
    assert "s" not in {tensor.name for tensor in result.graph.initializer}
    assert not result.functions
    assert [item.domain for item in result.opset_import] == [""]
    assert optimised(result, tmp_path) == ["FusedConv"]
    onnx.checker.check_model(result, full_check=True)
    wanted = onnx_acts.session(model, accelerated=False).run(None, fed())[0]
    got = onnx_acts.session(result, accelerated=False).run(None, fed())[0]
    np.testing.assert_array_equal(got, wanted)
    named = accelerate(model, ops=("PReLU", "LeakyReLU"))
    assert operators(named)[-1] == "onnx_acts::PReLU"
    np.testing.assert_array_equal(onnx_acts.session(named).run(None, fed())[0], wanted)


@pytest.mark.parametrize(
    ("nodes", "slope", "dtype"),
    [
        (f"{CONV} y = PRelu (c, s)", [[[0.1]], [[0.2]]], "float32"),
        (f"{CONV} y = PRelu (c, v)", 0.25, "float32"),
        (f"{CONV} y = PRelu (c, s)", np.inf, "float32"),
        (f"{CONV} y = PRelu (c, s)", np.nan, "float32"),
        (f"{CONV} y = PRelu (c, s)", 0.25, "float16"),
        (f"{CONV} y = PRelu (c, s)", 0.25, "float64"),
        (f"{CONV} p = PRelu (c, s) y = Add (p, c)", 0.25, "float32"),
        (f"{CONV} {NORMALISED} p = PRelu (n, s) y = Add (p, n)", 0.25, "float32"),
        (f"{CONV} {NORMALISED} p = PRelu (n, s) y = Add (p, c)", 0.25, "float32"),
        (f"c = Conv <pads = [1, 1, 1, 1]> (x, u) {NORMALISED} y = PRelu (n, s)", 0.25, "float32"),
        (
            f"{CONV} n = BatchNormalization (c, r, two, one, two) y = PRelu (n, s)",
            0.25,
            "float32",
        ),
        ("c = Mul (x, x) y = PRelu (c, s)", 0.25, "float32"),
        ("y = PRelu (x, s)", 0.25, "float32"),
    ],
)
def test_elsewhere(nodes: str, slope: object, dtype: str) -> None:
    """Where nothing would be fused, or the slope is not one number, it is PReLU."""
    counts = accelerate_counted(model_of(nodes, slope=slope, dtype=dtype))[1]
    assert counts == {"PRelu -> PReLU": 1}


def test_only_where_prelu_is_asked_for() -> None:
    """What nobody asked to replace stays."""
    assert not accelerate_counted(model_of(f"{CONV} y = PRelu (c, s)"), ops=("ELU",))[1]


def test_in_a_branch() -> None:
    """A convolution outside of a branch is not fused with what stands in it."""
    text = (
        f"{CONV} k = ReduceSum <keepdims = 0> (x) b = Greater (k, k) y = If (b) <then_branch ="
        f" t () => (float[N,2,6,6] p) {{ {CONV.replace('c =', 'd =')} p = PRelu (d, s) }},"
        " else_branch = e () => (float[N,2,6,6] q) { q = PRelu (c, s) }>"
    )
    counts = accelerate_counted(model_of(text))[1]
    assert counts == {AFTER_CONV: 1, "PRelu -> PReLU": 1}


SCALES = ", float sx = {0.02}, float sy = {0.03}, U[1] z = {Z}"


@pytest.mark.parametrize("slope", [0.25, [[[0.1]]], -0.5])
@pytest.mark.parametrize(("kind", "zero"), [("uint8", 120), ("int8", -3)])
def test_in_8_bits(kind: str, zero: int, slope: object, tmp_path: Path) -> None:
    """Between DequantizeLinear and QuantizeLinear it is computed in 8 bits, and as before."""
    nodes = (
        "a = QuantizeLinear (x, sx, z) b = DequantizeLinear (a, sx, z) c = PRelu (b, s)"
        " d = QuantizeLinear (c, sy, z) y = DequantizeLinear (d, sy, z)"
    )
    constants = SCALES.replace("U[1]", kind).replace("Z", str(zero))
    model = model_of(nodes, slope=slope, constants=constants)
    result, counts = accelerate_counted(model)
    assert counts == {IN_8_BITS: 1}
    assert "QLinearLeakyRelu" in optimised(result, tmp_path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    wanted, got = (
        onnx_acts.session(item, accelerated=False, session_options=options).run(None, fed())[0]
        for item in (model, result)
    )
    np.testing.assert_array_equal(got, wanted)
    fused = onnx_acts.session(result, accelerated=False).run(None, fed())[0]
    np.testing.assert_array_equal(fused, wanted)
    assert "onnx_acts::PReLU" in operators(accelerate(model, ops=ALL))


@pytest.mark.parametrize(
    ("slope", "x_scale", "y_scale", "zeros"),
    [
        (0.25, 0.5, 1, (128, 100)),
        (-0.5, 1, 1, (0, 7)),
        (0.1, 0.03, 0.01, (255, 255)),
        (7, 3, 2, (9, 0)),
    ],
)
@pytest.mark.parametrize("kind", ["uint8", "int8"])
def test_every_number_of_8_bits(
    kind: str, slope: float, x_scale: float, y_scale: float, zeros: tuple[int, int]
) -> None:
    """Ties, saturation and zero points are as before, for each of the 256 inputs."""
    first = int(np.iinfo(kind).min)
    z, o = (zero + first for zero in zeros)
    text = (
        f'<ir_version: 8, opset_import: ["": 17]> g ({kind}[N] x) => ({kind}[N] y) <float s ='
        f" {{{slope}}}, float a = {{{x_scale}}}, float b = {{{y_scale}}}, {kind} z = {{{z}}},"
        f" {kind} o = {{{o}}}> {{ f = DequantizeLinear (x, a, z) p = PRelu (f, s)"
        " y = QuantizeLinear (p, b, o) }"
    )
    model = onnx.parser.parse_model(text)
    result, counts = accelerate_counted(model)
    assert counts == {IN_8_BITS: 1}
    x = (np.arange(256) + first).astype(kind)
    got, wanted = (
        onnx_acts.session(item, accelerated=False).run(None, {"x": x})[0]
        for item in (result, model)
    )
    np.testing.assert_array_equal(got, wanted)


QUANTIZED = "b = DequantizeLinear (a, sx, z) c = PRelu (b, s) d = QuantizeLinear (c, sy, z)"
BY_CHANNEL = ", float[2] sc = {0.02, 0.03}, uint8[2] zc = {120, 7}"

NOT_FUSED = {
    "x by channel": QUANTIZED.replace("(a, sx, z)", "(a, sc, zc)").replace(
        "DequantizeLinear", "DequantizeLinear <axis = 1>"
    ),
    "y by channel": QUANTIZED.replace("(c, sy, z)", "(c, sc, zc)").replace(
        " QuantizeLinear", " QuantizeLinear <axis = 1>"
    ),
    "scale that is fed": QUANTIZED.replace("(a, sx, z)", "(a, v, z)"),
    "to another type": QUANTIZED.replace("(c, sy, z)", "(c, sy, zi)"),
    "result used in floating point": f"{QUANTIZED} e = Add (c, b)",
}


@pytest.mark.parametrize("name", NOT_FUSED)
def test_not_in_8_bits(name: str) -> None:
    """Where ONNX Runtime could not fuse it, or would and then not load it, it is our PReLU."""
    nodes = f"a = QuantizeLinear (x, sx, z) {NOT_FUSED[name]} f = Cast <to = 1> (d) y = Relu (f)"
    constants = SCALES.replace("U[1]", "uint8").replace("Z", "120") + BY_CHANNEL
    constants += ", int8 zi = {3}"
    model = model_of(nodes, constants=constants)
    result, counts = accelerate_counted(model)
    assert counts == {"PRelu -> PReLU": 1}
    for accelerated in (False, True):
        wanted, got = (
            onnx_acts.session(item, accelerated=accelerated).run(None, fed())[0]
            for item in (model, result)
        )
        np.testing.assert_array_equal(got, wanted)


def test_result_as_a_scale() -> None:
    """An activation that gives QuantizeLinear its scale is not what is quantized."""
    text = (
        '<ir_version: 8, opset_import: ["": 17]> g (uint8[1] x, float[1] v) => (uint8[1] y)'
        " <float s = {0.5}, float a = {0.1}, uint8 z = {7}>"
        " { b = DequantizeLinear (x, a, z) c = PRelu (b, s) y = QuantizeLinear (v, c, z) }"
    )
    model = onnx.parser.parse_model(text)
    result, counts = accelerate_counted(model)
    assert counts == {"PRelu -> PReLU": 1}
    feeds = {"x": np.array([200], np.uint8), "v": np.array([3], np.float32)}
    got, wanted = (
        onnx_acts.session(item, accelerated=False).run(None, feeds)[0] for item in (result, model)
    )
    np.testing.assert_array_equal(got, wanted)


def test_form_between_several_scales() -> None:
    """A form whose LeakyRelu ONNX Runtime would not load stays, with the reason."""
    form = (
        "b = DequantizeLinear <axis = 1> (a, sc, zc) k = Mul (b, s) g = Greater (b, o)"
        " c = Where (g, b, k) d = QuantizeLinear (c, sy, z)"
    )
    nodes = f"a = QuantizeLinear (x, sx, z) {form} f = Cast <to = 1> (d) y = Relu (f)"
    constants = SCALES.replace("U[1]", "uint8").replace("Z", "120") + BY_CHANNEL + ", float o = {0}"
    result, report = accelerate_reported(model_of(nodes, constants=constants))
    assert not report.replaced
    assert any("several scales" in left.reason for left in report.left)
    onnx_acts.session(result, accelerated=False).run(None, fed())
    named = accelerate(model_of(nodes, constants=constants), ops=("LeakyReLU",))
    onnx_acts.session(named).run(None, fed())
    assert "onnx_acts::LeakyReLU" in operators(named)
    lowered = lower(named)
    onnx_acts.session(lowered, accelerated=False).run(None, fed())
    assert "LeakyRelu" not in operators(lowered)
