"""int8 activations as uint8: the same numbers, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import onnx_acts
from onnx_acts.cli.main import main
from onnx_acts.graph.accelerate import accelerate_counted
from tests.graph.models import operators
from tests.graph.test_quantized import quantized
from tests.quantized import Array, f32

FORM = "int8 activation -> uint8"

PAIRS = "q = QuantizeLinear (x, xs, xz) y = DequantizeLinear (q, xs, xz)"
FLOATS: dict[str, Any] = {"inputs": "float[N,3,4] x", "outputs": "float[N,3,4] y"}


def i8(values: Any) -> Array:
    """Zero points or weights."""
    return np.asarray(values, np.int8)


def as_written(model: onnx.ModelProto, x: Array) -> Array:
    """What a model gives where every node is computed as it is written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnx_acts.session(model, accelerated=False, session_options=options)
    return np.asarray(session.run(None, {"x": x})[0])


def element_types(model: onnx.ModelProto) -> set[int]:
    """Those of the zero points."""
    return {item.data_type for item in model.graph.initializer if "z" in item.name}


QUARTERS = np.arange(-300, 300, 0.25)
ENDS = [1e30, -1e30, np.inf, -np.inf, 0, -0.0]
X = np.resize(np.concatenate([QUARTERS * 0.05, ENDS]), (201, 3, 4)).astype(np.float32)


@pytest.mark.parametrize("zero", [-128, -1, 0, 5, 127])
@pytest.mark.parametrize("scale", [0.05, 0.03, 2.0**-4])
def test_the_same_numbers(scale: float, zero: int) -> None:
    """Of every integer, where it saturates, and at ties."""
    model = quantized(PAIRS, xs=np.float32(scale), xz=np.int8(zero), **FLOATS)
    result, counts = accelerate_counted(model, unsigned=True)
    assert counts == {FORM: 1}
    assert element_types(result) == {onnx.TensorProto.UINT8}
    x = np.resize(np.concatenate([QUARTERS * scale, ENDS]), X.shape).astype(np.float32)
    got, wanted = as_written(result, x), as_written(model, x)
    np.testing.assert_array_equal(got.view(np.uint32), wanted.view(np.uint32))
    assert len(np.unique(wanted)) == 256


def test_zero_points_of_each_channel() -> None:
    """Each is 128 more; several readers, one of them without a zero point."""
    body = (
        "q = QuantizeLinear <axis = 1> (x, xs, xz) a = DequantizeLinear <axis = 1> (q, xs, xz)"
        " b = DequantizeLinear <axis = 1> (q, ys) y = Add (a, b)"
    )
    scales = f32([0.1, 0.02, 0.5])
    model = quantized(body, xs=scales, xz=i8([-128, 7, 127]), ys=scales, **FLOATS)
    result, counts = accelerate_counted(model, unsigned=True)
    assert counts == {FORM: 1}
    np.testing.assert_array_equal(as_written(result, X), as_written(model, X))
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in result.graph.initializer}
    zeros = sorted(value.tolist() for value in stored.values() if value.dtype == np.uint8)
    assert zeros == [[0, 135, 255], [128, 128, 128]]


def test_declared_types_follow() -> None:
    """What the file says of the values in between stays true."""
    model = quantized(PAIRS, xz=np.int8(3), **FLOATS)
    model.graph.value_info.append(
        onnx.helper.make_tensor_value_info("q", onnx.TensorProto.INT8, ["N", 3, 4])
    )
    result = onnx_acts.accelerate(model, unsigned=True)
    onnx.checker.check_model(result, full_check=True)
    assert result.graph.value_info[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


QUANTIZED_PRELU = (
    "q = QuantizeLinear (x, xs, xz) r = DequantizeLinear (q, xs, xz) a = PRelu (r, w)"
    " p = QuantizeLinear (a, ys, yz) y = DequantizeLinear (p, ys, yz)"
)


def test_activations_get_8_bits() -> None:
    """PReLU of int8 stays in floating point without, and has 8 bits with."""
    model = quantized(QUANTIZED_PRELU, xz=np.int8(3), yz=np.int8(-30), **FLOATS)
    result = onnx_acts.accelerate(model, unsigned=True)
    middle = ["QuantizeLinear", "onnx_acts::QLinearPReLU", "DequantizeLinear"]
    assert operators(result) == middle
    wanted = as_written(model, X)
    np.testing.assert_array_equal(as_written(result, X), wanted)
    np.testing.assert_array_equal(onnx_acts.session(result).run(None, {"x": X})[0], wanted)
    plain = onnx_acts.accelerate(model)
    assert "onnx_acts::PReLU" in operators(plain)
    assert onnx.TensorProto.INT8 in element_types(plain)


LEFT: dict[str, onnx.ModelProto] = {
    "an output": quantized(
        PAIRS, xz=np.int8(3), inputs="float[N,3,4] x", outputs="float[N,3,4] y, int8[N,3,4] q"
    ),
    "another reader": quantized(
        f"{PAIRS} z = Abs (q)",
        xz=np.int8(3),
        inputs="float[N,3,4] x",
        outputs="float[N,3,4] y, int8[N,3,4] z",
    ),
    "a zero point of the call": quantized(
        PAIRS, xz=None, inputs="float[N,3,4] x, int8 xz", outputs="float[N,3,4] y"
    ),
    "a weight": quantized(
        "q = QuantizeLinear (w, xs, xz) r = DequantizeLinear (q, xs, xz) y = Add (x, r)",
        xz=np.int8(3),
        **FLOATS,
    ),
    "made elsewhere": quantized(
        "y = DequantizeLinear (x, xs, xz)",
        xz=np.int8(3),
        inputs="int8[N,3,4] x",
        outputs="float[N,3,4] y",
    ),
    "uint8": quantized(PAIRS, **FLOATS),
    "no pair": quantized("y = Abs (x)", **FLOATS),
}


@pytest.mark.parametrize("model", LEFT.values(), ids=LEFT)
def test_left(model: onnx.ModelProto) -> None:
    """What somebody else sees as int8, or is none."""
    result, counts = accelerate_counted(model, unsigned=True)
    assert not counts
    assert result == model


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`accelerate --unsigned` does it, and `info` says what it would do."""
    path, output = tmp_path / "in.onnx", tmp_path / "out.onnx"
    onnx.save(quantized(QUANTIZED_PRELU, xz=np.int8(3), yz=np.int8(-30), **FLOATS), path)
    assert main(["info", str(path), "--unsigned"]) == 0
    assert f"2 {FORM}" in capsys.readouterr().out
    assert main(["accelerate", str(path), "-o", str(output), "--unsigned"]) == 0
    assert f"2 {FORM}" in capsys.readouterr().out
    assert element_types(onnx.load(output)) == {onnx.TensorProto.UINT8}
