"""Each form with one thing wrong is told with the reason; other activations are left in silence."""

from __future__ import annotations

import re

import pytest

from onnx_acts.graph import accelerate_reported
from onnx_acts.graph.deciding import Left
from tests.graph.models import OF_CELU, operators, parsed
from tests.helpers import ALL

NUMBERS = (
    "T zero = {0}, T one = {1}, T minus = {-1}, T half = {0.5}, T low = {-3}, T k = {0.125},"
    " T a = {0.25}, T b = {1.5}, T three = {3}, T six = {6}, T[3,1] s = {-0.5, 0.25, 2}"
)
V = ", T[3,1] v"
Z = ", T[N,3,4] z"
EXPM1 = "e = Exp (x) m = Sub (e, one)"

ABOVE, BELOW = "its slope is above 1", "its slope is below 1"
MAY_BE_ABOVE, MAY_BE_BELOW = "its slope may be above 1", "its slope may be below 1"
POSITIVE = "it changes positive x"
BEND = "its bend is not at 0"
CLIP = "its Clip has two bounds"
TWIN = "its parts are of two values"
JUMP = "it jumps at 0"
USED = "a value inside it is used elsewhere"

NEAR_MISSES: dict[str, dict[str, tuple[str, str]]] = {
    ABOVE: {
        "b*x": ("LeakyReLU", "t = Mul (b, x) y = Max (t, x)"),
        "x*b": ("LeakyReLU", "t = Mul (x, b) y = Max (x, t)"),
        "x/half": ("LeakyReLU", "t = Div (x, half) y = Max (t, x)"),
        "one channel": ("PReLU", "t = Mul (s, x) y = Max (x, t)"),
        "a part of a product": ("LeakyReLU", "t = Mul (b, x) m = Max (x, t) y = Mul (m, a)"),
    },
    BELOW: {
        "Min": ("LeakyReLU", "t = Mul (a, x) y = Min (t, x)"),
        "Min, channels": ("PReLU", "t = Mul (s, x) y = Min (x, t)"),
    },
    MAY_BE_ABOVE: {
        "variable": ("PReLU", "t = Mul (v, x) y = Max (t, x)"),
        "variable, turned": ("PReLU", "t = Mul (x, v) y = Max (x, t)"),
        "computed": ("PReLU", "g = Sigmoid (v) t = Mul (x, g) y = Max (x, t)"),
    },
    MAY_BE_BELOW: {
        "variable, Min": ("PReLU", "t = Mul (v, x) y = Min (t, x)"),
    },
    POSITIVE: {
        "swapped, <": ("LeakyReLU", "c = Less (x, zero) t = Mul (a, x) y = Where (c, x, t)"),
        "swapped, >": ("LeakyReLU", "c = Greater (x, zero) t = Mul (a, x) y = Where (c, t, x)"),
        "swapped, channels": ("PReLU", "c = Greater (x, zero) t = Mul (s, x) y = Where (c, t, x)"),
        "swapped, variable": ("PReLU", "c = Greater (x, zero) t = Mul (v, x) y = Where (c, t, x)"),
        "swapped, ELU": (
            "ELU",
            f"c = Greater (x, zero) {EXPM1} t = Mul (a, m) y = Where (c, t, x)",
        ),
        "two slopes": (
            "LeakyReLU",
            "c = Greater (x, zero) t = Mul (a, x) u = Mul (x, half) y = Where (c, u, t)",
        ),
        "p + q is not 1": (
            "LeakyReLU",
            "t = Mul (a, x) m = Abs (x) u = Mul (m, half) y = Add (u, t)",
        ),
    },
    BEND: {
        "threshold": ("LeakyReLU", "c = Greater (x, k) t = Mul (a, x) y = Where (c, x, t)"),
        "threshold, turned": (
            "LeakyReLU",
            "c = LessOrEqual (k, x) t = Mul (a, x) y = Where (c, x, t)",
        ),
        "threshold, variable": ("PReLU", "c = Greater (x, k) t = Mul (v, x) y = Where (c, x, t)"),
        "threshold, ELU": ("ELU", f"c = Less (x, k) {EXPM1} t = Mul (a, m) y = Where (c, t, x)"),
        "bounds": ("LeakyReLU", "p = Max (x, k) q = Min (x, k) t = Mul (q, a) y = Add (p, t)"),
    },
    CLIP: {
        "upper bound": (
            "LeakyReLU",
            "p = Clip (x, zero, six) q = Min (x, zero) t = Mul (q, a) y = Add (p, t)",
        ),
        "lower bound": (
            "LeakyReLU",
            "p = Max (x, zero) q = Clip (x, low, zero) t = Mul (q, a) y = Add (p, t)",
        ),
        "bound of the exponent": (
            "ELU",
            "p = Max (x, zero) q = Clip (x, low, zero) e = Exp (q) m = Sub (e, one) y = Add (p, m)",
        ),
    },
    "its alpha is not 1": (
        {"Celu": ("ELU", "y = Celu <alpha = 0.5> (x)")} if OF_CELU == "ELU" else {}
    ),
    "its alpha is no constant": {
        "variable alpha": (
            "ELU",
            f"c = Greater (x, zero) {EXPM1} t = Mul (v, m) y = Where (c, x, t)",
        ),
    },
    "ELU takes one alpha": {
        "alphas": ("ELU", f"c = Greater (x, zero) {EXPM1} t = Mul (s, m) y = Where (c, x, t)"),
    },
    TWIN: {
        "two values": (
            "LeakyReLU",
            "p = Max (x, zero) q = Min (z, zero) t = Mul (q, a) y = Add (p, t)",
        ),
        "other condition": (
            "LeakyReLU",
            "c = Greater (z, zero) t = Mul (a, x) y = Where (c, x, t)",
        ),
        "other branch": ("PReLU", "c = Greater (x, zero) t = Mul (s, z) y = Where (c, x, t)"),
        "other exponent": ("ELU", f"c = Greater (z, zero) {EXPM1} y = Where (c, x, m)"),
    },
    JUMP: {
        "exp(x) + 1": (
            "ELU",
            "c = Less (x, zero) e = Exp (x) m = Add (e, one) y = Where (c, m, x)",
        ),
        "exp(x)": ("ELU", "c = Less (x, zero) e = Exp (x) y = Where (c, e, x)"),
        "a exp(x) - 1": (
            "ELU",
            "c = Less (x, zero) e = Exp (x) t = Mul (a, e) m = Sub (t, one) y = Where (c, m, x)",
        ),
        "a x + k": (
            "LeakyReLU",
            "c = Less (x, zero) t = Mul (x, a) u = Add (t, k) y = Where (c, u, x)",
        ),
    },
    USED: {
        "used": ("LeakyReLU", "t = Mul (a, x) m = Max (x, t) y = Add (m, t)"),
    },
}
"""By reason: the activation that it nearly is, and the nodes; v is a slope, z another value."""

