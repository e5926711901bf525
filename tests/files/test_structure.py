"""`check_model`: versions, depth, recursion and names; walking."""

from __future__ import annotations

import onnx
import onnx.parser
import pytest
from onnx import TensorProto, helper

from onnx_acts.files.structure import check_model, walk_graphs


def parsed(text: str) -> onnx.ModelProto:
    """A model with functions of the domain "local"."""
    return onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 20, "local": 1]> {text}')


GRAPH = "g (float[N] x) => (float[N] y) { y = local.F (x) }"


def function(name: str, body: str) -> str:
    """The text of a function."""
    return f'<domain: "local", opset_import: ["": 20, "local": 1]> {name} (x) => (y) {{ {body} }}'


def nested(depth: int) -> onnx.ModelProto:
    """A model whose graphs are nested `depth` deep, built in place: protobuf copies fewer."""
    model = onnx.ModelProto(ir_version=9)
    graph = model.graph
    for _ in range(depth):
        node = graph.node.add(op_type="If")
        attribute = node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH)
        graph = attribute.g
        graph.SetInParent()
    return model


@pytest.mark.parametrize(
    ("domain", "version", "message"),
    [
        ("", 999, r"imports ai\.onnx version 999; versions 1 to \d\d are supported .* onnx \(this"),
        ("ai.onnx", 0, r"imports ai\.onnx version 0; versions 1 to"),
        ("onnx_acts", 2, "imports onnx_acts version 2; versions 1 to 1 .* newer onnx-acts"),
        ("onnx_acts", 0, "imports onnx_acts version 0; versions 1 to 1"),
    ],
)
def test_opset(domain: str, version: int, message: str) -> None:
    """An unknown opset says which are supported."""
    model = onnx.ModelProto(ir_version=9, opset_import=[helper.make_opsetid(domain, version)])
    with pytest.raises(ValueError, match=message):
        check_model(model)


def test_other_domains() -> None:
    """Of other domains nothing is known, so every version is taken."""
    opsets = [helper.make_opsetid("com.microsoft", 999), helper.make_opsetid("onnx_acts", 1)]
    check_model(onnx.ModelProto(ir_version=9, opset_import=opsets))


def test_ir_version() -> None:
    """An unknown IR version says which are supported."""
    with pytest.raises(ValueError, match=f"IR version 999; .* up to {onnx.IR_VERSION}: install"):
        check_model(onnx.ModelProto(ir_version=999))


def test_depth() -> None:
    """30 levels are taken, one more is not, and 20,000 exhaust nothing."""
    check_model(nested(30))
    for depth in (31, 20_000):
        with pytest.raises(ValueError, match="nests subgraphs more than 30 deep"):
            check_model(nested(depth))


def test_depth_in_a_function() -> None:
    """The limit holds in functions too."""
    model = parsed(GRAPH + function("F", "y = Sin (x)"))
    graph = model.functions[0].node[0].attribute.add(name="a", type=onnx.AttributeProto.GRAPH).g
    for _ in range(31):
        node = graph.node.add(op_type="If")
        graph = node.attribute.add(name="a", type=onnx.AttributeProto.GRAPH).g
        graph.SetInParent()
    with pytest.raises(ValueError, match="nests subgraphs more than 30 deep"):
        check_model(model)


RECURSIVE = {
    "itself": ({"F": "y = local.F (x)"}, "local::F calls itself: local::F -> local::F"),
    "each other": (
        {"F": "y = local.G (x)", "G": "y = local.F (x)"},
        "local::F calls itself: local::F -> local::G -> local::F",
    ),
    "later": (
        {"F": "y = local.G (x)", "G": "a = local.H (x) y = local.G (a)", "H": "y = Sin (x)"},
        "local::G calls itself",
    ),
    "in a subgraph": (
        {
            "F": "b = Cast <to = 9> (x) y = If (b) < then_branch = t () => (k) { k = local.F (x) },"
            " else_branch = e () => (k) { k = Sin (x) } >"
        },
        "local::F calls itself",
    ),
}


