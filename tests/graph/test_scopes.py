"""What is known of a value is known in its graph: the same name means others elsewhere.

Each model is accelerated and lowered, and gives ONNX Runtime's results on the file, its shapes too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts.files.structure import walk_graphs
from onnx_acts.graph import accelerate, lower
from onnx_acts.graph.view import View
from tests.graph.models import elu
from tests.helpers import ALL

X = np.array([[-2, -0.5, 0], [1, -3, -1e-3]], np.float32)


def parsed(text: str, *, opset: int = 17, domain: str = "") -> onnx.ModelProto:
    """A model from text."""
    more = f', "{domain}": 1' if domain else ""
    header = f'<ir_version: 10, opset_import: ["": {opset}{more}]>'
    return onnx.parser.parse_model(f"{header} g {text}")


def check(model: onnx.ModelProto, *, ops: tuple[str, ...] = ALL, **fed: NDArray[Any]) -> None:
    """Compares every output, with bodies, with the library and lowered, on two levels."""
    levels = onnxruntime.GraphOptimizationLevel
    wanted = onnx_acts.session(model, accelerated=False).run(None, fed)
    changed = accelerate(model, ops=ops)
    assert any(function.domain == "onnx_acts" for function in changed.functions)
    ways = [(changed, False), (changed, True)]
    ways += [(lower(changed), False), (lower(changed, exact=True), False)]
    for result, library in ways:
        for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_ALL):
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = level
            session = onnx_acts.session(result, session_options=options, accelerated=library)
            for got, want in zip(session.run(None, fed), wanted, strict=True):
                tolerance = 2e-3 if want.dtype == np.float16 else 1e-6
                np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, strict=True)


def without_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with outputs, those of subgraphs too, of which only the type is known."""
    graphs = [model.graph]
    graphs += [item.g for node in model.graph.node for item in node.attribute if item.HasField("g")]
    for value in (value for graph in graphs for value in graph.output):
        value.type.tensor_type.ClearField("shape")
    return model


def test_rank_that_onnx_runtime_does_not_know() -> None:
    """It shows an unknown rank like a scalar's; a slope of unknown rank fits nothing."""
    text = (
        "(float[N,M] x, int64[K] s) => (float[?,?] y, int64[?] h) { c = Reshape (x, s)"
        " a = com.microsoft.Gelu (c) d = Elu (a) y = Neg (d) h = Shape (d) }"
    )
    check(parsed(text, domain="com.microsoft"), x=X, s=np.array([3, 2]))
    text = (
        "(float[2,1] x, float[3] t, int64[K] s) => (float[?,?] y)"
        " { c = Reshape (t, s) a = com.microsoft.Gelu (c) p = PRelu (x, a) y = Elu (p) }"
    )
    check(parsed(text, domain="com.microsoft"), x=X[:, :1], t=X[0], s=np.array([1, 3]))


@pytest.mark.parametrize("node", ["{} = Elu (a)", "{} = PRelu (a, w)"])
def test_rank_in_another_branch(node: str) -> None:
    """A body gives no result the rank that a namesake of its input has elsewhere."""
    text = (
        "(bool b, float[3,1] x, int64[K] s) => (float y, int64[?] h) <float[1] w = {0.5}>"
        " { y = If (b) <then_branch = t () => (float q) { a = Neg (x) NODEq },"
        " else_branch = e () => (float r) { a = Reshape (x, s) NODEr }> h = Shape (y) }"
    )
    for name in "qr":
        text = text.replace(f"NODE{name}", node.format(name))
    model = without_shapes(parsed(text))
    check(model, b=np.array(False), x=X[:1].T.copy(), s=np.array([3]))
    check(model, b=np.array(True), x=X[:1].T.copy(), s=np.array([3]))


@pytest.mark.parametrize("stale", ["float[1,3,1] a", "float[A,B] a"])
def test_stale_shape(stale: str) -> None:
    """Nor the rank that a file says wrongly; ONNX Runtime only warns."""
    text = (
        f"(float[3] x) => (float[?] y, int64[?] h) <{stale}> {{ a = Neg (x) y = Elu (a)"
        " h = Shape (y) }"
    )
    check(parsed(text), x=X[0])


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_types_in_a_function(kind: int) -> None:
    """What a function says of its values is true for some of its callers at most."""
    model = parsed(
        "(float[2,3,1] x, float[3] z) => (float[?,?,?] y, float[?] w)"
        " { y = local.F (x) w = local.F (z) }"
        '<domain: "local", opset_import: ["": 17]> F (a) => (b) { c = Neg (a) b = Elu (c) }',
        domain="local",
    )
    stored = helper.make_tensor_value_info("c", kind, [2, 3, 1])
    model.functions[0].value_info.append(stored)
    check(model, x=X[:, :, None], z=X[0])


