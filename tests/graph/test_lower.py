"""`lower`: standard operators only, the same numbers, everything else as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.inliner
import onnx.parser
import pytest
from numpy.testing import assert_array_equal
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts import make_node
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition import reference
from onnx_acts.definition.specs import DOMAIN, ELEMENT_TYPES, SPECS, Spec, spec_of
from onnx_acts.files.embedding import embed_functions
from onnx_acts.files.saving import save_model
from onnx_acts.files.structure import walk_graphs, walk_nodes
from onnx_acts.graph import accelerate, lower, lower_counted
from tests.graph.models import operators, parsed, values
from tests.helpers import FIXED, in_type, one_node_model

SLOPE = [[-0.5], [0.25], [2.0]]
ROUND_TRIP_ERROR = {"float16": 0, "bfloat16": 0, "float32": 4e-6, "float64": 2e-15}
STANDARD_CURVE_ERROR = 2.0**-22
"""What exp(x) - 1 in float32 may be off, absolutely."""


def check_standard(model: onnx.ModelProto) -> None:
    """No trace of onnx_acts is left, and the model is valid."""
    assert all(node.domain != DOMAIN for node in walk_nodes(model))
    assert all(function.domain != DOMAIN for function in model.functions)
    for owner in (model, *model.functions):
        assert all(item.domain != DOMAIN for item in owner.opset_import)
    onnx.checker.check_model(model, full_check=True)


def inputs_of(spec: Spec, dtype: str) -> list[Any]:
    """Edge cases and random numbers, and a slope."""
    x = in_type(values("float64"), dtype)
    return [x, in_type(SLOPE, dtype)] if len(spec.inputs) > 1 else [x]


def model_of(spec: Spec, dtype: str, **attributes: Any) -> onnx.ModelProto:
    """A model of one node, with casts around it for bfloat16, which NumPy cannot feed.

    Only there: between casts ONNX Runtime computes float16 in float32, without rounding.
    """
    shapes: dict[str, Any] = {"x_shape": ("N", 3, 4), "slope_shape": (3, 1)}
    model = one_node_model(spec, dtype, **shapes, **attributes)
    if dtype == "bfloat16":
        return model
    (node,) = [node for node in model.graph.node if node.domain == DOMAIN]
    for value in (*model.graph.input, *model.graph.output):
        value.name = value.name.removesuffix("_in").removesuffix("_out")
        value.type.tensor_type.elem_type = FIXED[dtype]
    kept = onnx.NodeProto()
    kept.CopyFrom(node)
    del model.graph.node[:]
    model.graph.node.append(kept)
    return model


def run_plain(model: onnx.ModelProto, arrays: list[Any]) -> list[Any]:
    """All outputs in a plain ONNX Runtime, of a model of one node, as float64."""
    session = onnx_acts.session(model, accelerated=False)
    taken = {"tensor(double)": np.float64, "tensor(float)": np.float32}
    feed = {
        item.name: array.astype(taken.get(item.type, np.float16))
        for item, array in zip(session.get_inputs(), arrays, strict=True)
    }
    return [np.asarray(array, np.float64) for array in session.run(None, feed)]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_numbers(spec: Spec, dtype: str, exact: bool) -> None:
    """The model loads, and has the reference's numbers (Elu's error apart, where not exact)."""
    attributes = spec.samples[0]
    model = model_of(spec, dtype, **attributes)
    before = model.SerializeToString()
    lowered, counts = lower_counted(model, exact=exact)
    assert model.SerializeToString() == before
    check_standard(lowered)
    uses_standard = any(node.op_type == spec.standard_name for node in lowered.graph.node)
    has_kernel = spec.standard is not None and dtype in spec.standard.kernels
    assert uses_standard == (has_kernel and not exact)
    target = spec.standard_name if uses_standard else "body"
    assert counts == {f"{spec.name} -> {target}": 1}
    arrays = inputs_of(spec, dtype)
    got = run_plain(lowered, arrays)[0]
    truth = reference.exact(spec, arrays, attributes)[0]
    rounded = reference.rounded(truth, arrays[0].dtype).astype(np.float64)
    is_number = np.isfinite(rounded)
    assert_array_equal(got[~is_number], rounded[~is_number])
    if uses_standard and not spec.is_product:
        half_unit = np.abs(truth[is_number]) * (2.0**-11 if dtype == "float16" else 0)
        off = np.abs(got[is_number] - truth[is_number])
        assert np.all(off <= STANDARD_CURVE_ERROR + half_unit + 2.0**-25)
    else:
        errors = ulp_error(in_type(got[is_number], dtype), truth[is_number])
        assert errors.max() <= spec.promise.body[dtype]


def test_exact_keeps_digits() -> None:
    """Standard Elu loses -1e-8 in ONNX Runtime; the body keeps it."""
    model = one_node_model(spec_of("ELU"), "float32")
    x = np.full((1, 1, 1), np.float32(-1e-8))
    assert run_plain(lower(model), [x])[0].item() == 0
    assert run_plain(lower(model, exact=True), [x])[0].item() == pytest.approx(-1e-8, 1e-6)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("training", [0, 1])
def test_rrelu_with_noise(training: int, dtype: str) -> None:
    """RReLU in training or with its noise becomes the body, with the same draws."""
    spec = spec_of("RReLU")
    attributes: dict[str, Any] = {"lower": 0.1, "upper": 0.4, "training_mode": training, "seed": 7}
    model = one_node_model(spec, dtype, outputs=2, **attributes)
    lowered, counts = lower_counted(model)
    check_standard(lowered)
    assert counts == {"RReLU -> body": 1}
    x = in_type(np.random.default_rng(1).normal(size=(3, 5, 7)), dtype)
    for got, before, truth in zip(
        run_plain(lowered, [x]),
        run_plain(model, [x]),
        reference.evaluate(spec, [x], attributes),
        strict=True,
    ):
        assert_array_equal(got, before)
        assert_array_equal(got, truth.astype(np.float64))


def test_training_without_noise() -> None:
    """So does RReLU in training of which only y is used."""
    model = one_node_model(spec_of("RReLU"), "float32", training_mode=1, seed=3)
    assert lower_counted(model)[1] == {"RReLU -> body": 1}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_round_trip(spec: Spec, dtype: str, exact: bool) -> None:
    """`accelerate` finds again what `lower` wrote; RReLU has become a LeakyReLU."""
    attributes = spec.samples[0]
    model = model_of(spec, dtype, **attributes)
    again = accelerate(lower(model, exact=exact), ops=[item.name for item in SPECS])
    acts = [node for node in again.graph.node if node.domain == DOMAIN]
    assert [node.name for node in acts] == ["act"]
    assert len(again.graph.node) == len(model.graph.node)
    arrays = inputs_of(spec, dtype)
    old, new = run_plain(model, arrays)[0], run_plain(again, arrays)[0]
    np.testing.assert_allclose(old, new, rtol=ROUND_TRIP_ERROR[dtype])
    if spec.name != "RReLU":
        assert acts[0].op_type == spec.name


def test_several_types() -> None:
    """Each node gets the body for its own element type."""
    nodes = [
        helper.make_node("Cast", ["x"], ["d"], to=TensorProto.DOUBLE),
        make_node("ELU", ["x"], ["a"], alpha=0.1, node_name="first"),
        make_node("ELU", ["d"], ["b"], alpha=0.1),
        helper.make_node("Cast", ["a"], ["c"], to=TensorProto.DOUBLE),
        helper.make_node("Sub", ["b", "c"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["N"])],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    assert lower_counted(model)[1] == {"ELU -> Elu": 1, "ELU -> body": 1}
    lowered, counts = lower_counted(model, exact=True)
    assert counts == {"ELU -> body": 2}
    check_standard(lowered)
    x = np.linspace(-3, 1, 50).astype(np.float32)
    got = onnx_acts.session(lowered, accelerated=False).run(None, {"x": x})[0]
    wanted = reference.elu(x.astype(np.float64), 0.1) - reference.elu(x, 0.1)
    # float32 rounds the result, and alpha to 0.1 + 1.5e-9: the difference is that error.
    np.testing.assert_allclose(got, wanted.astype(np.float64), atol=3e-8)


def test_subgraphs_and_names() -> None:
    """Nodes in branches and loops are lowered; names inside bodies meet no others."""
    model = onnx.parser.parse_model("""
        <ir_version: 9, opset_import: ["": 20, "onnx_acts": 1]>
        g (double[2,3] x, bool b) => (double[2,3] y) <int64 four = {4}, bool on = {1}>
        {
            negative = Identity (x)
            h = If (b) <
                then_branch = t () => (double[2,3] k) { k = onnx_acts.LeakyReLU (x) },
                else_branch = e () => (double[2,3] k) { k = onnx_acts.ELU (negative) }
            >
            y = Loop (four, on, h) <
                body = l (int64 i, bool c, double[2,3] s) => (bool n, double[2,3] zero)
                { n = Identity (c) zero = onnx_acts.ELU (s) }
            >
        }""")
    embed_functions(model)
    lowered, counts = lower_counted(model)
    assert counts == {"ELU -> body": 2, "LeakyReLU -> body": 1}
    check_standard(lowered)
    x = np.random.default_rng(3).normal(size=(2, 3))
    for b in (True, False):
        feed = {"x": x, "b": np.array(b)}
        old = onnx_acts.session(model, accelerated=False).run(None, feed)[0]
        assert_array_equal(onnx_acts.session(lowered, accelerated=False).run(None, feed)[0], old)


def test_training_body_in_a_graph_that_has_its_names() -> None:
    """The body's own subgraph is renamed too: a value named like one inside it is another."""
    text = "product = Sin (x) multiplier = Cos (product) h = Add (product, multiplier)"
    model = parsed(f"{text} y = Identity (h)")
    model.graph.node[-1].CopyFrom(make_node("RReLU", ["h"], ["y"], training_mode=1, seed=3))
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    embed_functions(model)
    lowered = lower(model)
    check_standard(lowered)
    names = [name for g in walk_graphs(lowered.graph) for n in g.node for name in n.output]
    assert len(names) == len(set(names))
    x = np.random.default_rng(3).normal(size=(2, 3, 4)).astype(np.float32)
    old, new = (
        onnx_acts.session(item, accelerated=False).run(None, {"x": x})[0]
        for item in (model, lowered)
    )
    assert_array_equal(old, new)


