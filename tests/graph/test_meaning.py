"""What only an evaluation finds: other orders of dimensions, shared constants, bounds of Clip."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from onnx_acts.definition.specs import SPECS, spec_of
from onnx_acts.graph import accelerate, accelerate_reported
from tests.graph.models import operators, parsed, run, values

ALL = ("ReLU", "LeakyReLU", "PReLU", "ELU")
PARTS = "p = Relu (x) m = Neg (x) r = Relu (m) n = Neg (r)"
BACK_AND_FORTH = (
    f"{PARTS} t = Transpose <perm = [0, 2, 1]> (n) q = Mul (t, w)"
    " s = Transpose <perm = [0, 2, 1]> (q) y = Add (p, s)"
)


def test_product_in_another_order() -> None:
    """As TensorFlow writes PReLU: the slope stands along the last dimension, x's second."""
    model = parsed(BACK_AND_FORTH, constants="T[3] w = {-0.5, 0.25, 2}")
    result = accelerate(model)
    assert operators(result) == ["onnx_acts::PReLU"]
    slope = onnx.numpy_helper.to_array(result.graph.initializer[0])
    assert_array_equal(slope.reshape(-1), np.array([-0.5, 0.25, 2], np.float32))
    x = values("float32")
    assert_array_equal(run(result, x), run(model, x))


def test_slope_that_is_reshaped() -> None:
    """A slope that is no constant gets a Reshape; as it may be infinite, only approximately."""
    model = parsed(BACK_AND_FORTH, more_inputs=", T[3] w")
    assert accelerate(model) == model
    result = accelerate(model, approximate=True)
    assert operators(result) == ["Reshape", "onnx_acts::PReLU"]
    x, w = values("float32"), np.array([-0.5, 0.25, 2], np.float32)
    finite = np.isfinite(x)
    assert_array_equal(run(result, x, w=w)[finite], run(model, x, w=w)[finite])


def test_result_in_another_order() -> None:
    """Where the result is transposed, a transposed x that is there becomes the input."""
    body = (
        "t = Transpose <perm = [0, 2, 1]> (x) c = Less (t, zero) v = Mul (x, a)"
        " s = Transpose <perm = [0, 2, 1]> (v) z = Where (c, s, t)"
        " y = Transpose <perm = [0, 2, 1]> (z)"
    )
    model = parsed(body, constants="T a = {0.25}, T zero = {0}")
    result = accelerate(model)
    assert operators(result) == ["Transpose", "LeakyRelu", "Transpose"]
    x = values("float32")
    assert_array_equal(run(result, x), run(model, x))


def test_constant_that_others_use() -> None:
    """What makes constants may be used elsewhere; it stays."""
    body = (
        "k = CastLike (z, x) c = Less (x, k) s = Mul (x, a) u = Where (c, s, x)"
        " d = Less (u, k) t = Mul (u, a) v = Where (d, t, u) h = Sin (v) y = Max (h, k)"
    )
    model = parsed(body, constants="T z = {0}, T a = {0.25}")
    assert operators(accelerate(model)) == ["CastLike", "LeakyRelu", "LeakyRelu", "Sin", "Max"]


@pytest.mark.parametrize(("opset", "bounds"), [(20, "(x, zero)"), (10, "<min = 0.0> (x)")])
def test_clip_keeps_no_infinity(opset: int, bounds: str) -> None:
    """Clip of one bound turns infinity into the largest number: not the same as relu."""
    body = f"p = Clip {bounds} n = Min (x, zero) s = Mul (n, a) y = Add (p, s)"
    model = parsed(body, constants="T a = {0.25}, T zero = {0}", opset=opset, ir_version=5)
    if opset < 13:
        model = parsed(body, constants="T a = {0.25}, T zero = {0}", opset=opset)
    assert accelerate(model) == model
    assert operators(accelerate(model, approximate=True)) == ["LeakyRelu"]