@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("other", ["Cast <to = 7> (x)", "Cast <to = 11> (x)"])
def test_type_in_another_branch(other: str, opset: int) -> None:
    """A namesake of another type refuses no file, and makes no body compute in float64."""
    model = parsed(
        "(bool b, float[N,3] x) => (float[?,?] y) <float[3] s = {0.1, 0.2, 0.3}>"
        " { y = If (b) <"
        " then_branch = t () => (float[?,?] q) { a = Neg (x) q = PRelu (a, s) },"
        f" else_branch = e () => (float[?,?] r) {{ a = {other} r = Cast <to = 1> (a) }}> }}",
        opset=opset,
    )
    for branch in (False, True):
        check(model, b=np.array(branch), x=X)
    (body,) = accelerate(model).functions
    assert not [node for node in body.node if node.op_type == "Cast"]


@pytest.mark.parametrize("opset", [11, 13, 17])
def test_our_nodes_in_functions(opset: int) -> None:
    """They are inlined: in a function a body would have to suit any type."""
    model = parsed(
        "(float[2,3] x) => (float[2,3] y) { z = local.F (x) y = Elu (z) }"
        '<domain: "local", opset_import: ["": OPSET, "onnx_acts": 1]>'
        " F (a) => (b) { c = onnx_acts.ELU (a) b = Neg (c) }".replace("OPSET", str(opset)),
        opset=opset,
        domain="local",
    )
    result = accelerate(model)
    (body,) = result.functions
    assert [item.i for node in body.node for item in node.attribute if item.name == "to"] == [1]
    for changed in (result, lower(model), lower(model, exact=True)):
        got = onnx_acts.session(changed, accelerated=False).run(None, {"x": X})[0]
        np.testing.assert_allclose(got, elu(-elu(X)), rtol=1e-6, atol=1e-7)


def test_sequence_map() -> None:
    """Its body stays: ONNX Runtime mixes up names where it puts function bodies into it."""
    model = parsed(
        "(float[2,3] a, float[4,3] b) => (float[?,?] y) { s = SequenceConstruct (a, b)"
        " t = SequenceMap <body = bb (float[?,3] v) => (float[?,3] w) { w = Elu (v) }> (s)"
        " c = ConcatFromSequence <axis = 0> (t) y = Elu (c) }"
    )
    check(model, a=X, b=np.concatenate([X, -X]))


def test_branches_in_branches() -> None:
    """Nodes in subgraphs of subgraphs stay: with bodies ONNX Runtime 1.31 gives -0.0002 here."""
    model = parsed(
        "(float x, bool b) => (float y) <float w = {0.5}, float k = {-0.5}, bool no = {0}>"
        " { v = If (no) <"
        " else_branch = e () => (float p) { q = PRelu (x, w) p = If (b) <"
        " else_branch = f () => (float r) { r = Identity (q) },"
        " then_branch = g () => (float s) { s = PRelu (q, k) }> },"
        " then_branch = t () => (float u) { u = Neg (x) }> y = LeakyRelu <alpha = 0.2> (v) }"
    )
    for b in (False, True):
        check(model, x=np.array(-0.001, np.float32), b=np.array(b))


AROUND = {
    "If": "w = If (b) <then_branch = t () => (float[?,?] s) {{ {} }},"
    " else_branch = e () => (float[?,?] r) {{ r = Identity (x) }}>",
    "If of a constant": "w = If (yes) <then_branch = t () => (float[?,?] s) {{ {} }},"
    " else_branch = e () => (float[?,?] r) {{ r = Identity (x) }}>",
    "Loop": "w = Loop (one, b, x) <body = t (int64 i, bool c, float[3,1] k)"
    " => (bool d, float[?,?] s) {{ d = Identity (c) {} }}>",
    "Scan": "w = Scan <num_scan_inputs = 1, body = t (float[1] k) => (float[1] s)"
    " {{ {} s = ReduceMax <axes = [0], keepdims = 0> (u) }}> (x)",
}
CONDITIONS = {
    "an initializer": ("no", ""),
    "a constant": ("a", "a = Constant <value = bool {1}> ()"),
    "computed from constants": ("a", "a = Not (no)"),
    "computed from a shape": (
        "a",
        "n = Shape (z) m = ReduceMax <keepdims = 0> (n) a = Less (one, m)",
    ),
    "an input": ("b", ""),
    "computed from an input": ("a", "a = Or (b, no)"),
}


