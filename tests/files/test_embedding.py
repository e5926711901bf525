"""`embed_functions`: the right form for the types that a model has, and models that it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts import make_node
from onnx_acts.definition import reference
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, SPECS, Spec, spec_of
from onnx_acts.files.embedding import default_opset, embed_functions
from onnx_acts.files.structure import walk_nodes
from onnx_acts.files.types import element_types
from tests.helpers import one_node_model

TENTH = "alpha = <double {0.1}>"


def parsed(text: str, *, ir_version: int = 10, opset: int = 20) -> onnx.ModelProto:
    """A model with the domain's nodes, without bodies."""
    header = f'<ir_version: {ir_version}, opset_import: ["": {opset}, "onnx_acts": 1, "local": 1]>'
    return onnx.parser.parse_model(header + text)


def body_of(model: onnx.ModelProto, name: str) -> onnx.FunctionProto:
    """The one body of an operator."""
    (found,) = [item for item in model.functions if (item.domain, item.name) == (DOMAIN, name)]
    return found


def casts(function: onnx.FunctionProto) -> set[int]:
    """The types that a body casts to."""
    return {a.i for node in function.node for a in node.attribute if a.name == "to"}


def run(model: onnx.ModelProto, **inputs: Any) -> list[Any]:
    """All outputs, with the function bodies."""
    return list(onnx_acts.session(model, accelerated=False).run(None, inputs))


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_compute_type(spec: Spec, dtype: str) -> None:
    """float64 computes in float64, all else in float32; only 16-bit values are converted."""
    function = body_of(one_node_model(spec, dtype), spec.name)
    converts = any(node.op_type == "CastLike" for node in function.node)
    assert converts == (dtype in ("float16", "bfloat16"))
    other = TensorProto.FLOAT if dtype == "float64" else TensorProto.DOUBLE
    constants = {
        a.t.data_type for node in function.node for a in node.attribute if a.name == "value"
    } - {TensorProto.UNDEFINED}
    assert other not in constants | casts(function) or spec.name == "RReLU"


def test_mixed_types() -> None:
    """One body serves two types of one model: it computes in float64 and converts."""
    model = parsed("""
        g (float[N] x) => (double[N] y, float[N] z)
        { d = Cast <to = 11> (x) y = onnx_acts.ELU (d) z = onnx_acts.ELU (x) }""")
    embed_functions(model)
    assert any(node.op_type == "CastLike" for node in body_of(model, "ELU").node)
    x = np.linspace(-3, 1, 99).astype(np.float32)
    y, z = run(model, x=x)
    np.testing.assert_allclose(y, reference.elu(x.astype(np.float64)).astype(float), rtol=1e-14)
    np.testing.assert_allclose(z, reference.elu(x), rtol=1e-7)


def test_branches_with_equal_names() -> None:
    """Two branches may use a name for values of two types; neither type is taken for both."""
    for first, second in ((11, 1), (1, 11)):
        model = parsed(f"""
            g (double[N] x, bool b) => (double[N] y)
            {{
                y = If (b) <
                    then_branch = t () => (double[N] k)
                    {{ h = Cast <to = {first}> (x) e = onnx_acts.ELU (h) k = Cast <to = 11> (e) }},
                    else_branch = e () => (double[N] k)
                    {{ h = Cast <to = {second}> (x) e = onnx_acts.ELU (h) k = Cast <to = 11> (e) }}
                >
            }}""")
        assert "h" not in element_types(model)
        assert element_types(model)["k"] == "float64"
        embed_functions(model)
        x = np.linspace(-3, 1, 99)
        (y,) = run(model, x=x, b=np.array(first == 11))
        np.testing.assert_allclose(y, reference.elu(x).astype(float), rtol=1e-14)


def test_types_inside_functions_are_unknown() -> None:
    """A function's values are not those of the graph that happen to have their names."""
    model = parsed("""
        g (float[N] x) => (double[N] y, float[N] z)
        { d = Cast <to = 11> (x) y = local.F (d) z = onnx_acts.ELU (x) }
        <domain: "local", opset_import: ["": 20]>
        F (x) => (y) { y = onnx_acts.ELU (x) }""")
    embed_functions(model)
    (function,) = [item for item in model.functions if item.name == "F"]
    assert {item.domain: item.version for item in function.opset_import} == {"": 20, DOMAIN: 1}
    onnx.checker.check_model(model, full_check=True)
    x = np.linspace(-3, 1, 99).astype(np.float32)
    y, _ = run(model, x=x)
    np.testing.assert_allclose(y, reference.elu(x.astype(np.float64)).astype(float), rtol=1e-14)


def test_unknown_type() -> None:
    """A value that inference cannot follow gets the body that is right for every type."""
    model = parsed("g (float[N] x) => (y) { h = local.Op (x) y = onnx_acts.ELU (h) }")
    embed_functions(model)
    assert TensorProto.DOUBLE in casts(body_of(model, "ELU"))


def test_attributes_are_written() -> None:
    """Nodes get all their attributes in float64: the bodies refer to them."""
    model = parsed("g (float[N] x) => (float[N] y) { y = onnx_acts.RReLU <lower = 0.25> (x) }")
    embed_functions(model)
    node = model.graph.node[0]
    assert [item.name for item in node.attribute] == ["lower", "upper", "training_mode", "seed"]
    assert [item.t.data_type for item in node.attribute[:2]] == [TensorProto.DOUBLE] * 2
    assert read_attributes(node)["lower"] == 0.25
    assert read_attributes(node)["upper"] == 1 / 3


