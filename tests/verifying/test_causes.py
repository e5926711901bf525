"""The node that causes a difference is named, exactly, deep in a network; nobody else is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from tests.verifying.networks import changed, deep, node_called

REFERENCE = deep()


def edited(name: str, edit: Callable[[onnx.NodeProto], object]) -> onnx.ModelProto:
    """The deep network with one node that is another."""
    copy = onnx.ModelProto()
    copy.CopyFrom(REFERENCE)
    edit(node_called(copy, name))
    return copy


def set_attribute(attribute: str, value: object) -> Callable[[onnx.NodeProto], object]:
    """An edit that gives an attribute another value."""

    def edit(node: onnx.NodeProto) -> None:
        kept = [item for item in node.attribute if item.name != attribute]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(attribute, value)])

    return edit


def one_more(array: np.ndarray) -> np.ndarray:
    """Adds to one element."""
    array.reshape(-1)[100 % array.size] += 0.05
    return array


def with_operator(node: onnx.NodeProto) -> None:
    """Makes a Relu of an activation."""
    node.op_type = "Relu"
    del node.attribute[:]


FAULTS: dict[str, tuple[Callable[[], onnx.ModelProto], str, str]] = {
    "alpha of LeakyRelu": (
        lambda: edited("act9", set_attribute("alpha", 0.12)),
        "act9",
        "alpha is 0.119999997 here, 0.100000001 in the reference",
    ),
    "alpha of Elu": (
        lambda: edited("act11", set_attribute("alpha", 0.9)),
        "act11",
        "alpha is 0.899999976 here, 1 in the reference",
    ),
    "a slope": (
        lambda: changed(REFERENCE, "act10.slope", one_more),
        "act10",
        "input 1 ('act10.slope'; 'act10.slope' in the reference) differs in 1 of 8 elements",
    ),
    "an axis": (
        lambda: edited("there8", set_attribute("perm", [0, 1, 2, 3])),
        "there8",
        "perm is [0, 1, 2, 3] here, [0, 1, 3, 2] in the reference",
    ),
    "a weight": (
        lambda: changed(REFERENCE, "conv7b.weight", one_more),
        "conv7b",
        "differs in 1 of 576 elements",
    ),
    "a constant": (
        lambda: changed(REFERENCE, "scale12.by", lambda a: a * 1.01),
        "scale12",
        "differs in 1 of 1 elements",
    ),
    "padding": (
        lambda: edited("conv12a", set_attribute("pads", [2, 1, 0, 1])),
        "conv12a",
        "pads is [2, 1, 0, 1] here, [1, 1, 1, 1] in the reference",
    ),
    "a transposed weight": (
        lambda: changed(REFERENCE, "conv10b.weight", lambda a: a.transpose(1, 0, 2, 3)),
        "conv10b",
        "differs in",
    ),
    "an operator": (lambda: edited("act12", with_operator), "act12", "Relu here, LeakyRelu in the"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_named(fault: str) -> None:
    """One fault among 130 nodes: its node is the only cause, with what is different about it."""
    make, name, reason = FAULTS[fault]
    result = onnx_acts.verify(make(), REFERENCE)
    assert not result.same
    assert [cause.name for cause in result.causes] == [name]
    assert reason in " ".join(result.causes[0].reasons)
    statuses = {record.name: record.status for record in result.nodes}
    assert statuses["fc"] == "passes on"
    assert statuses["conv0a"] == "same"


def test_two_faults() -> None:
    """Both are named, in order; the second is judged by the reference's values."""
    model = changed(edited("act9", set_attribute("alpha", 0.2)), "conv15a.weight", one_more)
    result = onnx_acts.verify(model, REFERENCE)
    assert [cause.name for cause in result.causes] == ["act9", "conv15a"]


@pytest.mark.slow
def test_same() -> None:
    """A network equals itself, and what accelerate and lower make of it; no node is accused."""
    fast = onnx_acts.accelerate(REFERENCE)
    for model, other in (
        (REFERENCE, REFERENCE),
        (fast, REFERENCE),
        (onnx_acts.lower(fast, exact=True), REFERENCE),
        (REFERENCE, fast),
    ):
        result = onnx_acts.verify(model, other, nodes=True)
        assert result.same, result
        assert {record.status for record in result.nodes} <= {"same", "inside"}


def test_in_accelerated() -> None:
    """A fault in a file whose nodes are ours is named by its node of ours."""
    model = onnx_acts.accelerate(edited("act11", set_attribute("alpha", 0.5)))
    result = onnx_acts.verify(model, REFERENCE)
    assert result.cause is not None
    assert (result.cause.operator, result.cause.output) == ("onnx_acts.ELU", "act11_out")
    assert result.cause.reasons == ("alpha is 0.5 here, 1 in the reference",)


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Gives every value in between and every node a name that says nothing, and is another's."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    made = [name for node in copy.graph.node for name in node.output if name != "y"]
    names = dict(zip(made, made[3:] + made[:3], strict=True))
    for node in copy.graph.node:
        node.name = ""
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    return copy


def test_other_names() -> None:
    """Names that are another value's accuse nobody, and do not hide a fault."""
    result = onnx_acts.verify(renamed(REFERENCE), REFERENCE, nodes=True)
    assert result.same
    assert {record.status for record in result.nodes} == {"same"}
    wrong = renamed(edited("act9", set_attribute("alpha", 0.12)))
    result = onnx_acts.verify(wrong, REFERENCE)
    assert [cause.counterpart for cause in result.causes] == ["act9_out"]