@pytest.mark.parametrize("name", RECURSIVE)
def test_recursion(name: str) -> None:
    """A function that calls itself, in whatever way, is named."""
    bodies, message = RECURSIVE[name]
    text = GRAPH + "".join(function(key, body) for key, body in bodies.items())
    with pytest.raises(ValueError, match=f"the function {message}"):
        check_model(parsed(text))


def test_calls_that_multiply() -> None:
    """Functions that each call the next one twice are refused before anybody inlines them."""
    names = [f"F{i}" if i else "F" for i in range(40)]
    bodies = [f"a = local.{name} (x) y = local.{name} (a)" for name in names[1:]]
    few = zip(names[:10], [*bodies[:9], "y = Sin (x)"], strict=True)
    check_model(parsed(GRAPH + "".join(function(*item) for item in few)))
    many = zip(names, [*bodies, "y = Sin (x)"], strict=True)
    with pytest.raises(ValueError, match=r"expand to 549755813888 nodes, more than 10000000"):
        check_model(parsed(GRAPH + "".join(function(*item) for item in many)))


def test_long_chain_of_calls() -> None:
    """A long chain is no recursion, and exhausts nothing."""
    model = parsed(GRAPH + function("F", "y = Sin (x)"))
    for i in range(5000):
        made = model.functions.add(domain="local", name=f"F{i}", input=["x"], output=["y"])
        made.node.append(helper.make_node(f"F{i + 1}", ["x"], ["y"], domain="local"))
    check_model(model)


def test_two_functions_of_one_name() -> None:
    """Two functions with one name are refused; overloads are two names."""
    model = parsed(GRAPH + function("F", "y = Sin (x)") + function("G", "y = Sin (x)"))
    model.functions[1].name = "F"
    with pytest.raises(ValueError, match="defines the function local::F more than once"):
        check_model(model)
    model.functions[1].overload = "second"
    check_model(model)


DUPLICATES = {
    "two nodes": [("node", "y"), ("node", "y")],
    "node and input": [("input", "y"), ("node", "y")],
    "node and initializer": [("initializer", "y"), ("node", "y")],
    "two inputs": [("input", "y"), ("input", "y")],
    "two initializers": [("initializer", "y"), ("initializer", "y")],
    "initializer and sparse": [("initializer", "y"), ("sparse", "y")],
}


def graph_of(definitions: list[tuple[str, str]]) -> onnx.GraphProto:
    """A graph that defines values."""
    graph = onnx.GraphProto(name="g")
    for kind, name in definitions:
        if kind == "node":
            graph.node.append(helper.make_node("Sin", ["x"], [name]))
        elif kind == "input":
            graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, []))
        elif kind == "initializer":
            graph.initializer.add(name=name)
        else:
            graph.sparse_initializer.add().values.name = name
    return graph


@pytest.mark.parametrize("name", DUPLICATES)
def test_duplicate_names(name: str) -> None:
    """A value that is defined twice is named, in a subgraph too."""
    graph = graph_of(DUPLICATES[name])
    model = onnx.ModelProto(ir_version=9, graph=graph)
    outer = onnx.ModelProto(ir_version=9)
    outer.graph.node.append(helper.make_node("If", ["c"], ["z"], then_branch=graph))
    for item in (model, outer):
        with pytest.raises(ValueError, match="graph 'g' defines the value 'y' more than once"):
            check_model(item)


def test_allowed_names() -> None:
    """An initializer may be an input's default; absent outputs have no name."""
    definitions = [("input", "x"), ("initializer", "x"), ("node", ""), ("node", ""), ("node", "y")]
    check_model(onnx.ModelProto(ir_version=9, graph=graph_of(definitions)))


def test_order_of_walking() -> None:
    """Outer graphs come before inner ones, branches in the order of the attributes."""
    inner = helper.make_graph([], "c", [], [])
    first = helper.make_graph([helper.make_node("If", [], [], then_branch=inner)], "b", [], [])
    last = helper.make_graph([], "d", [], [])
    node = helper.make_node("If", [], [], else_branch=first, then_branch=last)
    root = helper.make_graph([node], "a", [], [])
    names = [graph.name for graph in walk_graphs(root, last)]
    assert names == ["a", "b", "c", "d", "d"]