def test_again() -> None:
    """A second call changes nothing; bodies follow changed nodes; unused ones go."""
    model = one_node_model(spec_of("RReLU"), "float32")
    once = model.SerializeToString()
    embed_functions(model)
    assert model.SerializeToString() == once
    node = model.graph.node[1]
    node.CopyFrom(make_node("RReLU", node.input, node.output, training_mode=1))
    embed_functions(model)
    assert any(inner.op_type == "Scan" for inner in body_of(model, "RReLU").node)
    node.CopyFrom(helper.make_node("Relu", node.input, node.output))
    embed_functions(model)
    assert not model.functions


def test_nothing_to_embed() -> None:
    """A model without these nodes is not touched."""
    graph = helper.make_graph([], "g", [], [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=4)
    before = model.SerializeToString()
    embed_functions(model)
    assert model.SerializeToString() == before


def test_noise_output() -> None:
    """The body has as many outputs as its widest use."""
    for outputs in (1, 2):
        model = one_node_model(spec_of("RReLU"), "float32", outputs=outputs)
        assert list(body_of(model, "RReLU").output) == ["Y", "noise"][:outputs]


@pytest.mark.parametrize(("before", "after"), [(3, 9), (8, 9), (9, 9), (11, 11)])
def test_ir_version(before: int, after: int) -> None:
    """The IR version rises to that of functions with defaults, and never falls."""
    model = parsed("g (float[N] x) => (float[N] y) { y = onnx_acts.ELU (x) }", ir_version=before)
    embed_functions(model)
    assert model.ir_version == after


def test_initializers_of_old_models() -> None:
    """Before IR version 4 initializers had to be inputs; they do not become variable now."""
    text = "g (float[N] x, float[1] s) => (float[N] y) <float[1] s = {0.5}>"
    for ir_version, names in ((3, ["x"]), (4, ["x", "s"])):
        model = parsed(f"{text} {{ y = onnx_acts.PReLU (x, s) }}", ir_version=ir_version)
        embed_functions(model)
        assert [value.name for value in model.graph.input] == names
        session = onnx_acts.session(model, accelerated=False)
        assert session.run(None, {"x": np.array([-1], np.float32)})[0].tolist() == [-0.5]


def test_large_weights_are_not_needed() -> None:
    """Types are found without the bytes of large weights, which may be missing or above 2 GiB."""
    model = parsed("""
        g (float[N,2000] x) => (y) <int64[2] to = {10, -1}>
        { h = Mul (x, w) r = Reshape (h, to) y = onnx_acts.ELU (r) }""")
    model.graph.initializer.add(name="w", dims=[2000], data_type=TensorProto.FLOAT)
    assert element_types(model)["r"] == "float32"
    embed_functions(model)
    assert not casts(body_of(model, "ELU")) - {TensorProto.FLOAT}
    assert model.graph.initializer[1].dims == [2000]


def test_walk() -> None:
    """Nodes of subgraphs and of the model's own functions are visited, bodies are not."""
    model = parsed("""
        g (float[N] x, bool b) => (float[N] y)
        {
            a = local.F (x)
            y = If (b) < then_branch = t () => (k) { k = onnx_acts.ELU (a) },
                         else_branch = e () => (k) { k = Sin (a) } >
        }
        <domain: "local", opset_import: ["": 20]> F (x) => (y) { y = Cos (x) }""")
    embed_functions(model)
    assert [n.op_type for n in walk_nodes(model)] == ["F", "If", "ELU", "Sin", "Cos"]


def test_default_opset() -> None:
    """Both names of the standard domain count; none is an error."""
    for domain in ("", "ai.onnx"):
        model = onnx.ModelProto(opset_import=[helper.make_opsetid(domain, 17)])
        assert default_opset(model) == 17
    with pytest.raises(ValueError, match="the model imports no standard operators"):
        default_opset(onnx.ModelProto())


# What is refused


@pytest.mark.parametrize(("dtype", "opset"), [("float32", 8), ("float16", 8), ("bfloat16", 12)])
def test_old_opset(dtype: str, opset: int) -> None:
    """An opset that is too old is told with the one that is needed."""
    with pytest.raises(ValueError, match=f"has opset {opset};.* need opset {opset + 1} or newer"):
        one_node_model(spec_of("ELU"), dtype, opset=opset)


def test_unknown_operator() -> None:
    """An operator that the domain does not have is refused."""
    model = parsed("g (float[N] x) => (float[N] y) { y = onnx_acts.Swish (x) }")
    with pytest.raises(ValueError, match="unknown operator 'Swish'; onnx_acts has ReLU"):
        embed_functions(model)


def test_unknown_attribute() -> None:
    """So is an attribute that the operator does not have."""
    model = parsed("g (float[N] x) => (float[N] y) { y = onnx_acts.ELU <beta = 1.0> (x) }")
    with pytest.raises(ValueError, match="ELU has no attribute 'beta'; its attributes are: alpha"):
        embed_functions(model)


def test_attribute_of_a_function_around() -> None:
    """A node whose attribute is a reference is refused, with what to do."""
    model = parsed("""
        g (float[N] x) => (float[N] y) { y = local.F <a = 0.5> (x) }
        <domain: "local", opset_import: ["": 20, "onnx_acts": 1]>
        F <a> (x) => (y) { [act] y = onnx_acts.ELU <alpha: float = @a> (x) }""")
    with pytest.raises(ValueError, match=r"ELU \(node 'act'\): attribute alpha refers to a of"):
        embed_functions(model)


def test_bad_models() -> None:
    """Models that `check_model` refuses are refused before anything is changed."""
    model = one_node_model(spec_of("ELU"), "float32", bodies=False)
    model.opset_import[1].version = 2
    before = model.SerializeToString()
    with pytest.raises(ValueError, match="onnx_acts version 2; versions 1 to 1 are supported"):
        embed_functions(model)
    assert model.SerializeToString() == before
