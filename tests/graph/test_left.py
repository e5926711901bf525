"""What `accelerate` tells of the activations that it leaves."""

from __future__ import annotations

from typing import Any

import onnx
import onnx.parser
import pytest

from onnx_acts.graph import accelerate_counted, accelerate_reported
from onnx_acts.graph.deciding import Left
from tests.graph.models import parsed

TRUE = "k = Constant <value = bool {1}> ()"
DEEP = (
    f"{TRUE} y = If (k) <then_branch = p () => (T[N,3,4] q) {{ q = If (k) <then_branch = r () =>"
    " (T[N,3,4] s) { s = Elu (x) }, else_branch = u () => (T[N,3,4] v) { v = Identity (x) }> },"
    " else_branch = e () => (T[N,3,4] f) { f = Identity (x) }>"
)
SEQUENCE = (
    "s = SequenceConstruct (x) u = SequenceMap (s) <body = inner (T[N,3,4] a) => (T[N,3,4] b)"
    " { b = Elu (a) }> z = Constant <value_int = 0> () y = SequenceAt (u, z)"
)
SLOPE: dict[str, Any] = {"constants": "T[3,1] w = {0.5, 0.25, 2}"}

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("y = PRelu (x, w)", {"more_inputs": ", T[C,1] w"}, "PRelu", "its slope might enlarge x"),
    ("y = Relu (x)", {}, "Relu", "ReLU is not among the operators that were asked for"),
    ("a = Foo (x) y = Elu (a)", {}, "Elu", "its element type is unknown"),
    (DEEP, {}, "Elu", "it is in a subgraph of a subgraph"),
    (SEQUENCE, {}, "Elu", "it is in a SequenceMap"),
    (
        "s = Div (x, a) y = Max (s, x)",
        {"constants": "T a = {5}"},
        "max(x/a, x)",
        "only approximately (--approximate): it differs in rounding, or at NaN or infinity",
    ),
    (
        "s = Mul (x, w) m = Max (s, x) y = Add (m, s)",
        {"constants": "T[3,1] w = {0.5, 0.25, 0.75}"},
        "max(x*w, x)",
        "a value inside it is used elsewhere",
    ),
]


def left(model: onnx.ModelProto, **options: Any) -> dict[tuple[str, str], int]:
    """What stays: the number of each form and reason."""
    found = accelerate_reported(model, **options)[1].left
    return {(item.form, item.reason): count for item, count in found.items()}


@pytest.mark.parametrize(("body", "options", "form", "reason"), CASES)
def test_reason(body: str, options: dict[str, Any], form: str, reason: str) -> None:
    """Each activation that stays has its reason."""
    assert left(parsed(body, **options)) == {(form, reason): 1}


def test_scan() -> None:
    """In a Scan, ONNX Runtime must know the number of dimensions."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 20]> g (float x) => (y) {'
        " y = Scan <num_scan_inputs = 1, body = inner (float a) => (b) { b = Elu (a) }> (x) }"
    )
    for value in (model.graph.input[0], model.graph.node[0].attribute[1].g.input[0]):
        value.type.tensor_type.ClearField("shape")
    reasons = [reason for _, reason in left(model)]
    assert reasons == ["it is in or beside a Scan, with an unknown number of dimensions"]


def test_old_opset() -> None:
    """Below opset 15 one element type gets the body, the others are left."""
    model = parsed("h = Cast <to = 10> (x) e = Elu (h) b = Cast <to = 1> (e) y = Elu (b)", opset=14)
    assert left(model) == {("Elu", "below opset 15 a function body serves one element type"): 1}


def test_integers() -> None:
    """An element type that no operator has is named."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 20]> g (int32[N] x) => (int32[N] y) { y = Relu (x) }'
    )
    assert left(model, ops=("ReLU",)) == {("Relu", "onnx_acts has no ReLU of int32"): 1}


def test_function_of_another_opset() -> None:
    """A function that would have to be written anew stays, and what is in it is told."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 20, "own": 1]>'
        " g (float[N,3] x) => (float[N,3] y) { y = own.f (x) }"
        '<domain: "own", opset_import: ["": 12]> f (x) => (y)'
        " { m = ReduceMean <axes = [1], keepdims = 0> (x) e = Elu (x) r = Relu (e) y = Sub (r, m) }"
    )
    assert left(model) == {
        ("Elu", "it is in a function of another opset"): 1,
        ("Relu", "ReLU is not among the operators that were asked for"): 1,
    }


def test_counts_beside_what_is_replaced() -> None:
    """Equal ones are counted together; what is replaced is not among them."""
    model = parsed("a = Relu (x) b = Elu (a) c = Relu (b) y = PRelu (c, w)", **SLOPE)
    result, report = accelerate_reported(model)
    reason = "ReLU is not among the operators that were asked for"
    assert report.left == {Left("Relu", "ReLU", reason): 2}
    assert report.replaced == {"Elu -> ELU": 1, "PRelu -> PReLU": 1}
    assert accelerate_counted(model) == (result, report.replaced)


def test_parts_of_what_is_replaced() -> None:
    """Nodes that are gone with a form are not told."""
    model = parsed(
        "n = Neg (x) r = Relu (n) p = Relu (x) s = Mul (r, w) y = Sub (p, s)",
        constants="T[3,1] w = {0.5, 0.25, 2}",
    )
    assert left(model) == {}


def test_beside_an_if() -> None:
    """Where ONNX Runtime takes an If of a constant away in a subgraph, nothing of ours stands."""
    branch = "() => (T[N,3,4] {0}) {{ {0} = Identity (x) }}"
    inner = f"{TRUE} i = If (k) <then_branch = a {branch.format('p')},"
    inner += f" else_branch = b {branch.format('q')}> s = Elu (i)"
    text = f"y = If (c) <then_branch = t () => (T[N,3,4] s) {{ {inner} }},"
    text += f" else_branch = e {branch.format('r')}>"
    reason = "it is beside an If of a constant in a subgraph"
    assert left(parsed(text, more_inputs=", bool c")) == {("Elu", reason): 1}


@pytest.mark.parametrize(
    ("opset", "reason"),
    [
        (17, "it is in a function, of no element type in this model that onnx_acts has"),
        (9, "it is in a function of another opset"),
    ],
)
def test_functions_that_stay(opset: int, reason: str) -> None:
    """Because of their opset, or because nothing in them can be replaced: not told as the same."""
    dtype = "int32" if opset == 17 else "float"
    model = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": 17, "local": 1]> g ({dtype}[3] x) => ({dtype}[3] y)'
        f' {{ y = local.F (x) }} <domain: "local", opset_import: ["": {opset}]>'
        " F (a) => (b) { s = Constant <value = float[1] {0.5}> () c = PRelu (a, s)"
        " b = Clip <min: float = 0.0> (c) }"
    )
    if opset == 17:
        del model.functions[0].node[2].attribute[:]
    assert left(model) == {("PRelu", reason): 1}


@pytest.mark.parametrize("body", ["y = PRelu (x, w)", "a = Foo (x) y = PRelu (a, w)"])
def test_not_asked_for(body: str) -> None:
    """Who does not want an operator is told that, not what else speaks against it."""
    found = left(parsed(body, more_inputs=", T[C,1] w"), ops=("ELU",))
    assert found == {("PRelu", "PReLU is not among the operators that were asked for"): 1}
