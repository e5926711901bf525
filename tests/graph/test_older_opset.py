"""From opset 18 to 17: the same numbers, or a refusal that names the node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.graph.older_opset import to_older_opset

Constants = dict[str, NDArray[Any]]
X = np.random.default_rng(3).standard_normal((2, 5, 6, 8)).astype(np.float32)


def numbers(*values: int) -> NDArray[np.int64]:
    """Constants of axes and sizes."""
    return np.array(values, np.int64)


def model_of(
    nodes: list[onnx.NodeProto],
    constants: Constants,
    outputs: tuple[str, ...] = ("y",),
    shape: tuple[int | str, ...] = X.shape,
) -> onnx.ModelProto:
    """A model of opset 18 from x."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def node(operator: str, inputs: str = "x", outputs: str = "y", **attributes: Any) -> Any:
    """One node."""
    return helper.make_node(operator, inputs.split(","), outputs.split(","), "n", **attributes)


def branches(inner: onnx.NodeProto) -> onnx.NodeProto:
    """A node as the first branch of an If."""
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    then = helper.make_graph([inner], "then", [], [value])
    other = helper.make_graph([node("Identity")], "else", [], [value])
    return helper.make_node("If", ["c"], ["out"], then_branch=then, else_branch=other)


REDUCTIONS = ["L1", "L2", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"]
CASES: dict[str, tuple[list[onnx.NodeProto], Constants, tuple[str, ...]]] = {
    **{
        name: ([node(f"Reduce{name}", "x,a", keepdims=0)], {"a": numbers(1, -1)}, ("y",))
        for name in REDUCTIONS
    },
    "all axes": ([node("ReduceMean")], {}, ("y",)),
    "empty axes": ([node("ReduceMax", "x,a")], {"a": numbers()}, ("y",)),
    "axes of a node": (
        [
            helper.make_node("Constant", [], ["a"], value_ints=[2]),
            node("ReduceMean", "x,a"),
        ],
        {},
        ("y",),
    ),
    "even": ([node("Split", outputs="y,z", axis=2, num_outputs=2)], {}, ("y", "z")),
    "uneven": ([node("Split", outputs="y,z,w", axis=1, num_outputs=3)], {}, ("y", "z", "w")),
    "sizes": ([node("Split", "x,s", "y,z", axis=-1)], {"s": numbers(3, 5)}, ("y", "z")),
    "pad": ([node("Pad", "x,p")], {"p": numbers(0, 1, 0, 2, 0, 0, 3, 0)}, ("y",)),
    "pad axes": (
        [node("Pad", "x,p,v,a")],
        {"p": numbers(1, 2, 3, 4), "a": numbers(-1, 1), "v": np.array(7, np.float32)},
        ("y",),
    ),
    "reflected": (
        [node("Pad", "x,p,,a", mode="reflect")],
        {"p": numbers(1, 2), "a": numbers(2)},
        ("y",),
    ),
    "resize": (
        [node("Resize", "x,,s", mode="linear", antialias=0, keep_aspect_ratio_policy="stretch")],
        {"s": np.array([1, 1, 2, 0.5], np.float32)},
        ("y",),
    ),
    "resize axes": (
        [node("Resize", "x,,s", mode="nearest", axes=[3, 2])],
        {"s": np.array([2, 0.5], np.float32)},
        ("y",),
    ),
    "resize sizes": (
        [node("Resize", "x,,,s", mode="nearest", axes=[-1])],
        {"s": numbers(12)},
        ("y",),
    ),
    "scatter": (
        [node("ScatterND", "x,i,u", reduction="add")],
        {"i": numbers(0).reshape(1, 1), "u": np.ones((1, 5, 6, 8), np.float32)},
        ("y",),
    ),
    "new": ([node("Mish")], {}, ("y",)),
    "ours": ([onnx_acts.make_node("ELU", ["x"], ["e"]), node("ReduceMean", "e,a")],
             {"a": numbers(1)}, ("y",)),
    "branch": ([branches(node("ReduceMean", "x,a"))],
               {"a": numbers(1), "c": np.array(True)}, ("out",)),
    "new in and out of a branch": (
        [node("Pad", "x,p,,a", "q"), branches(node("Pad", "x,p,,a"))],
        {"p": numbers(1, 2), "a": numbers(1), "c": np.array(True)}, ("out", "q"),
    ),
    "new in a branch": ([branches(node("Pad", "x,p,,a"))],
                        {"p": numbers(1, 2), "a": numbers(1), "c": np.array(True)}, ("out",)),
}  # fmt: skip  # short cases in one row


@pytest.mark.parametrize("name", CASES)
def test_same_numbers(name: str) -> None:
    """ONNX Runtime, which checks every node at its opset, gives the same at 18 and at 17."""
    nodes, constants, outputs = CASES[name]
    model = model_of(nodes, constants, outputs)
    expected = onnx_acts.session(onnx_acts.accelerate(model)).run(None, {"x": X})
    older = to_older_opset(onnx.ModelProto.FromString(model.SerializeToString()))
    assert {item.domain: item.version for item in older.opset_import}[""] == 17
    got = onnx_acts.session(onnx_acts.accelerate(older)).run(None, {"x": X})
    for want, have in zip(expected, got, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-6, atol=1e-6)


REFUSED: dict[str, tuple[onnx.NodeProto, Constants, str]] = {
    "bits": (node("BitwiseNot"), {}, r"BitwiseNot \('n'\) is newer"),
    "antialias": (
        node("Resize", "x,,s", mode="linear", antialias=1),
        {"s": np.ones(4, np.float32)},
        "no antialiasing",
    ),
    "maximum": (
        node("ScatterND", "x,i,u", reduction="max"),
        {"i": numbers(0).reshape(1, 1), "u": np.ones((1, 5, 6, 8), np.float32)},
        "no reduction='max'",
    ),
    "axes": (node("ReduceMean", "x,s"), {}, "'s' is computed"),
    "nothing": (node("ReduceMean", noop_with_empty_axes=1), {}, "leaves its input as it is"),
    "ceil": (node("LpPool", kernel_shape=[2, 2], ceil_mode=1), {}, "neither ceil_mode"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """What opset 17 does not have is named, with what to do."""
    refused, constants, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"opset 17: .*{message}.*; export to opset 18"):
        to_older_opset(model_of([refused], constants))


def test_dynamic_split() -> None:
    """A dynamic dimension cannot be split into a number of parts."""
    split = node("Split", outputs="y,z", axis=0, num_outputs=2)
    with pytest.raises(ValueError, match="splits a dynamic dimension"):
        to_older_opset(model_of([split], {}, ("y", "z"), ("n", 5, 6, 8)))


def test_table_is_complete() -> None:
    """Every operator that opset 18 changed has a rule; what it brought has a body or is refused."""
    from onnx_acts.graph.older_nodes import RULES

    history = onnx.defs.get_all_schemas_with_history()
    standard = [schema for schema in history if schema.domain == ""]
    changed = {
        schema.name
        for schema in standard
        if schema.since_version == 18
        and any(other.name == schema.name and other.since_version < 18 for other in standard)
    }
    assert changed - RULES.keys() == {"OptionalGetElement", "OptionalHasElement"}
    assert RULES.keys() <= changed
