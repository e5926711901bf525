"""Nodes with too few or too many inputs or outputs are refused before anything reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
import onnx.parser
import pytest
from onnx import helper

import onnx_acts
from onnx_acts.definition.arity import check_own_arity, check_standard_arity
from onnx_acts.definition.specs import DOMAIN, OPERATORS, Spec
from onnx_acts.files.embedding import embed_functions
from onnx_acts.files.structure import check_model


def model_of(node: onnx.NodeProto) -> onnx.ModelProto:
    """A model of one node; x and s are inputs."""
    values = [helper.make_tensor_value_info(name, 1, ["N"]) for name in ("x", "s", "y")]
    graph = helper.make_graph([node], "g", values[:2], values[2:])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def lower_exactly(model: onnx.ModelProto) -> onnx.ModelProto:
    """`lower` with function bodies."""
    return onnx_acts.lower(model, exact=True)


WAYS: list[Callable[[onnx.ModelProto], Any]] = [
    embed_functions,
    onnx_acts.accelerate,
    onnx_acts.lower,
    lower_exactly,
    onnx_acts.session,
    onnx_acts.reference_evaluator,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("operator", "inputs", "outputs"),
    [
        ("PReLU", ["x"], ["y"]),
        ("PReLU", ["x", ""], ["y"]),
        ("ELU", [], ["y"]),
        ("ELU", ["x", "s"], ["y"]),
        ("ELU", ["x"], []),
        ("ELU", ["x"], ["y", "z"]),
        ("RReLU", ["x"], ["", "y"]),
    ],
)
def test_own_operator(
    operator: str, inputs: list[str], outputs: list[str], way: Callable[[onnx.ModelProto], Any]
) -> None:
    """Every way in refuses it, naming the node."""
    model = model_of(helper.make_node(operator, inputs, outputs, "act", domain=DOMAIN))
    with pytest.raises(ValueError, match=rf"{operator} \(node 'act'\) takes X.* it has the inputs"):
        way(model)


@pytest.mark.parametrize(
    ("operator", "inputs", "message"),
    [
        ("PRelu", ["x"], r"PRelu \(node 'act'\) of ai.onnx 20 has 1 input.*the standard has 2"),
        ("Relu", [], r"has 0 input\(s\) \[\]; the standard has 1"),
        ("Elu", ["x", "s"], "has 2 input.*the standard has 1"),
        ("LeakyRelu", [], "the standard has 1"),
        ("Where", ["x"], "the standard has 3"),
        ("Max", [], "the standard has 1 or more"),
        ("Clip", [], "the standard has 1 to 3"),
    ],
)
def test_standard_operator(operator: str, inputs: list[str], message: str) -> None:
    """The standard's own counts hold for the nodes that `accelerate` reads."""
    with pytest.raises(ValueError, match=message):
        onnx_acts.accelerate(model_of(helper.make_node(operator, inputs, ["y"], "act")))


def test_outputs() -> None:
    """A node without outputs is refused too."""
    with pytest.raises(ValueError, match=r"has 0 output\(s\)"):
        check_standard_arity(helper.make_node("Relu", ["x"], []), 20)


@pytest.mark.parametrize("spec", OPERATORS, ids=lambda spec: spec.name)
def test_what_is_right(spec: Spec) -> None:
    """Nodes as the table has them pass, with any number of their outputs."""
    for count in range(1, len(spec.outputs) + 1):
        check_own_arity(onnx_acts.make_node(spec.name, spec.inputs, spec.outputs[:count]))


def test_version_counts() -> None:
    """Slice has one input before opset 10, three and more since."""
    check_standard_arity(helper.make_node("Slice", ["x"], ["y"]), 9)
    with pytest.raises(ValueError, match="the standard has 3 to 5"):
        check_standard_arity(helper.make_node("Slice", ["x"], ["y"]), 10)


@pytest.mark.parametrize(("domain", "imported"), [("", "ai.onnx"), ("ai.onnx", "")])
def test_both_names_of_the_standard(domain: str, imported: str) -> None:
    """A node and the import may call the standard's domain by different names."""
    model = model_of(helper.make_node("PRelu", ["x"], ["y"], domain=domain))
    model.opset_import[0].domain = imported
    with pytest.raises(ValueError, match=r"of ai\.onnx 20 has 1 input"):
        check_model(model)


def test_operator_newer_than_the_opset() -> None:
    """Where came in opset 9; a node of it in an older model has its counts all the same."""
    with pytest.raises(ValueError, match="the standard has 3"):
        check_standard_arity(helper.make_node("Where", ["x"], ["y"]), 8)


def test_unknown_operators() -> None:
    """Of other operators nothing is known."""
    check_model(model_of(helper.make_node("NoSuchOperator", [], [])))
    check_model(model_of(helper.make_node("Relu", [], [], domain="com.microsoft")))
    check_own_arity(helper.make_node("NoSuchOperator", [], []))


def test_places() -> None:
    """Functions and subgraphs are looked at; a call of the model's own function is its own."""
    header = '<ir_version: 10, opset_import: ["": 20, "local": 1]>'
    function = '<domain: "local", opset_import: ["": 20]> F (x) => (y) { y = Elu (x) }'
    call = "g (float[N] x) => (float[N] y) { y = local.F (x) }"
    model = onnx.parser.parse_model(f"{header} {call} {function}")
    model.functions[0].node[0].input.append("x")
    with pytest.raises(ValueError, match="Elu"):
        onnx_acts.accelerate(model)
    branch = helper.make_graph([helper.make_node("Elu", [], ["k"])], "b", [], [])
    with pytest.raises(ValueError, match="Elu"):
        onnx_acts.accelerate(model_of(helper.make_node("If", ["s"], ["y"], then_branch=branch)))
    own = onnx.parser.parse_model(f"{header} {call} {function}")
    own.functions[0].domain, own.functions[0].name = "", "Relu"
    own.graph.node[0].domain, own.graph.node[0].op_type = "", "Relu"
    own.graph.node[0].input.append("x")
    onnx_acts.accelerate(own, ops=())
