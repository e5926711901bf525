"""Where nodes run: read from a profile and from the model that ONNX Runtime made of ours."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import onnx_acts
from onnx_acts.definition.specs import SPECS, Spec, spec_of
from onnx_acts.ort.profiles import ExecutedNode, executed_nodes
from onnx_acts.serving import placement as placing
from onnx_acts.serving.placement import NodePlacement
from tests.helpers import one_node_model

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_on_the_cpu(spec: Spec) -> None:
    """Every operator, by its name, with nothing copied around it."""
    found = onnx_acts.placement(one_node_model(spec, "float32"))
    assert found == [NodePlacement("act", spec.name, CPU, ())]


def test_sources_and_feeds(tmp_path: Path) -> None:
    """A path is taken too, and inputs of the caller's."""
    path = tmp_path / "model.onnx"
    onnx.save_model(one_node_model(spec_of("ELU"), "bfloat16"), path)
    found = onnx_acts.placement(path, {"x_in": np.zeros((2, 3, 4))}, providers=[CPU])
    assert [node.provider for node in found] == [CPU]
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside the model"


def test_nodes_without_names() -> None:
    """They are told apart by their order."""
    model = one_node_model(spec_of("ELU"), "float32")
    model.graph.node[1].name = ""
    assert onnx_acts.placement(model) == [NodePlacement("", "ELU", CPU, ())]


def branches() -> onnx.ModelProto:
    """One of two activations runs, on a condition that is an input."""
    value = helper.make_tensor_value_info
    graphs = [
        helper.make_graph(
            [onnx_acts.make_node(name, ["x"], [f"y_{name}"], node_name=f"act_{name}")],
            name,
            [],
            [value(f"y_{name}", onnx.TensorProto.FLOAT, [3])],
        )
        for name in ("ELU", "ReLU")
    ]
    node = helper.make_node("If", ["c"], ["y"], then_branch=graphs[0], else_branch=graphs[1])
    inputs = [value("c", onnx.TensorProto.BOOL, []), value("x", onnx.TensorProto.FLOAT, [3])]
    outputs = [value("y", onnx.TensorProto.FLOAT, [3])]
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("onnx_acts", 1)]
    graph = helper.make_graph([node], "g", inputs, outputs)
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def test_branch_that_is_not_taken() -> None:
    """A node that did not run has no provider."""
    found = {node.name: node.provider for node in onnx_acts.placement(branches())}
    assert found == {"act_ELU": CPU, "act_ReLU": ""}


def test_input_that_cannot_be_made_up() -> None:
    """An input of strings must be given."""
    nodes = [
        helper.make_node("StringNormalizer", ["s"], ["t"]),
        helper.make_node("Shape", ["t"], ["n"]),
    ]
    value = helper.make_tensor_value_info
    inputs, outputs = [value("s", onnx.TensorProto.STRING, [2])], [value("n", 7, [1])]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    with pytest.raises(ValueError, match=r"input s is a tensor\(string\): pass `feeds`"):
        onnx_acts.placement(model)


def on_two_devices() -> onnx.ModelProto:
    """What ONNX Runtime makes of a model whose second activation has no kernel on CUDA."""
    acts = [
        onnx_acts.make_node("ELU", ["x"], ["a"], node_name="first"),
        onnx_acts.make_node("PReLU", ["a_cpu", "s"], ["b_cpu"], node_name="second"),
        onnx_acts.make_node("ReLU", ["b"], ["y"]),
    ]
    copies = [
        helper.make_node("MemcpyToHost", ["a"], ["a_cpu"]),
        helper.make_node("MemcpyFromHost", ["b_cpu"], ["b"]),
    ]
    nodes = [acts[0], copies[0], acts[1], copies[1], acts[2]]
    return helper.make_model(helper.make_graph(nodes, "g", [], []))


def test_copies_and_providers_are_told_apart() -> None:
    """Each node with its own provider, and the copies on its own edges."""
    executed = [
        ExecutedNode("ReLU_7", "ReLU", CUDA, 7),
        ExecutedNode("second", "PReLU", CPU, 1),
        ExecutedNode("first", "ELU", CUDA, 0),
    ]
    to_host, from_host = "MemcpyToHost of a", "MemcpyFromHost of b_cpu"
    assert placing._placements(on_two_devices(), executed, False) == [
        NodePlacement("first", "ELU", CUDA, (to_host,)),
        NodePlacement("second", "PReLU", CPU, (to_host, from_host)),
        NodePlacement("", "ReLU", CUDA, (from_host,)),
    ]


def test_profile(tmp_path: Path) -> None:
    """Kernel events are nodes; others are not, and a node that ran twice is one. The file goes."""
    details = {"provider": CUDA, "op_name": "ELU", "node_index": "3"}
    events = [
        {"cat": "Session", "name": "model_run", "args": {}},
        {"cat": "Node", "name": "a_fence_before", "args": {"op_name": "ELU"}},
        {"cat": "Node", "name": "a_kernel_time", "args": details},
        {"cat": "Node", "name": "a_kernel_time", "args": details},
        {"cat": "Node"},
    ]
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(events))
    assert executed_nodes(path) == [ExecutedNode("a", "ELU", CUDA, 3)]
    assert not path.exists()