def test_names_of_nodes_are_unique() -> None:
    """A body that comes in gives no node the name of another, which ONNX Runtime refuses."""
    model = one_node_model(spec_of("PReLU"), "float32")
    model.graph.node[0].name = "act/Less_2"
    twice = lower(lower(model, exact=True), exact=True)
    names = [node.name for node in twice.graph.node if node.name]
    assert "act/Less_2" in names
    assert len(names) == len(set(names))
    fed = {"x_in": np.ones((2, 3, 4)), "slope_in": np.ones((3, 1))}
    assert onnx_acts.session(twice, accelerated=False).run(None, fed)[0].shape == (2, 3, 4)


def test_functions() -> None:
    """Functions that use the operators are inlined, for the types of each call; others stay."""
    model = onnx.parser.parse_model("""
        <ir_version: 10, opset_import: ["": 20, "local": 1]>
        g (float[N] x) => (float[N] y, double[N] z)
        { a = local.F (x)  y = local.G (a)  d = Cast <to = 11> (x)  z = local.F (d) }
        <domain: "local", opset_import: ["": 20, "onnx_acts": 1]>
        F (x) => (y) { y = onnx_acts.ELU (x) }
        <domain: "local", opset_import: ["": 20]>
        G (x) => (y) { y = Sin (x) }
    """)
    embed_functions(model)
    lowered, counts = lower_counted(model)
    assert counts == {"ELU -> Elu": 1, "ELU -> body": 1}
    check_standard(lowered)
    assert list(lowered.functions) == [model.functions[1]]
    x = np.linspace(-3, 1, 50).astype(np.float32)
    y, z = onnx_acts.session(lowered, accelerated=False).run(None, {"x": x})
    np.testing.assert_allclose(y, np.sin(reference.elu(x)), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(z, reference.elu(x.astype(np.float64)).astype(float), rtol=1e-13)


def test_what_is_kept() -> None:
    """Names and metadata of the nodes are kept, by the standard node and by the body."""
    for dtype in ("float32", "float64"):
        model = parsed("y = Elu (x)", dtype, opset=18)
        model.graph.node[0].name = "stage/elu"
        model.graph.node[0].doc_string = "the activation"
        model.graph.node[0].metadata_props.add(key="source", value="line 3")
        model.metadata_props.add(key="author", value="A")
        lowered = lower(accelerate(model))
        (maker,) = [node for node in lowered.graph.node if "y" in node.output]
        assert (maker.name, maker.doc_string) == ("stage/elu", "the activation")
        assert maker.metadata_props == model.graph.node[0].metadata_props
        assert lowered.metadata_props == model.metadata_props
        assert len({node.name for node in lowered.graph.node}) == len(lowered.graph.node)


def test_no_activation(tmp_path: Path) -> None:
    """A model without these nodes comes back as it is, from a path too."""
    model = parsed("y = Sin (x)")
    save_model(model, tmp_path / "m.onnx")
    assert lower(model) == model
    assert lower(tmp_path / "m.onnx") == model


def test_unknown_type() -> None:
    """A node of unknown type gets the body that is right for every type."""
    model = parsed("h = other.Op (x) k = Identity (h) y = Identity (k)")
    model.graph.node[1].CopyFrom(make_node("ELU", ["h"], ["k"]))
    for domain in ("other", DOMAIN):
        model.opset_import.append(helper.make_opsetid(domain, 1))
    lowered, counts = lower_counted(model)
    assert counts == {"ELU -> body": 1}
    targets = [a.i for n in lowered.graph.node for a in n.attribute if a.name == "to"]
    assert TensorProto.DOUBLE in targets


def test_old_opset() -> None:
    """A body that the opset is too old for is refused, with the opset that is needed."""
    model = one_node_model(spec_of("ELU"), "float16", bodies=False, opset=8)
    assert lower_counted(model)[1] == {"ELU -> Elu": 1}
    with pytest.raises(ValueError, match=r"the model has opset 8.*need opset\s+9 or newer"):
        lower(model, exact=True)


def test_bad_attribute() -> None:
    """An unknown attribute is refused by its name."""
    model = one_node_model(spec_of("ELU"), "float32", bodies=False)
    model.graph.node[1].attribute.append(helper.make_attribute("beta", 1.0))
    with pytest.raises(ValueError, match="ELU has no attribute 'beta'"):
        lower(model)


def test_types_are_covered() -> None:
    """The tests above cover every element type."""
    assert set(FIXED) == set(ELEMENT_TYPES)


def test_body_for_other_types() -> None:
    """A body that computes in float64 for several types is not taken for one in float32."""
    model = onnx.parser.parse_model("""
        <ir_version: 9, opset_import: ["": 20, "onnx_acts": 1]>
        g (float[N] x) => (float[N] y, double[N] z)
        { y = onnx_acts.LeakyReLU (x) d = Cast <to = 11> (x) z = onnx_acts.LeakyReLU (d) }""")
    embed_functions(model)
    plain = onnx.inliner.inline_local_functions(model)
    result = accelerate(plain, ops=["LeakyReLU"])
    found = [node.input[0] for node in result.graph.node if node.op_type == "LeakyReLU"]
    assert len(found) == 2
    assert not {"x", "d"} & set(found)  # the casts around the bodies are still there


def test_body_that_narrows() -> None:
    """A body that computes float64 values in float32 is another function."""
    model = parsed("y = Elu (x)", "float16")
    lowered = lower(accelerate(model), exact=True)
    assert operators(accelerate(lowered)) == ["onnx_acts::ELU"]
    for value in (lowered.graph.input[0], lowered.graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE
    result = accelerate(lowered)
    (node,) = [node for node in result.graph.node if node.domain == DOMAIN]
    assert node.input[0] != "x"


@pytest.mark.parametrize("exact", [False, True])
def test_exact_inside_a_function_of_the_models(exact: bool) -> None:
    """A standard node has a parameter of 32 bits: with `exact` there is none, nor in functions."""
    model = onnx.parser.parse_model("""
      <ir_version: 8, opset_import: ["": 18, "own": 1]>
      g (float[n] x) => (float[n] y) { y = own.Own (x) }
      <domain: "own", opset_import: ["": 18, "onnx_acts": 1]>
      Own (x) => (y) { y = onnx_acts.ELU <alpha = 0.5> (x) }
    """)
    lowered = onnx_acts.lower(model, exact=exact)
    names = {node.op_type for function in lowered.functions for node in function.node}
    names |= {node.op_type for node in lowered.graph.node}
    assert ("Elu" in names) != exact
    assert not any(
        item.domain == "onnx_acts"
        for owner in (lowered, *lowered.functions)
        for item in owner.opset_import
    )
