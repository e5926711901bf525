"""What is known of the values of a model."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.definition.known import Known, dtype_name
from onnx_acts.files.scopes import Values
from onnx_acts.files.structure import walk_graphs
from onnx_acts.files.types import element_types, inferred, scopes
from onnx_acts.files.types_in_runtime import types_in_runtime


def parsed(text: str, *, opset: int = 17) -> onnx.ModelProto:
    """A model from text."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> g {text}')


def outermost(model: onnx.ModelProto) -> Values:
    """What is known of the values of the graph."""
    return next(scopes(model))[1]


def test_types_and_shapes() -> None:
    """Of inputs, outputs, initializers and everything between; -1 is an unknown size."""
    model = parsed(
        "(float[N,-1,?] x) => (y) <float[3] w = {1, 2, 3}>"
        " { a = Cast <to = 10> (x) b = Neg (a) y = Shape (b) }"
    )
    found = outermost(model)
    shape = ("N", None, None)
    assert found["x"] == Known("float32", shape)
    assert found["b"].dtype == "float16"
    assert found["w"] == Known("float32", (3,))
    assert found["y"] == Known("int64", (3,))
    types = {"x": "float32", "w": "float32", "a": "float16", "b": "float16", "y": "int64"}
    assert element_types(model) == types


def test_our_nodes_without_an_import() -> None:
    """Nodes of the domain are followed where the model does not import it yet."""
    model = parsed("(float[N,4] x) => (y) { a = onnx_acts.ELU (x) y = Neg (a) }")
    assert outermost(model)["y"] == Known("float32", ("N", 4))
    assert [item.domain for item in model.opset_import] == [""], "the model was changed"


def test_names_that_mean_several_values() -> None:
    """Two branches may use one name: what it means depends on the graph."""
    model = parsed(
        "(bool c, float[2,3] x) => (y) { o = Neg (x) y = If (c) <"
        " then_branch = t () => (float[2,3] p) { v = Neg (o) p = Neg (v) },"
        " else_branch = e () => (float[2,3] q) { s = Shape (o) v = Cast <to = 11> (s)"
        " u = other.Unknown (x) q = Add (x, x) }> }"
    )
    found = {graph.name: values for graph, values, _ in scopes(model)}
    assert found["t"]["v"] == Known("float32", (2, 3))
    assert found["e"]["v"] == Known("float64", (2,))
    assert found["e"]["o"] == found["g"]["o"] == Known("float32", (2, 3))
    assert found["e"]["u"] == found["g"]["v"] == Known()
    assert [owner is None for _, _, owner in scopes(model)] == [True, False, False]
    types = element_types(model)
    assert "v" not in types
    assert types["o"] == "float32"


def test_unknown_in_one_graph_only() -> None:
    """A value is not like its namesake in another graph of which more is known."""
    model = parsed(
        "(bool c, float[3,1] x, int64[K] s) => (y) { y = If (c) <"
        " then_branch = t () => (p) { a = Neg (x) p = Neg (a) },"
        " else_branch = e () => (q) { a = Reshape (x, s) q = Neg (a) }> }"
    )
    found = {graph.name: values for graph, values, _ in scopes(model)}
    assert found["t"]["a"] == Known("float32", (3, 1))
    assert found["e"]["a"] == Known("float32", None)


def test_stored_inputs() -> None:
    """An initializer that is an input may be fed with another shape, as the input declares it."""
    model = parsed("(float[N] x, float[M] s) => (y) <float[1] s = {1}> { y = PRelu (x, s) }")
    model.graph.input[1].name = "s"
    values = outermost(model)
    assert values["s"] == Known("float32", ("M",))


def test_element_types() -> None:
    """UNDEFINED is unknown, a number that onnx does not know an error."""
    assert dtype_name(TensorProto.UNDEFINED, "v") is None
    assert dtype_name(TensorProto.BFLOAT16, "v") == "bfloat16"
    with pytest.raises(ValueError, match="'v' has the element type 99, which onnx"):
        dtype_name(99, "v")


