"""Constants that a view folds."""

import onnx
import pytest
from onnx import helper

from onnx_acts.graph import view as module
from onnx_acts.graph.view import View


def chain(length: int) -> onnx.GraphProto:
    """v0 = 1, v(i+1) = -v(i)."""
    nodes = [helper.make_node("Constant", [], ["v0"], value_float=1.0)]
    nodes += [helper.make_node("Neg", [f"v{i}"], [f"v{i + 1}"]) for i in range(length)]
    return helper.make_graph(nodes, "g", [], [])


def test_depth_is_no_property_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was too deep for one question is answered when it is asked for itself."""
    monkeypatch.setattr(module, "_FOLDING_DEPTH", 3)
    graph = chain(6)
    view = View(graph, graph, 20)
    assert view.constant("v6") is None
    assert view.constant("v3") == -1
    assert view.constant("v6") is None, "an answer depends on what was asked before"


def test_unknown_element_type() -> None:
    """A constant of an element type that does not exist is refused by name."""
    graph = chain(0)
    graph.initializer.add(name="w", dims=[1], data_type=99)
    view = View(graph, graph, 20)
    for ask in (view.constant, view.dtype):
        with pytest.raises(ValueError, match="'w' has the element type 99, which onnx"):
            ask("w")
