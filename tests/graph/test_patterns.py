"""Every decomposition is found, gives the same numbers, and its near misses are left alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_array_equal
from onnx import TensorProto

from onnx_acts import session
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition import reference
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import spec_of
from onnx_acts.graph import accelerate, accelerate_counted
from tests.graph.models import operators, parsed, run, values
from tests.helpers import ALL

SLOPES = "T[3,1] w = {-0.5, 0.25, 2.0}"
SMALL = "T[3,1] w = {-0.5, 0.25, 1.0}"
NUMBERS = "T zero = {0}, T one = {1}, T minus = {-1}, T a = {0.5}, T half = {0.5}"


@dataclasses.dataclass(frozen=True)
class Form:
    """A decomposition: its nodes, its constants, what it is equal to."""

    body: str
    constants: str
    operator: str
    attributes: dict[str, float] = dataclasses.field(default_factory=dict)
    slope: Any = None


EXPM1 = "e = Exp (x) m = Sub (e, one)"
ELU = {"alpha": 0.5}
LEAKY = {"alpha": 0.25}
QUARTER = "T zero = {0}, T a = {0.25}, T four = {4}"
WEIGHTS = [[-0.5], [0.25], [2.0]]
FORMS = {
    "max": Form("s = Mul (a, x) y = Max (s, x)", QUARTER, "LeakyReLU", LEAKY),
    "max-turned": Form("s = Mul (x, a) y = Max (x, s)", QUARTER, "LeakyReLU", LEAKY),
    "max-negative": Form("s = Mul (a, x) y = Max (s, x)", "T a = {-3}", "LeakyReLU", {"alpha": -3}),
    "max-divided": Form("s = Div (x, four) y = Max (s, x)", QUARTER, "LeakyReLU", LEAKY),
    "max-channels": Form(
        "s = Mul (w, x) y = Max (x, s)", SMALL, "PReLU", slope=[[-0.5], [0.25], [1.0]]
    ),
    "relus": Form(
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (w, r) y = Sub (p, q)",
        SLOPES,
        "PReLU",
        slope=WEIGHTS,
    ),
    "relus-added": Form(
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (r, w) y = Add (q, p)",
        SLOPES,
        "PReLU",
        slope=[[0.5], [-0.25], [-2.0]],
    ),
    "relus-negated-weight": Form(
        "v = Neg (w) p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (v, r) y = Add (p, q)",
        SLOPES,
        "PReLU",
        slope=WEIGHTS,
    ),
    "relus-negated-part": Form(
        "p = Max (x, zero) n = Neg (x) r = Relu (n) k = Neg (r) q = Mul (w, k) y = Add (p, q)",
        f"{SLOPES}, T zero = {{0}}",
        "PReLU",
        slope=WEIGHTS,
    ),
    "max-and-min": Form(
        "p = Max (zero, x) n = Min (x, zero) q = Mul (w, n) y = Add (p, q)",
        f"{SLOPES}, T zero = {{0}}",
        "PReLU",
        slope=WEIGHTS,
    ),
    "keras-clamp": Form(
        "v = Max (w, c) p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (v, r) y = Sub (p, q)",
        f"{SLOPES}, T c = {{0.125}}",
        "PReLU",
        slope=[[0.125], [0.25], [2.0]],
    ),
    "clip-clamp": Form(
        "v = Clip (w, c) p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (v, r) y = Sub (p, q)",
        f"{SLOPES}, T c = {{0.125}}",
        "PReLU",
        slope=[[0.125], [0.25], [2.0]],
    ),
    "scalar-weight": Form(
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (a, r) y = Sub (p, q)",
        "T a = {0.25}",
        "LeakyReLU",
        LEAKY,
    ),
    "less": Form(
        "c = Less (x, zero) s = Mul (a, x) y = Where (c, s, x)", QUARTER, "LeakyReLU", LEAKY
    ),
    "greater": Form(
        "c = Greater (x, zero) s = Mul (x, a) y = Where (c, x, s)", QUARTER, "LeakyReLU", LEAKY
    ),
    "less-or-equal": Form(
        "c = LessOrEqual (x, zero) s = Mul (x, a) y = Where (c, s, x)", QUARTER, "LeakyReLU", LEAKY
    ),
    "greater-or-equal": Form(
        "c = GreaterOrEqual (x, zero) s = Mul (x, a) y = Where (c, x, s)",
        QUARTER,
        "LeakyReLU",
        LEAKY,
    ),
    "zero-less": Form(
        "c = Less (zero, x) s = Mul (x, a) y = Where (c, x, s)", QUARTER, "LeakyReLU", LEAKY
    ),
    "not-less": Form(
        "c = Less (x, zero) d = Not (c) s = Mul (x, a) y = Where (d, x, s)",
        QUARTER,
        "LeakyReLU",
        LEAKY,
    ),
    "divided": Form(
        "c = Less (x, zero) s = Div (x, four) y = Where (c, s, x)", QUARTER, "LeakyReLU", LEAKY
    ),
    "where-channels": Form(
        "c = Greater (x, zero) s = Mul (w, x) y = Where (c, x, s)",
        f"{SLOPES}, T zero = {{0}}",
        "PReLU",
        slope=WEIGHTS,
    ),
    "where-slope-above-1": Form(
        "c = Less (x, zero) s = Mul (a, x) y = Where (c, s, x)",
        "T zero = {0}, T a = {3}",
        "LeakyReLU",
        {"alpha": 3.0},
    ),
    "elu": Form(
        f"c = Greater (x, zero) {EXPM1} s = Mul (a, m) y = Where (c, x, s)", NUMBERS, "ELU", ELU
    ),
    "elu-less": Form(
        f"c = Less (x, zero) {EXPM1} s = Mul (m, a) y = Where (c, s, x)", NUMBERS, "ELU", ELU
    ),
    "elu-alpha-1": Form(
        f"c = GreaterOrEqual (x, zero) {EXPM1} y = Where (c, x, m)", NUMBERS, "ELU", {"alpha": 1.0}
    ),
    "elu-plus-minus-one": Form(
        "c = Less (x, zero) e = Exp (x) m = Add (minus, e) y = Where (c, m, x)",
        NUMBERS,
        "ELU",
        {"alpha": 1.0},
    ),
    "elu-alpha-minus-1": Form(
        "c = Less (x, zero) e = Exp (x) m = Sub (one, e) y = Where (c, m, x)",
        NUMBERS,
        "ELU",
        {"alpha": -1.0},
    ),
    "relu-max-of-three": Form("s = Mul (a, x) y = Max (s, x, zero)", QUARTER, "ReLU"),
    "relu-exp-of-the-positive-part": Form(
        "c = Less (x, zero) k = Where (c, zero, x) e = Exp (k) m = Sub (e, one)"
        " y = Where (c, m, x)",
        NUMBERS,
        "ReLU",
    ),
    "elu-jax": Form(
        "c = Greater (x, zero) k = Where (c, zero, x) e = Exp (k) m = Sub (e, one)"
        " s = Mul (a, m) y = Where (c, x, s)",
        NUMBERS,
        "ELU",
        ELU,
    ),
    "elu-nan-elsewhere": Form(
        "c = Less (x, zero) k = Where (c, x, zero) e = Exp (k) m = Sub (e, one)"
        " y = Where (c, m, x)",
        NUMBERS,
        "ELU",
        {"alpha": 1.0},
    ),
    "elu-nan-kept": Form(
        "c = Greater (x, zero) n = Not (c) k = Where (n, x, zero) e = Exp (k) m = Sub (e, one)"
        " y = Where (c, x, m)",
        NUMBERS,
        "ELU",
        {"alpha": 1.0},
    ),
    "elu-min": Form(
        "c = Greater (x, zero) k = Min (zero, x) e = Exp (k) m = Sub (e, one)"
        " s = Mul (a, m) y = Where (c, x, s)",
        NUMBERS,
        "ELU",
        ELU,
    ),
}

APPROXIMATE = {
    "divided": Form(
        "c = Less (x, zero) s = Div (x, five) y = Where (c, s, x)",
        "T zero = {0}, T five = {5}",
        "LeakyReLU",
        {"alpha": 0.2},
    ),
    "absolute": Form(
        "s = Mul (p, x) m = Abs (x) t = Mul (q, m) y = Add (t, s)",
        "T p = {0.6}, T q = {0.4}",
        "LeakyReLU",
        {"alpha": 0.2},
    ),
    "absolute, q below 0": Form(
        "s = Mul (p, x) m = Abs (x) t = Mul (q, m) y = Add (t, s)",
        "T p = {1.5}, T q = {-0.5}",
        "LeakyReLU",
        {"alpha": 2.0},
    ),
    "max, slope 0": Form("s = Mul (a, x) y = Max (s, x)", "T a = {0}", "ReLU"),
    "elu-nan": Form(
        "c = Greater (x, zero) n = Less (x, zero) k = Where (n, x, zero) e = Exp (k)"
        " m = Sub (e, one) s = Mul (a, m) y = Where (c, x, s)",
        NUMBERS,
        "ELU",
        ELU,
    ),
    "elu-nan-negated": Form(
        "c = GreaterOrEqual (x, zero) n = Not (c) p = Less (x, zero)"
        " q = Where (p, x, zero) e = Exp (q) m = Sub (e, one) y = Where (n, m, x)",
        NUMBERS,
        "ELU",
        {"alpha": 1.0},
    ),
}

# Where an approximate form and the activation are of different kinds (NaN, infinity, number):
# docs/semantics.md has this for users.
DIFFERENT_KINDS = {
    "divided": [],
    "absolute": [-np.inf],
    "absolute, q below 0": [np.inf],
    "max, slope 0": [-np.inf, np.inf],
    "elu-nan": [np.nan],
    "elu-nan-negated": [np.nan],
}

NEAR_MISSES = {
    "max, slope above 1": Form("s = Mul (a, x) y = Max (s, x)", "T a = {1.5}", ""),
    "max, one slope above 1": Form("s = Mul (w, x) y = Max (s, x)", SLOPES, ""),
    "max, infinite slope": Form("s = Mul (a, x) y = Max (s, x)", "T a = {-inf}", ""),
    "max, other x": Form("b = Sin (x) s = Mul (a, b) y = Max (s, x)", QUARTER, ""),
    "min": Form("s = Mul (a, x) y = Min (s, x)", QUARTER, ""),
    "divisor below 1": Form("s = Div (x, a) y = Max (s, x)", QUARTER, ""),
    "divided the other way": Form("s = Div (a, x) y = Max (s, x)", QUARTER, ""),
    "subtracted the other way": Form(
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (w, r) y = Sub (q, p)", SLOPES, ""
    ),
    "relus of other values": Form(
        "b = Sin (x) p = Relu (b) n = Neg (x) r = Relu (n) q = Mul (w, r) y = Sub (p, q)",
        SLOPES,
        "",
    ),
    "second relu not negated": Form(
        "p = Relu (x) r = Relu (x) q = Mul (w, r) y = Sub (p, q)", SLOPES, ""
    ),
    "infinite weight": Form(
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (a, r) y = Sub (p, q)", "T a = {inf}", ""
    ),
    "branches swapped": Form("c = Less (x, zero) s = Mul (a, x) y = Where (c, x, s)", QUARTER, ""),
    "elu branches swapped": Form(
        f"c = Greater (x, zero) {EXPM1} s = Mul (a, m) y = Where (c, s, x)", NUMBERS, ""
    ),
    "other value on the positive side": Form(
        "b = Sin (x) c = Less (x, zero) s = Mul (a, x) y = Where (c, s, b)", QUARTER, ""
    ),
    "compared with 1": Form(
        "c = Less (x, one) s = Mul (a, x) y = Where (c, s, x)", f"{QUARTER}, T one = {{1}}", ""
    ),
    "other value compared": Form(
        "b = Sin (x) c = Less (b, zero) s = Mul (a, x) y = Where (c, s, x)", QUARTER, ""
    ),
    "infinite slope meets 0": Form(
        "c = Greater (x, zero) s = Mul (a, x) y = Where (c, x, s)", "T zero = {0}, T a = {inf}", ""
    ),
    "exp + 1": Form(
        "c = Less (x, zero) e = Exp (x) m = Add (e, one) y = Where (c, m, x)", NUMBERS, ""
    ),
    "exp of another value": Form(
        "b = Sin (x) c = Less (x, zero) e = Exp (b) m = Sub (e, one) y = Where (c, m, x)",
        NUMBERS,
        "",
    ),
    "infinite alpha meets 0": Form(
        f"c = Greater (x, zero) {EXPM1} s = Mul (k, m) y = Where (c, x, s)",
        f"{NUMBERS}, T k = {{inf}}",
        "",
    ),
    "alpha for each channel": Form(
        f"c = Less (x, zero) {EXPM1} s = Mul (w, m) y = Where (c, s, x)", f"{NUMBERS}, {SLOPES}", ""
    ),
    "p + q is not 1": Form(
        "s = Mul (p, x) m = Abs (x) t = Mul (q, m) y = Add (t, s)",
        "T p = {0.6}, T q = {0.5}",
        "",
    ),
    "p = 1 and q = 0: x itself": Form(
        "s = Mul (p, x) m = Abs (x) t = Mul (q, m) y = Add (t, s)", "T p = {1}, T q = {0}", ""
    ),
    "abs of another value": Form(
        "b = Sin (x) s = Mul (p, x) m = Abs (b) t = Mul (q, m) y = Add (t, s)",
        "T p = {0.6}, T q = {0.4}",
        "",
    ),
}


def build(form: Form, dtype: str, **options: Any) -> onnx.ModelProto:
    """The model of a form."""
    return parsed(form.body, dtype, constants=form.constants, **options)


def expected(form: Form, x: Any) -> Any:
    """What the reference says."""
    inputs = [x] if form.slope is None else [x, np.array(form.slope, x.dtype)]
    return reference.exact(spec_of(form.operator), inputs, form.attributes)[0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", FORMS)
def test_form(name: str, dtype: str) -> None:
    """One node is left; it has the reference's numbers, and the old model's but for its error."""
    form, x = FORMS[name], values(dtype)
    model = build(form, dtype)
    before, result = model.SerializeToString(), accelerate(model, ops=ALL)
    assert model.SerializeToString() == before
    assert operators(result) == [f"onnx_acts::{form.operator}"]
    assert read_attributes(result.graph.node[0]) == form.attributes
    new, old, exact = run(result, x), run(model, x), expected(form, x)
    promise = spec_of(form.operator).promise.body[dtype]
    with np.errstate(invalid="ignore"):
        is_number = np.isfinite(exact) & np.isfinite(reference.rounded(exact, np.dtype(dtype)))
    assert ulp_error(new[is_number], exact[is_number]).max() <= promise
    assert_array_equal(new[~is_number], reference.rounded(exact, np.dtype(dtype))[~is_number])
    if form.operator == "ELU":
        error = 4 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(old, new, rtol=error, atol=error)
    else:
        assert_array_equal(old, new)  # NaN equals NaN, and -0 equals 0


@pytest.mark.parametrize("name", FORMS)
def test_used_elsewhere(name: str) -> None:
    """A form is left alone where one of its intermediate values is an output of the graph."""
    form = FORMS[name]
    inner = {
        output
        for node in build(form, "float32").graph.node
        for output in node.output
        if output not in ("y", "v")  # v is a constant, which may have other uses
    }
    for value in sorted(inner):
        model = build(form, "float32")
        model.graph.output.add(name=value)
        result, counts = accelerate_counted(model, ops=("PReLU", "ELU", "LeakyReLU"))
        assert not counts, value
        assert result == model


@pytest.mark.parametrize("name", FORMS)
def test_used_in_a_subgraph(name: str) -> None:
    """The same where a subgraph uses it."""
    form = FORMS[name]
    value = build(form, "float32").graph.node[-2].output[0]
    branch = f"g1 () => (k) {{ k = Identity ({value}) }}"
    model = parsed(
        f"{form.body} o = If (b) <then_branch = {branch}, else_branch = {branch}>",
        constants=form.constants,
        more_inputs=", bool b",
    )
    model.graph.output.add(name="o")
    assert not accelerate_counted(model, ops=("PReLU", "ELU", "LeakyReLU"))[1]


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_miss(name: str) -> None:
    """Another function is left alone, even where approximate forms are asked for."""
    model = build(NEAR_MISSES[name], "float32")
    result = accelerate(model, ops=("PReLU", "ELU", "LeakyReLU"), approximate=True)
    assert result == model


@pytest.mark.parametrize("name", APPROXIMATE)
def test_approximate(name: str) -> None:
    """Forms that round differently are replaced only if asked for, and are nearer to the truth."""
    form = APPROXIMATE[name]
    model, x = build(form, "float32"), values("float32")
    assert accelerate(model, ops=ALL) == model
    result = accelerate(model, ops=ALL, approximate=True)
    assert operators(result)[-1] == f"onnx_acts::{form.operator}"
    found = read_attributes(result.graph.node[-1])
    assert found == pytest.approx(form.attributes, rel=1e-6)
    finite, new, old = np.isfinite(x), run(result, x), run(model, x)
    atol = 4 * float(np.finfo(np.float32).eps) if form.operator == "ELU" else 1e-44
    np.testing.assert_allclose(new[finite], old[finite], rtol=1e-6, atol=atol)
    differ = (np.isnan(new) != np.isnan(old)) | (np.isinf(new) != np.isinf(old))
    unique = np.unique(x[differ])
    assert_array_equal(unique, np.sort(np.array(DIFFERENT_KINDS[name], np.float32)))


def test_leaky_relu_stays_standard() -> None:
    """By default a LeakyReLU becomes the standard node, which fuses with Conv; not in float64."""
    for dtype, operator in (("float32", "LeakyRelu"), ("float64", "onnx_acts::LeakyReLU")):
        result = accelerate(build(FORMS["max"], dtype))
        assert operators(result) == [operator]
        assert len(result.functions) == (dtype == "float64")


def test_operators_that_are_not_asked_for() -> None:
    """PReLU and ELU forms stay as they are where `ops` does not name them."""
    for name in ("relus", "elu"):
        model = build(FORMS[name], "float32")
        assert accelerate(model, ops=("RReLU",)) == model


def test_variable_slope() -> None:
    """A slope that is no constant is taken where x = 0 does not meet it, and only there."""
    forms = {"Less": "y = Where (c, s, x)", "Greater": "y = Where (c, x, s)"}
    for comparison, last in forms.items():
        model = parsed(
            f"c = {comparison} (x, zero) s = Mul (w, x) {last}",
            constants="T zero = {0}",
            more_inputs=", T[3,1] w",
        )
        result = accelerate(model)
        assert (operators(result) == ["onnx_acts::PReLU"]) == (comparison == "Less")
    infinite = np.array([[np.inf], [-np.inf], [np.nan]], np.float32)
    less = parsed(
        "c = Less (x, zero) s = Mul (w, x) y = Where (c, s, x)",
        constants="T zero = {0}",
        more_inputs=", T[3,1] w",
    )
    x = values("float32")
    assert_array_equal(run(less, x, w=infinite), run(accelerate(less), x, w=infinite))


@pytest.mark.parametrize(
    ("constants", "shape"),
    [
        ("T[1,1,1,1] a = {0.25}", "N,3,4"),  # more dimensions than x
        ("T[3,1] a = {0.25, 0.5, 0.75}", "N,1,4"),  # enlarges x
        ("T[3,1] a = {0.25, 0.5, 0.75}", "N,C,4"),  # enlarges x if C = 1
    ],
)
def test_enlarging(constants: str, shape: str) -> None:
    """A slope that enlarges x, or might, is left alone."""
    for body in (
        "s = Mul (a, x) y = Max (s, x)",
        "c = Less (x, zero) s = Mul (a, x) y = Where (c, s, x)",
        "p = Relu (x) n = Neg (x) r = Relu (n) q = Mul (a, r) y = Sub (p, q)",
    ):
        model = parsed(body, constants=f"{constants}, T zero = {{0}}", shape=shape)
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        model.graph.output[0].type.tensor_type.ClearField("shape")
        assert not accelerate_counted(model, ops=("PReLU", "LeakyReLU"))[1]


def test_zero_that_enlarges() -> None:
    """So is a comparison with a zero of more dimensions than x."""
    model = parsed(
        "c = Less (x, zero) s = Mul (a, x) y = Where (c, s, x)",
        constants="T[1,1,1,1] zero = {0}, T a = {0.5}",
    )
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert not accelerate_counted(model, ops=("LeakyReLU",))[1]


def test_overridable_initializer() -> None:
    """An initializer that is also an input may get another value, so it is no constant."""
    model = build(FORMS["max"], "float32")
    model.graph.input.add(name="a").type.tensor_type.elem_type = TensorProto.FLOAT
    assert accelerate(model, ops=ALL) == model


CONVERTED = (
    "d = Cast <to = 1> (x) c = Less (d, zero) f = Where (c, s, one) m = Mul (d, f)"
    " y = CastLike (m, x)"
)


@pytest.mark.parametrize(
    ("slope", "operator"),
    [
        ([[0.25], [0.5], [2.0]], "onnx_acts::PReLU"),  # float16 can hold these
        ([[0.1], [0.2], [0.3]], "CastLike"),
        ([[0.1]], "onnx_acts::LeakyReLU"),  # its alpha is a float32 in a float16 model too
    ],
)
def test_slope_of_another_type(slope: list[list[float]], operator: str) -> None:
    """Where x is float16 and what its body multiplies with float32, no PReLU can be."""
    model, x = parsed(CONVERTED, "float16"), values("float16")
    numbers = {"zero": np.float32(0), "one": np.float32(1), "s": np.array(slope, np.float32)}
    for name, number in numbers.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(number), name))
    result = accelerate(model, ops=ALL)
    assert operators(result)[-1] == operator
    for accelerated in (False, True):
        got = session(result, accelerated=accelerated).run(None, {"x": x})[0]
        assert_array_equal(got, run(model, x))


def test_variable_slope_of_another_type() -> None:
    """The same where the slope is an input: what is found is the PReLU in float32 between."""
    body = CONVERTED.replace("zero", "q").replace("one", "u")
    constants = "q = Constant <value = float {0}> () u = Constant <value = float {1}> ()"
    model = parsed(f"{constants} {body}", "float16", more_inputs=", float[3,1] s")
    assert operators(accelerate(model, ops=ALL)) == ["Cast", "onnx_acts::PReLU", "CastLike"]


def test_integers() -> None:
    """Integers have no activation here."""
    model = parsed("s = Mul (a, x) y = Max (s, x)", constants="T a = {1}")
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.INT32
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.array(1, np.int32), "a"))
    assert accelerate(model, ops=ALL) == model


def test_unused_constants_are_removed() -> None:
    """Constants go with their last use; those that others use stay."""
    form = FORMS["keras-clamp"]
    result = accelerate(build(form, "float32"))
    assert [tensor.name for tensor in result.graph.initializer] == ["y_slope"]
    model = parsed(form.body.replace("y = ", "z = ") + " y = Mul (z, c)", constants=form.constants)
    kept = [tensor.name for tensor in accelerate(model).graph.initializer]
    assert kept == ["c", "z_slope"]


def test_folding_is_limited() -> None:
    """Constants that would multiply to a huge array are not computed."""
    for size, is_replaced in ((2000, True), (2100, False)):
        model = parsed(
            "w = Mul (r, k) s = Mul (w, x) y = Max (s, x)",
            constants=f"T[1,{size}] r = {{0.5}}, T[{size},1] k = {{0.5}}",
            shape=f"{size},{size}",
        )
        assert bool(accelerate_counted(model, ops=ALL)[1]) == is_replaced


def test_comparison_after_a_cast() -> None:
    """A comparison of a wider copy of x is one of x; a narrower copy may be 0 where x is not."""
    form = "d = Cast <to = {}> (x) c = Less (d, zero) s = Mul (a, x) y = Where (c, s, x)"
    for dtype, target, is_replaced in (
        ("float16", TensorProto.FLOAT, True),
        ("bfloat16", TensorProto.DOUBLE, True),
        ("float32", TensorProto.DOUBLE, True),
        ("float64", TensorProto.FLOAT, False),
        ("float32", TensorProto.FLOAT16, False),
        ("float32", TensorProto.INT32, False),
    ):
        model = parsed(form.format(target), dtype, constants="T a = {0.5}")
        zero = np.zeros((), onnx.helper.tensor_dtype_to_np_dtype(target))
        model.graph.initializer.append(onnx.numpy_helper.from_array(zero, "zero"))
        assert bool(accelerate_counted(model, ops=ALL)[1]) == is_replaced


def test_folding_is_not_repeated() -> None:
    """A net of constants, with more ways through it than can be walked, is folded once."""
    net = []
    for level in range(1, 8):
        below = ", ".join(f"c{level - 1}_{k}" for k in range(30))
        net += [f"c{level}_{k} = Max ({below})" for k in range(30)]
    constants = ", ".join(f"T c0_{k} = {{0.5}}" for k in range(30))
    model = parsed(f"{' '.join(net)} s = Mul (c7_0, x) y = Max (s, x)", constants=constants)
    assert operators(accelerate(model))[-1] == "LeakyRelu"