OTHER_INPUTS = [
    (
        "its slope might enlarge x",
        "PReLU",
        "c = Less (x, zero) t = Mul (x, v) y = Where (c, t, x)",
        ", T[2,3,1] v",
    ),
    (
        "its slope might enlarge x",
        "PReLU",
        "c = Less (x, zero) t = Mul (x, v) y = Where (c, t, x)",
        ", T[C,1] v",
    ),
    (
        "its slope would have to be transposed",
        "PReLU",
        "p = Max (x, zero) n = Min (x, zero) q = Transpose <perm = [0, 2, 1]>"
        " (n) t = Mul (q, v) u = Transpose <perm = [0, 2, 1]> (t) y = Add (p,"
        " u)",
        ", T[4,3] v",
    ),
    (
        "a constant in it is an input of the graph, too",
        "LeakyReLU",
        "c = Less (x, zero) t = Mul (x, a) y = Where (c, t, x)",
        ", T zero, T a",
    ),
]


def check(body: str, inputs: str, dtype: str, operator: str, reason: str) -> None:
    """A model stays, with one reason, whether or not `approximate` is asked for."""
    model = parsed(body, dtype, constants=NUMBERS, more_inputs=inputs)
    for approximate in (False, True):
        result, report = accelerate_reported(model, ops=ALL, approximate=approximate)
        assert result == model
        assert [(item.operator, item.reason) for item in report.left] == [(operator, reason)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("reason", "name"), [(reason, name) for reason, cases in NEAR_MISSES.items() for name in cases]
)
def test_reason(reason: str, name: str, dtype: str) -> None:
    """One thing is wrong, and that is told."""
    operator, body = NEAR_MISSES[reason][name]
    names = re.findall(r"\w+", body)
    inputs = V * ("v" in names) + Z * ("z" in names)
    check(body, inputs, dtype, operator, reason)