def test_files_show_it(tmp_path: Path) -> None:
    """The program that is written shows the difference that was reported."""
    model = onnx_acts.accelerate(edited("act11", set_attribute("alpha", 0.9)))
    result = onnx_acts.verify(model, REFERENCE, folder=tmp_path / "cause")
    assert result.cause is not None
    names = [path.name for path in result.cause.files]
    assert names == ["node.onnx", "inputs.npz", "expected.npz", "show.py"]
    alone = onnx.load(tmp_path / "cause" / "node.onnx")
    assert [node.op_type for node in alone.graph.node] == ["ELU"]
    done = subprocess.run(
        [sys.executable, tmp_path / "cause" / "show.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    difference = result.cause.difference
    assert f"largest difference {difference.max_abs:.6g}" in done.stdout


def branching(alpha: float) -> onnx.ModelProto:
    """An If between two Elu nodes, in a network with two inputs, of which one is a flag."""
    value = helper.make_tensor_value_info
    branch = [
        helper.make_graph(
            [helper.make_node("Elu", ["a"], [f"{name}_y"], name=f"inner_{name}", alpha=number)],
            name,
            [],
            [value(f"{name}_y", TensorProto.FLOAT, None)],
        )
        for name, number in (("yes", alpha), ("no", alpha))
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Abs", ["x"], ["b"], name="abs"),
            helper.make_node("Neg", ["b"], ["a"], name="neg"),
            helper.make_node(
                "If", ["flag"], ["c"], name="if", then_branch=branch[0], else_branch=branch[1]
            ),
            helper.make_node("Sigmoid", ["c"], ["y"], name="sigmoid"),
            helper.make_node("ReduceSum", ["c"], ["z"], name="sum"),
        ],
        "branching",
        [value("x", TensorProto.FLOAT, ["N", 5]), value("flag", TensorProto.BOOL, [])],
        [value("y", TensorProto.FLOAT, None), value("z", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_subgraph() -> None:
    """A node with subgraphs counts as one, which is said, and the fault inside of it is named."""
    result = onnx_acts.verify(branching(0.7), branching(1.0))
    assert [cause.name for cause in result.causes] == ["if"]
    assert any("inner_yes" in reason and "alpha" in reason for reason in result.causes[0].reasons)
    (record,) = [record for record in result.nodes if record.name == "if"]
    assert "subgraphs count as one node" in record.note
    assert [output.difference.same for output in result.outputs] == [False, False]


def softmax(opset: int) -> onnx.ModelProto:
    """A Softmax over an axis that is not the last: opset 13 changed what it means."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["x"], ["y"], name="soft", axis=1)],
        "g",
        [value("x", TensorProto.FLOAT, [2, 3, 4])],
        [value("y", TensorProto.FLOAT, [2, 3, 4])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def test_opset() -> None:
    """The same node of another opset: the reason is the opset."""
    result = onnx_acts.verify(softmax(12), softmax(13))
    assert result.cause is not None
    assert result.cause.reasons == (
        "opset 12 here, 13 in the reference: Softmax was changed in opset 13",
    )


def embedding(rows: np.ndarray) -> onnx.ModelProto:
    """A table of 7 rows, read by integers, then an activation."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["rows"], name="gather"),
            helper.make_node("LeakyRelu", ["rows"], ["y"], name="act", alpha=0.5),
        ],
        "g",
        [value("ids", TensorProto.INT64, ["N", "L"])],
        [value("y", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(rows, "table")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_integers() -> None:
    """Random indices are those of the table, all of them, so that a wrong row shows."""
    rows = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    wrong = rows.copy()
    wrong[6, 1] += 1
    result = onnx_acts.verify(embedding(wrong), embedding(rows))
    assert [cause.name for cause in result.causes] == ["gather"]
    assert "differs in 1 of 21 elements, most at [6, 1]" in result.causes[0].reasons[0]


def normalised(*, is_folded: bool, alpha: float = 0.3) -> onnx.ModelProto:
    """A product, scaled and shifted by a normalisation or in its own weight, under one name."""
    draw = np.random.default_rng(3)
    weight = draw.standard_normal((6, 6))
    scale, shift = draw.uniform(0.5, 2, 6), draw.standard_normal(6)
    value = helper.make_tensor_value_info
    if is_folded:
        stored = {"weight": weight * scale, "shift": shift}
        nodes = [helper.make_node("Gemm", ["x", "weight", "shift"], ["sum"], name="gemm")]
    else:
        stored = {"weight": weight, "none": np.zeros(6), "scale": scale, "shift": shift}
        nodes = [
            helper.make_node("Gemm", ["x", "weight", "none"], ["sum"], name="gemm"),
            helper.make_node("Mul", ["sum", "scale"], ["scaled"], name="mul"),
            helper.make_node("Add", ["scaled", "shift"], ["shifted"], name="add"),
        ]
    nodes += [
        helper.make_node("LeakyRelu", [nodes[-1].output[0]], ["act"], name="act", alpha=alpha),
        helper.make_node("Tanh", ["act"], ["y"], name="tanh"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", TensorProto.FLOAT, ["N", 6])],
        [value("y", TensorProto.FLOAT, ["N", 6])],
        initializer=[
            numpy_helper.from_array(array.astype(np.float32), name)
            for name, array in stored.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def test_one_name_of_two_values() -> None:
    """A value that has another's name, and is right behind that, accuses nobody."""
    folded, plain = normalised(is_folded=True), normalised(is_folded=False)
    for model, other in ((plain, folded), (folded, plain)):
        result = onnx_acts.verify(model, other, nodes=True)
        assert result.same
        assert not any(record.status in ("causes", "hidden") for record in result.nodes)
    result = onnx_acts.verify(normalised(is_folded=False, alpha=0.4), folded)
    assert [cause.name for cause in result.causes] == ["act"]