def beside_an_if(around: str, condition: str, node: str, function: bool = False) -> onnx.ModelProto:
    """A model with an If and `node`, which takes what the If makes, in one subgraph."""
    name, made = CONDITIONS[condition]
    branches = (
        " <then_branch = f () => (float[?,?] p) { p = Neg (z) },"
        " else_branch = h () => (float[?,?] q) { q = Abs (z) }>"
    )
    inner = f"{made} v = If ({name}){branches} {node}"
    if function:
        inner = f"{made} v = local.F ({name}, z) {node}"
    branches = branches.replace("float[?,?] ", "")
    inner = inner if around == "Scan" else inner.replace("u =", "s =")
    return parsed(
        "(float[3,1] x, bool b) => (float[?,?] y) <bool no = {0}, bool yes = {1},"
        " int64 one = {1}, float[1] k1 = {0.5}>"
        f" {{ z = Exp (x) {AROUND[around].format(inner)} y = Elu (w) }}"
        f' <domain: "local", opset_import: ["": 17]> F (o, z) => (v) {{ v = If (o){branches} }}',
        domain="local",
    )


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("node", ["u = Elu (v)", "o = Identity (v) u = PRelu (o, k1)"])
def test_beside_an_if(around: str, condition: str, node: str) -> None:
    """A node stays where ONNX Runtime loses what it takes, together with an If of a constant."""
    model = beside_an_if(around, condition, node)
    for b in (False, True):
        check(model, x=X[:1].T.copy(), b=np.array(b))
    kinds = [node.op_type for graph in walk_graphs(accelerate(model).graph) for node in graph.node]
    assert ("Elu" in kinds or "PRelu" in kinds) == ("input" not in condition)


@pytest.mark.parametrize("around", AROUND)
def test_beside_an_if_in_a_function(around: str) -> None:
    """ONNX Runtime puts the If of the function there."""
    model = beside_an_if(around, "an initializer", "u = Elu (v)", function=True)
    check(model, x=X[:1].T.copy(), b=np.array(True))


SCAN = (
    " k = Shape (x) r = Reshape (x, k) e = Elu (r)"
    " o = Scan <num_scan_inputs = 1, body = b (float[] v) => (float[] w) { w = Abs (v) }> (e)"
)


@pytest.mark.parametrize(
    "after", ["y = Neg (o)", "y = If (c) <then_branch = t () => (float[] p) { p = Neg (o) },"
              " else_branch = f () => (float[] q) { q = Abs (o) }>"]
)  # fmt: skip
def test_before_a_scan(after: str) -> None:
    """A Scan must know the rank of what it scans; here ONNX Runtime alone finds it out."""
    model = parsed(f"(float[2,3] x, bool c) => (float[] y) {{ {SCAN} {after} }}", opset=13)
    check(model, x=X, c=np.array(True))


def test_before_a_scan_in_a_branch() -> None:
    """Nobody is asked for the rank in a subgraph: the node stays."""
    model = parsed(
        f"(float[2,3] x, bool c) => (float[] y) {{ z = Elu (x) y = If (c) <then_branch = t ()"
        f" => (float[] o) {{ {SCAN} }}, else_branch = f () => (float[] q) {{ q = Neg (z) }}> }}",
        opset=13,
    )
    check(model, x=X, c=np.array(True))
    assert "Elu" in {n.op_type for g in walk_graphs(accelerate(model).graph) for n in g.node}


def test_slope_that_may_be_fed() -> None:
    """A stored slope that is an input may be fed with more values than are stored."""
    model = parsed(
        "(float[A,B] x, float[N] s) => (float[?,?] y) <float[1] r = {0.25}>"
        " { p = PRelu (x, s) y = Elu (p) }"
    )
    model.graph.initializer[0].name = "s"
    check(model, x=X[:, :1], s=np.array([1, 2, 3], np.float32))
    check(model, x=X[:, :1])


def test_chain_of_float16_constants() -> None:
    """ONNX Runtime rounds such a chain at its end only."""
    model = parsed(
        "(float16[2,3] x) => (float16[2,3] y) { t = Mul (c, k) s = Add (t, m) y = PRelu (x, s) }"
    )
    numbers = {"c": [0.345703125, 0.82177734375, 0.330322265625], "k": [-1.302734375]}
    for name, array in (numbers | {"m": [0.9052734375]}).items():
        stored = onnx.numpy_helper.from_array(np.array(array, np.float16), name)
        model.graph.initializer.append(stored)
    graph = onnx.GraphProto()
    graph.CopyFrom(model.graph)
    graph.output[0].CopyFrom(onnx.ValueInfoProto(name="s"))
    probe = helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)
    x = X.astype(np.float16)
    wanted = onnx_acts.session(probe, accelerated=False).run(["s"], {"x": x})[0]
    view = View(model.graph, model.graph, 17)
    found = view.constant("s")
    assert found is not None
    np.testing.assert_array_equal(found, wanted, strict=True)