def runtime_model() -> onnx.ModelProto:
    """A weight above what a copy without weights keeps, and an operator of ONNX Runtime's own."""
    model = parsed(
        "(float[N,100] x) => (float[N,50] y)"
        " { a = MatMul (x, w) b = com.microsoft.Gelu (a) c = onnx_acts.ELU (b) y = Neg (c) }"
    )
    weight = np.ones((100, 50), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def test_onnx_runtime_is_asked() -> None:
    """Also where weights are left out, and where our nodes have no bodies yet."""
    found = outermost(runtime_model())
    assert found["b"] == found["c"] == Known("float32", ("N", 50))


def test_unknown_rank_in_onnx_runtime() -> None:
    """It shows a scalar and an unknown rank in the same way: nothing is known of the shape."""
    model = parsed(
        "(float[N,M] x, int64[K] s) => (y)"
        " { c = Reshape (x, s) a = com.microsoft.Gelu (c) y = Neg (a) }"
    )
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert outermost(model)["a"] == Known("float32", None)


def test_no_other_file_is_read() -> None:
    """A weight in another file is not needed; in a subgraph it keeps ONNX Runtime out."""
    model = runtime_model()
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    assert outermost(model)["b"] == Known("float32", ("N", 50))
    constant = helper.make_node("Constant", [], ["k"], value=weight)
    del model.graph.initializer[:]
    constant.output[:] = ["w"]
    model.graph.node.insert(0, constant)
    assert outermost(model)["b"] == Known("float32", ("N", 50))
    constant.output[:] = ["k"]
    inner = helper.make_graph([constant], "inner", [], [onnx.ValueInfoProto(name="k")])
    model.graph.input.append(helper.make_tensor_value_info("i", TensorProto.BOOL, []))
    model.graph.node.append(
        helper.make_node("If", ["i"], ["z"], then_branch=inner, else_branch=inner)
    )
    assert outermost(model)["b"] == Known()


def test_onnx_runtime_is_not_asked_in_vain() -> None:
    """Nothing comes back where everything is known, or where it cannot load the model."""
    model = parsed("(float[N] x) => (float[N] y) { y = Neg (x) }")
    assert types_in_runtime(inferred(model)) == []
    model = parsed("(float[N] x) => (float[N] y) { a = other.Unknown (x) y = Neg (a) }")
    assert types_in_runtime(model) == []
    assert outermost(model)["a"] == Known()


@pytest.mark.parametrize("ir_version", [3, 8])
@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("<int64[2] s = {6, -1}> { {} }", (6, None)),
        ("{ s = Constant <value = int64[2] {6, -1}> () {} }", (6, None)),
        ("{ s = Constant <value_ints = [6, -1]> () {} }", (6, None)),
        ("<int64[2] s = {6, -1}> { {} } inner", (2, None)),
    ],
)
def test_constants_around_a_subgraph(
    where: str, wanted: tuple[int | None, ...], ir_version: int
) -> None:
    """A constant outside says what shape a value inside has, but for one that hides it."""
    hidden = "s = Constant <value = int64[2] {2, -1}> ()" if where.endswith("inner") else ""
    branch = "{0} = If (c) <then_branch = {0}t () => ({0}p) {{ {1} }}, else_branch = {0}e () =>"
    branch += " ({0}q) {{ {0}q = Neg (x) }}>"
    inside = f"{hidden} r = Reshape (x, s) yyp = Neg (r)"
    nested = branch.format("y", branch.format("yy", inside) + " yp = Neg (yy)")
    text = where.removesuffix(" inner").replace("{}", nested)
    model = parsed(f"(bool c, float[N,M] x) => (y) {text}")
    model.ir_version = ir_version
    before = model.SerializeToString(deterministic=True)
    found = {graph.name: values for graph, values, _ in scopes(model)}
    shape = found["yyt"]["r"].shape
    assert shape is not None
    assert tuple(size if isinstance(size, int) else None for size in shape) == wanted
    assert model.SerializeToString(deterministic=True) == before
    _, *inner = walk_graphs(inferred(model).graph)
    assert len(inner) == 4
    assert not any(graph.initializer for graph in inner)


def test_constant_that_a_caller_may_replace() -> None:
    """An initializer that is an input too says nothing of the shapes inside."""
    model = parsed(
        "(bool c, float[N] x, int64[2] s) => (y) <int64[2] s = {6, -1}> { y = If (c) <"
        " then_branch = t () => (p) { p = Reshape (x, s) },"
        " else_branch = e () => (q) { q = Reshape (x, s) }> }"
    )
    found = {graph.name: values for graph, values, _ in scopes(model)}
    shape = found["t"]["p"].shape
    assert shape is None or not any(isinstance(size, int) for size in shape)