@pytest.mark.parametrize(("reason", "operator", "body", "inputs"), OTHER_INPUTS)
def test_reason_in_the_inputs(reason: str, operator: str, body: str, inputs: str) -> None:
    """Sizes or constants do not allow it."""
    check(body, inputs, "float32", operator, reason)


OTHERS = {
    "HardSwish": "t = Add (x, three) c = Clip (t, zero, six) u = Mul (x, c) y = Div (u, six)",
    "HardSigmoid": "t = Mul (x, a) u = Add (t, half) y = Clip (u, zero, one)",
    "HardSigmoid, Min": "t = Mul (x, a) u = Add (t, half) q = Min (u, one) y = Max (q, zero)",
    "Softplus": "e = Exp (x) t = Add (e, one) y = Log (t)",
    "Softplus, stable": "m = Abs (x) g = Neg (m) e = Exp (g) t = Add (e, one) l = Log (t)"
    " p = Max (x, zero) y = Add (p, l)",
    "Softplus, threshold": "e = Exp (x) t = Add (e, one) l = Log (t) c = Greater (x, six)"
    " y = Where (c, x, l)",
    "SiLU": "g = Sigmoid (x) y = Mul (x, g)",
    "SiLU, spelled": "g = Neg (x) e = Exp (g) t = Add (e, one) y = Div (x, t)",
    "Mish": "g = Softplus (x) t = Tanh (g) y = Mul (x, t)",
    "Relu6, Max and Min": "p = Max (x, zero) y = Min (p, six)",
    "Relu6, Min and Max": "p = Min (x, six) y = Max (p, zero)",
    "Relu6 of a sum": "p = Add (x, zero) y = Clip (p, zero, six)",
    "Relu6, Where": "p = Max (x, zero) c = Greater (x, six) y = Where (c, six, p)",
    "Hardtanh": "p = Max (x, minus) y = Min (p, one)",
    "Hardtanh, Where": "c = Greater (x, one) d = Less (x, minus) p = Where (c, one, x)"
    " y = Where (d, minus, p)",
    "Hardshrink": "c = Greater (x, half) d = Less (x, minus) p = Where (d, x, zero)"
    " y = Where (c, x, p)",
    "Shrink": "c = Less (x, minus) d = Less (one, x) u = Sub (x, zero) p = Where (d, u, zero)"
    " w = Add (x, zero) y = Where (c, w, p)",
    "ThresholdedRelu": "c = Greater (x, k) y = Where (c, x, zero)",
    "ThresholdedRelu, mask": "c = Greater (x, k) f = CastLike (c, x) y = Mul (x, f)",
    "Softshrink": "c = Greater (x, half) d = Less (x, minus) u = Sub (x, half) p = Add (x, one)"
    " q = Where (d, p, zero) y = Where (c, u, q)",
    "Selu": f"c = Greater (x, zero) {EXPM1} t = Mul (m, b) p = Mul (x, half) y = Where (c, p, t)",
    "ELiSH": f"g = Sigmoid (x) {EXPM1} c = Less (x, zero) u = Mul (m, g) w = Mul (x, g)"
    " y = Where (c, u, w)",
    "Celu, spelled": "t = Div (x, half) e = Exp (t) m = Sub (e, one) u = Mul (m, half)"
    " n = Min (u, zero) p = Max (x, zero) y = Add (p, n)",
    "Softsign": "m = Abs (x) t = Add (m, one) y = Div (x, t)",
    "Squareplus": "q = Mul (x, x) t = Add (q, six) r = Sqrt (t) u = Add (x, r) y = Mul (u, half)",
    "Tanhshrink": "t = Tanh (x) y = Sub (x, t)",
    "Threshold": "c = Greater (x, zero) y = Where (c, x, low)",
    "abs": "t = Neg (x) y = Max (t, x)",
    "-abs": "t = Neg (x) y = Min (t, x)",
    "step": "c = Greater (x, zero) y = Where (c, one, zero)",
    "sign": "c = Greater (x, zero) d = Less (x, zero) p = Where (d, minus, zero)"
    " y = Where (c, one, p)",
    "exp(x) - 1": "e = Exp (x) y = Sub (e, one)",
    "angle": "c = Less (x, zero) t = Add (x, six) y = Where (c, t, x)",
    "Huber": "m = Abs (x) c = Less (m, one) q = Mul (x, x) h = Mul (q, half) u = Sub (m, half)"
    " y = Where (c, h, u)",
    "maxout": "y = Max (x, z)",
    "maximum with a half": "t = Mul (z, half) y = Max (x, t)",
    "mask of another": "c = Greater (z, zero) y = Where (c, x, low)",
    "ReLU's gradient": "c = Greater (x, zero) y = Where (c, z, zero)",
    "ReLU's gradient, mask": "c = Greater (x, zero) f = CastLike (c, x) y = Mul (z, f)",
    "gate": "g = Sigmoid (z) y = Mul (x, g)",
    "floor": "m = Max (x, k) y = Div (z, m)",
    "two things wrong": "c = Greater (x, k) p = Clip (x, zero, six) t = Mul (a, x)"
    " y = Where (c, p, t)",
    "clipped logarithm": "m = Clip (x, k, six) y = Log (m)",
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_activations(name: str) -> None:
    """They are none of the five, and nothing is said of them."""
    model = parsed(OTHERS[name], constants=NUMBERS, more_inputs=Z)
    for approximate in (False, True):
        result, report = accelerate_reported(model, ops=ALL, approximate=approximate)
        assert result == model
        assert not report.left


RESIDUALS = {
    "x + relu(x)": ("p = Relu (x) y = Add (x, p)", ["Relu", "Add"]),
    "z + relu(x)": ("p = Relu (x) y = Add (z, p)", ["Relu", "Add"]),
    "2 relu(x)": ("p = Relu (x) y = Mul (p, b)", ["Relu", "Mul"]),
    "z + a relu(-x)": (
        "g = Neg (x) r = Relu (g) t = Mul (r, a) y = Add (z, t)",
        ["Neg", "Relu", "Mul", "Add"],
    ),
    "relu(x)^2": ("p = Relu (x) y = Mul (p, p)", ["Relu", "Mul"]),
    "relu(x - 1) - relu(-x - 1)": (
        "u = Sub (x, one) p = Relu (u) g = Neg (x) w = Sub (g, one) q = Relu (w) y = Sub (p, q)",
        ["Sub", "Relu", "Neg", "Sub", "Relu", "Sub"],
    ),
    "gain": ("t = Mul (a, x) m = Max (x, t) y = Mul (m, b)", ["LeakyRelu", "Mul"]),
    "x + leaky(x)": ("t = Mul (a, x) m = Max (x, t) y = Add (m, x)", ["LeakyRelu", "Add"]),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_around_activations(name: str) -> None:
    """What is made of an activation is not told as a near miss of another."""
    body, expected = RESIDUALS[name]
    model = parsed(body, constants=NUMBERS, more_inputs=Z)
    result, report = accelerate_reported(model, ops=("PReLU", "ELU"))
    assert operators(result) == expected
    reason = "ReLU is not among the operators that were asked for"
    assert set(report.left) <= {Left("Relu", "ReLU", reason)}


def test_form_of_two_values() -> None:
    """It goes back to the two values, not to what is made of them."""
    body = NEAR_MISSES[TWIN]["two values"][1]
    left = accelerate_reported(parsed(body, constants=NUMBERS, more_inputs=Z))[1].left
    assert [item.form for item in left] == ["max(x, 0) + min(w, 0)*a"]


def test_inside_an_approximate_form() -> None:
    """The parts of what is told are not told as near misses of their own."""
    body = "m = Abs (x) t = Mul (x, i) u = Mul (m, q) w = Add (t, u) y = Mul (half, w)"
    model = parsed(body, constants=f"{NUMBERS}, T i = {{1.25}}, T q = {{0.75}}")
    left = accelerate_reported(model, ops=ALL)[1].left
    assert [item.form for item in left] == ["a*(x*a + abs(x)*a)"]


SLOPES = "T[3,4096] w = {" + ", ".join(["0.5"] * (3 * 4096 - 1) + ["1.5"]) + "}"


def test_wrong_in_a_late_part() -> None:
    """Of many slopes every one is looked at."""
    model = parsed("s = Mul (x, w) y = Max (s, x)", shape="N,3,4096", constants=SLOPES)
    result, report = accelerate_reported(model)
    assert result == model
    assert set(report.left) == {Left("max(x*w, x)", "PReLU", ABOVE)}