def test_one_node_is_left_alone() -> None:
    """What is one standard node already is as good as Relu; Celu with alpha 1 is an ELU."""
    for body in ("y = Max (x, zero)", "y = Clip (x, zero)", "y = Celu <alpha = 0.5> (x)"):
        model = parsed(body, constants="T zero = {0}")
        assert accelerate(model, ops=ALL, approximate=True) == model
    own = next((s for s in SPECS if s.standard and s.standard.name == "Celu"), spec_of("ELU"))
    assert operators(accelerate(parsed("y = Celu (x)"))) == [f"onnx_acts::{own.name}"]


REASONS = [
    (
        "c = Less (x, zero) e = Exp (x) m = Sub (e, one) s = Mul (m, w) y = Where (c, s, x)",
        "T[3,1] w = {1, 2, 3}, T zero = {0}, T one = {1}",
        "ELU takes one alpha",
    ),
    (
        "c = Less (x, zero) s = Mul (x, w) y = Where (c, s, x)",
        "T[2,3,1] w = {1, 2, 3, 4, 5, 6}, T zero = {0}",
        "a slope or another constant in it might enlarge x",
    ),
    (
        f"{PARTS} s = Mul (n, w) z = Add (p, s) y = Add (z, n)",
        "T[3,1] w = {1, 2, 3}",
        "a value inside it is used elsewhere",
    ),
    (
        "c = Greater (x, zero) k = Cast <to = 1> (c) p = Mul (x, k) d = Not (c)"
        " l = Cast <to = 1> (d) n = Mul (x, l) s = Mul (n, w) y = Add (p, s)",
        "T[3,1] w = {1, 2, 3}, T zero = {0}",
        "only approximately (--approximate): it differs in rounding, or at NaN or infinity",
    ),
]


@pytest.mark.parametrize(("body", "constants", "reason"), REASONS)
def test_reason_of_a_near_miss(body: str, constants: str, reason: str) -> None:
    """What is nearly replaced is told with the reason."""
    model = parsed(body, constants=constants)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    result, report = accelerate_reported(model, ops=("PReLU", "ELU"))
    assert result == model
    assert reason in {item.reason for item in report.left}


def test_large_slopes() -> None:
    """Slopes for each element of a feature map are looked at in parts, every one of them."""
    slopes = np.linspace(0.1, 0.9, 3 * 4096, dtype=np.float32).reshape(3, 4096)
    for last, operator in ((0.5, "onnx_acts::PReLU"), (1.5, "Max")):
        model = parsed("s = Mul (x, w) y = Max (s, x)", shape="N,3,4096")
        slopes[-1, -1] = last
        model.graph.initializer.append(onnx.numpy_helper.from_array(slopes, "w"))
        assert operators(accelerate(model))[-1] == operator


def test_operator_of_another_tool() -> None:
    """tf2onnx writes TensorFlow's Expm1, which ONNX does not have: the file runs afterwards."""
    body = "c = Greater (x, zero) e = Expm1 (x) s = Mul (e, a) y = Where (c, x, s)"
    model = parsed(body, constants="T a = {0.5}, T zero = {0}")
    result = accelerate(model)
    assert operators(result) == ["onnx_acts::ELU"]
    x = values("float32")
    wanted = np.where(x < 0, 0.5 * np.expm1(np.minimum(x, 0).astype(np.float64)), x)
    assert_allclose(run(result, x), wanted, rtol=4e-6, atol=2e-45)  # 27 ULP: its body


def test_sign_of_nan() -> None:
    """ONNX Runtime gives 0 or NaN for it, by element type: a form with Sign is approximate."""
    body = "g = Sign (x) p = Relu (g) y = Mul (x, p)"
    assert operators(accelerate(parsed(body), ops=ALL))[-1] == "Mul"
    assert operators(accelerate(parsed(body), ops=ALL, approximate=True)) == ["onnx_acts::ReLU"]


def test_comparison_of_integers() -> None:
    """Integers are looked through as masks alone; arithmetic with them is not."""
    body = (
        "c = Greater (x, zero) i = Cast <to = 7> (c) j = Mul (i, i) f = Cast <to = 1> (j)"
        " y = Mul (x, f)"
    )
    model = parsed(body, constants="T zero = {0}")
    assert accelerate(model, ops=ALL, approximate=True) == model
