"""Files as other exporters write them: without types, with old opsets, in unusual but valid forms.

Each is accelerated, and gives with bodies and with the library what ONNX Runtime gives on the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import onnx_acts
from onnx_acts.files.structure import walk_graphs
from onnx_acts.graph import accelerate, accelerate_counted
from tests.graph.models import elu, operators
from tests.helpers import ALL

X = np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4)


def parsed(
    body: str, *, opset: int = 17, shape: str = "N,4", functions: str = ""
) -> onnx.ModelProto:
    """A model from float x to float y of one shape, from text, without `value_info`."""
    domain = ', "local": 1' if functions else ""
    return onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": {opset}{domain}]>'
        f" g (float[{shape}] x) => (float[{shape}] y) {body} {functions}"
    )


def check(model: onnx.ModelProto, *, rtol: float = 1e-5) -> onnx.ModelProto:
    """Accelerates a model and compares what ONNX Runtime computes; returns the accelerated one."""
    result = accelerate(model)
    onnx.checker.check_model(result, full_check=True)
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": X})[0]
    for accelerated in (False, True):
        got = onnx_acts.session(result, accelerated=accelerated).run(None, {"x": X})[0]
        np.testing.assert_allclose(got, wanted, rtol=rtol, strict=True)
    return result


def casts(model: onnx.ModelProto) -> set[int]:
    """The types to which the function bodies cast."""
    nodes = [node for function in model.functions for node in function.node]
    found = {a.i for node in nodes for a in node.attribute if a.name == "to"}
    return found | {-1 for node in nodes if node.op_type == "CastLike"}


PRELUS = "<float[4] s = {1, 2, 3, 4}> { a = PRelu (x, s) b = Neg (a) y = PRelu (b, s) }"
ELUS = "{ a = Elu (x) b = Neg (a) y = Elu <alpha = 0.5> (b) }"
HALF = "{ c = Cast <to = 10> (x) a = Elu (c) b = Neg (a) d = PRelu (b, s) y = Cast <to = 1> (d) }"


@pytest.mark.parametrize("opset", [9, 11, 12, 13, 14, 15, 17, 20])
@pytest.mark.parametrize("body", [PRELUS, ELUS])
def test_float32_bodies(body: str, opset: int) -> None:
    """Values between nodes have no types in the file: they are inferred, so nothing is float64."""
    result = check(parsed(body, opset=opset))
    assert {function.name for function in result.functions} in ({"PReLU"}, {"ELU"})
    assert casts(result) <= {TensorProto.FLOAT}


@pytest.mark.parametrize("opset", [9, 12, 13, 14, 15, 17])
def test_float16(opset: int) -> None:
    """A model in float16 has bodies below opset 15 too, which cast to that one type."""
    model = parsed(HALF, opset=opset)
    slope = np.array([0.5, 0.25, 2, 1], np.float16)
    model.graph.initializer.append(onnx.numpy_helper.from_array(slope, "s"))
    result = check(model, rtol=2e-3)
    assert operators(result)[1:4] == ["onnx_acts::ELU", "Neg", "onnx_acts::PReLU"]
    assert casts(result) == {TensorProto.FLOAT, TensorProto.FLOAT16 if opset < 15 else -1}


@pytest.mark.parametrize(
    ("opset", "first"), [(14, "Elu"), (15, "onnx_acts::ELU"), (9, "Elu"), (20, "onnx_acts::ELU")]
)
def test_mixed_types(opset: int, first: str) -> None:
    """Below opset 15 there is a body for one type: nodes of the other stay, none is refused."""
    body = "{ c = Cast <to = 10> (x) a = Elu (c) b = Cast <to = 1> (a) y = Elu (b) }"
    result = check(parsed(body, opset=opset), rtol=2e-3)
    assert operators(result) == ["Cast", first, "Cast", "onnx_acts::ELU"]


@pytest.mark.parametrize("opset", [9, 10, 11, 12, 17])
def test_reference_evaluator(opset: int) -> None:
    """An accelerated file runs in the evaluator at every opset."""
    model = parsed(ELUS, opset=opset)
    ours: Any = onnx_acts.reference_evaluator(accelerate(model)).run(None, {"x": X})
    theirs: Any = ReferenceEvaluator(model).run(None, {"x": X})
    got, wanted = ours[0], theirs[0]
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


FUNCTION = '<domain: "local", opset_import: ["": {}]> F (v) => (w) {{ e = Elu (v) w = Neg (e) }}'


@pytest.mark.parametrize(
    ("model_opset", "function_opset", "is_inlined"),
    [
        (17, 13, True),
        (13, 17, True),
        (18, 17, True),
        (13, 9, True),  # Neg has changed, but there is nothing to convert
        (9, 13, False),  # nobody says how to go back
    ],
)
def test_function_of_another_opset(model_opset: int, function_opset: int, is_inlined: bool) -> None:
    """A function with an activation is inlined where both opsets mean the same by it."""
    functions = FUNCTION.format(function_opset)
    model = parsed("{ a = local.F (x) y = Elu (a) }", opset=model_opset, functions=functions)
    result, counts = accelerate_counted(model)
    assert counts == {"Elu -> ELU": 1 + is_inlined}
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": X})[0]
    got = onnx_acts.session(result).run(None, {"x": X})[0]
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_functions_that_stay() -> None:
    """A function that must stay keeps its opset, and those that it calls stay with it."""
    functions = (
        '<domain: "local", opset_import: ["": 11]>'
        " Old (v) => (w) { u = Unsqueeze <axes = [0]> (v) w = Squeeze <axes = [0]> (u) }"
        '<domain: "local", opset_import: ["": 11, "local": 1]>'
        " Caller (v) => (w) { o = Unsqueeze <axes = [0]> (v) w = local.New (o) }"
        '<domain: "local", opset_import: ["": 16]> New (v) => (w) { w = Elu (v) }'
    )
    model = parsed(
        "{ a = local.New (x) b = local.Caller (a) y = local.Old (b) }", functions=functions
    )
    result, counts = accelerate_counted(model)
    assert counts == {"Elu -> ELU": 1}
    left = {
        (f.name, item.version)
        for f in result.functions
        for item in f.opset_import
        if f.domain == "local" and not item.domain
    }
    assert left == {("Old", 11), ("Caller", 11), ("New", 16)}


@pytest.mark.parametrize("outer", ["2,4", "N,4", "N,M", "?,?", "4", "?"])
@pytest.mark.parametrize("kind", ["float[]", ""])
def test_scan_body_without_shapes(kind: str, outer: str) -> None:
    """Values of a subgraph with a type and no shape, or with neither, also where they are scalars.

    ONNX Runtime wants to know how many dimensions the outputs of a Scan's body have.
    """
    body = f"b ({kind} v) => ({kind} w) {{ u = Neg (v) w = Elu (u) }}"
    text = f"{{ s = Scan <num_scan_inputs = 1, body = {body}> (x) y = Elu (s) }}"
    result = accelerate(parsed(text, shape=outer))
    assert [node.op_type for graph in walk_graphs(result.graph) for node in graph.node] == [
        "Scan",
        "ELU",
        "Neg",
        "ELU",
    ]
    assert casts(result) <= {TensorProto.FLOAT}
    x = X if "," in outer else X[0]
    wanted = elu(elu(-x))
    for accelerated in (False, True):
        got = onnx_acts.session(result, accelerated=accelerated).run(None, {"x": x})[0]
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_scan_along_other_axes() -> None:
    """The shape of what is scanned, without its axis; states keep theirs."""
    body = "b (float[] a, float[] v) => (float[] z, float[] w) { z = Add (a, v) w = Elu (v) }"
    text = (
        "<float[2] k = {0, 0}> { f, y = Scan <num_scan_inputs = 1, scan_input_axes = [-1],"
        f" scan_output_axes = [-1], body = {body}> (k, x) }}"
    )
    check(parsed(text, shape="2,M"))


@pytest.mark.parametrize("kind", ["float", "float[?]"])
@pytest.mark.parametrize("before", ["w = local.F (v)", "u = Unsqueeze (v, axes) w = local.F (u)"])
def test_scan_body_after_inlining(before: str, kind: str) -> None:
    """A function of a Scan's body that is inlined for nothing leaves the output its shape.

    It is found for any shape; here its slope enlarges x, so it stays what it was.
    """
    functions = (
        '<domain: "local", opset_import: ["": 14]> F (v) => (w)'
        " { k = Constant <value = float[1,3] {0.25, 0.25, 0.25}> ()"
        " z = Constant <value = float[1] {0}> ()"
        " m = Mul (k, v) c = GreaterOrEqual (v, z) w = Where (c, v, m) }"
    )
    body = f"b ({kind} v) => (w) {{ {before} }}"
    text = (
        "<float s = {0.25}, int64[1] axes = {0}>"
        f" {{ r = Scan <num_scan_inputs = 1, body = {body}> (x) y = PRelu (r, s) }}"
    )
    x = X[0] if kind == "float" else X[:, :1]
    model = parsed(text, opset=14, shape="4" if kind == "float" else "2,?", functions=functions)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": x})[0]
    result = accelerate(model, ops=("PReLU", "LeakyReLU"))
    assert operators(result) == ["Scan", "onnx_acts::PReLU"]
    for accelerated in (False, True):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnx_acts.session(result, session_options=options, accelerated=accelerated)
        np.testing.assert_array_equal(session.run(None, {"x": x})[0], wanted)


SCANS = {
    "size from outside": (
        "<float[1,4] k = {1, 2, 3, 4}, int64[1] zero = {0}>",
        "a = Squeeze (k, zero) m = Mul (a, v) w = Elu (m)",
    ),
    "shape from outside": ("<int64[2] sizes = {2, 2}>", "m = Reshape (v, sizes) w = Elu (m)"),
    "nested": (
        "",
        "w = Scan <num_scan_inputs = 1, body = i (float[] a) => (float[] b) { b = Elu (a) }> (v)",
    ),
}


@pytest.mark.parametrize("optimised", [False, True])
@pytest.mark.parametrize("kind", ["float[]", "float[?]", ""])
@pytest.mark.parametrize("name", SCANS)
def test_output_of_a_scan_body(name: str, kind: str, optimised: bool) -> None:
    """Its number of dimensions is known afterwards, or the node stays."""
    constants, nodes = SCANS[name]
    output = kind if name != "shape from outside" else "float[]"
    body = f"b ({kind} v) => ({output} r) {{ {nodes} r = Neg (w) }}"
    text = f"{constants} {{ s = Scan <num_scan_inputs = 1, body = {body}> (x) y = Elu (s) }}"
    model = parsed(text, opset=13, shape="?,?")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    result = accelerate(model)
    levels = onnxruntime.GraphOptimizationLevel
    wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": X})[0]
    for accelerated in (False, True):
        options = onnxruntime.SessionOptions()
        if not optimised:
            options.graph_optimization_level = levels.ORT_DISABLE_ALL
        session = onnx_acts.session(result, session_options=options, accelerated=accelerated)
        np.testing.assert_allclose(session.run(None, {"x": X})[0], wanted, rtol=1e-5, atol=1e-6)


def test_negative_sizes() -> None:
    """Some exporters write -1 for a size that they do not know: it is no size, and fits nothing."""
    slope = "<float[4] s = {1, 2, 3, 4}>"
    check(parsed(f"{slope} {{ a = PRelu (x, s) y = Elu (a) }}", shape="-1,4"))
    result = accelerate(parsed(f"{slope} {{ a = PRelu (x, s) y = Elu (a) }}", shape="-1,-1"))
    assert operators(result) == ["PRelu", "onnx_acts::ELU"]  # the slope might enlarge x
    equal = "<float[-1] s> { y = PRelu (x, s) }"
    result = accelerate(parsed(equal, shape="-1"))
    assert operators(result) == ["PRelu"]  # two unknown sizes are not known to be equal


@pytest.mark.parametrize(
    "body", ["y = PRelu (x, w)", "m = Mul (w, x) y = Max (m, x)", "y = Elu (x)"]
)
@pytest.mark.parametrize("change", [onnx_acts.accelerate, onnx_acts.lower])
def test_initializer_without_a_type(body: str, change: Callable[..., onnx.ModelProto]) -> None:
    """An initializer of type UNDEFINED is a value of which nothing is known."""
    model = parsed(f"{{ {body} }}")
    model.graph.initializer.add(name="w", dims=[4])
    result = change(model)
    expected = "onnx_acts::ELU" if change is accelerate and "Elu" in body else None
    assert operators(result)[-1] == (expected or operators(model)[-1])


def test_nodes_in_any_order() -> None:
    """ONNX Runtime takes nodes in any order; onnx infers no types in a wrong one."""
    model = parsed("<float[4] s = {1, 2, 3, 4}> { a = Neg (x) b = PRelu (a, s) y = Elu (b) }")
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    result = check(model)
    assert operators(result) == ["Neg", "onnx_acts::PReLU", "onnx_acts::ELU"]
    assert not casts(result) - {TensorProto.FLOAT}


def test_values_of_operators_that_onnx_does_not_know() -> None:
    """ONNX Runtime is asked for the types of what its own operators make."""
    model = parsed("<float[4] s = {1, 2, 3, 4}> { a = com.microsoft.Gelu (x) y = PRelu (a, s) }")
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    result = accelerate(model)
    assert operators(result) == ["com.microsoft::Gelu", "onnx_acts::PReLU"]
    assert not casts(result)


@pytest.mark.parametrize("optimised", [False, True])
def test_shape_beside_a_branch(optimised: bool) -> None:
    """A value whose shape is asked for, and which a branch of an If of a constant uses.

    ONNX Runtime loses the value where it knows the shape: of a scalar's transposes it does not, of
    a node of ours it does.
    """
    text = (
        "{ a = Squeeze <axes = [0]> (x) n = Neg (a) z = Constant <value = float {0}> ()"
        " m = Max (n, z) t = Transpose (m) k = Constant <value = float {2}> () w = Mul (t, k)"
        " r = Transpose (w) b = Relu (a) v = Sub (b, r) d = Shape (v)"
        " c = Constant <value = bool {1}> () u = If (c) <then_branch = g () => (float[] p)"
        " { p = Abs (v) }, else_branch = h () => (float[] q) { q = Identity (v) }>"
        " y = Expand (u, d) }"
    )
    model = parsed(text, opset=9, shape="1")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    result = accelerate(model, ops=ALL)
    levels = onnxruntime.GraphOptimizationLevel
    x = np.array([-0.5], np.float32)
    for accelerated in (False, True):
        options = onnxruntime.SessionOptions()
        if not optimised:
            options.graph_optimization_level = levels.ORT_DISABLE_ALL
        session = onnx_acts.session(result, session_options=options, accelerated=accelerated)
        assert session.run(None, {"x": x})[0] == 1  # abs(2 * -0.5)


@pytest.mark.parametrize("types", ["FLOAT16 BFLOAT16", "BFLOAT16 FLOAT16"])
def test_cast_to_another_16_bit_type(types: str) -> None:
    """Neither type of 16 bits has all numbers of the other: a value between is not x."""
    x, other = (getattr(TensorProto, name) for name in types.split())
    text = (
        f"{{ a = Cast <to = {x}> (x) b = Cast <to = {other}> (a) c = Cast <to = {x}> (b)"
        f" k = Constant <value = float {{0.25}}> () l = Cast <to = {x}> (k) s = Mul (c, l)"
        " m = Max (s, a) r = Elu (m) y = Cast <to = 1> (r) }"
    )
    result, counts = accelerate_counted(parsed(text), ops=ALL, approximate=True)
    assert counts == {"Elu -> ELU": 1}
    onnx.checker.check_model(result, full_check=True)


@pytest.mark.parametrize(
    ("body", "operator"),
    [
        ("c = Less (x, o) t = Mul (x, k) y = Where (c, t, x)", "LeakyRelu"),
        ("t = Mul (s, x) y = Max (x, t)", "onnx_acts::PReLU"),
        ("e = Exp (x) m = Sub (e, i) c = Greater (x, o) y = Where (c, x, m)", "onnx_acts::ELU"),
    ],
)
def test_initializers_that_are_inputs(body: str, operator: str) -> None:
    """Below IR version 4 all are, and none can be overridden: they are constants."""
    constants = "<float o = {0}, float k = {0.25}, float i = {1}, float[4] s = {0.5, 0.25, -1, 1}>"
    model = parsed(f"{constants} {{ {body} }}", opset=9)
    for tensor in model.graph.initializer:
        value = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(value)
    for version, expected in ((3, operator), (4, operators(model)[-1])):
        model.ir_version = version
        result = accelerate(model)
        assert operators(result)[-1] == expected
        wanted = onnx_acts.session(model, accelerated=False).run(None, {"x": X})[0]
        for accelerated in (False, True):
            got = onnx_acts.session(result, accelerated=accelerated).run(None, {"x": X})[0]
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
