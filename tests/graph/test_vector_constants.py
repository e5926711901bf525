"""Constants with a number for each column, of which one is another: near misses of every form."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import numpy_helper

import onnx_acts
from onnx_acts.graph import accelerate_counted
from tests.helpers import ALL

FORMS = {
    "relus": "a = Relu (x) b = Neg (x) c = Max (b, zero) d = Mul (c, slope) y = Sub (a, d)",
    "greater": "g = Greater (x, zero) m = Mul (x, slope) y = Where (g, x, m)",
    "less": "g = Less (x, zero) m = Mul (x, slope) y = Where (g, m, x)",
    "factor": "g = Less (x, zero) f = Where (g, slope, one) y = Mul (x, f)",
    "elu": "g = Greater (x, zero) e = Exp (x) m = Sub (e, one) n = Mul (m, alpha)"
    " y = Where (g, x, n)",
    "elu sum": "i = Min (x, zero) e = Exp (i) m = Sub (e, one) n = Mul (m, alpha) r = Relu (x)"
    " y = Add (r, n)",
    "abs": "a = Abs (x) b = Mul (a, q) c = Mul (x, p) y = Add (b, c)",
    "largest": "m = Mul (x, slope) y = Max (m, x)",
    "mask": "g = Greater (x, zero) c = Cast <to = 1> (g) a = Mul (x, c) h = LessOrEqual (x, zero)"
    " d = Cast <to = 1> (h) b = Mul (x, d) e = Mul (b, slope) y = Add (a, e)",
}
CONSTANTS = {"zero": 0.0, "one": 1.0, "slope": 0.25, "alpha": 0.5, "p": 0.625, "q": 0.375}
SINGLE = {"elu": "ELU", "elu sum": "ELU"}
"""What is found where all are alike; elsewhere a LeakyReLU."""

X = np.array(
    [[-2, -1, -0.5], [0.5, 1, 2], [0, -0.0, 0.25], [np.inf, -np.inf, np.nan], [0.75, 0.5, 0.9]],
    np.float32,
)


def model_of(form: str, **constants: list[float]) -> onnx.ModelProto:
    """A form with its constants, some of which have an element for each column."""
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[N,3] x) => (float[N,3] y)'
    model = onnx.parser.parse_model(f"{text} {{ {FORMS[form]} }}")
    for name, value in {**CONSTANTS, **constants}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    return model


@pytest.mark.parametrize("form", FORMS)
def test_alike(form: str) -> None:
    """The forms are found where each column has the same number, as a scalar or as a vector."""
    wanted = SINGLE.get(form, "LeakyReLU")
    for repeats in (1, 3):
        constants = {name: [value] * repeats for name, value in CONSTANTS.items()}
        counts = accelerate_counted(model_of(form, **constants), ops=ALL, approximate=True)[1]
        (found,) = counts
        assert found.rpartition(" -> ")[2] in (wanted, "PReLU")


@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("name", CONSTANTS)
@pytest.mark.parametrize("form", FORMS)
def test_one_column_differs(form: str, name: str, column: int) -> None:
    """Whatever becomes of it, no number changes."""
    other = [CONSTANTS[name]] * 3
    other[column] += 0.75
    model = model_of(form, **{name: other})
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": X})[0]
    for approximate in (False, True):
        result = accelerate_counted(model, ops=ALL, approximate=approximate)[0]
        got = onnx_acts.session(result).run(None, {"x": X})[0]
        is_number = np.isfinite(wanted) if approximate else np.ones(X.shape, bool)
        np.testing.assert_allclose(got[is_number], wanted[is_number], rtol=1e-5, atol=1e-6)
