"""What is known of the values of a model."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.inference import Known, dtype_name, element_types, inferred, known_values
from onnx_acts.runtime_types import types_in_runtime


def parsed(text: str, *, opset: int = 17) -> onnx.ModelProto:
    """A model from text."""
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> g {text}')


def test_types_and_shapes() -> None:
    """Of inputs, outputs, initializers and everything between; -1 is an unknown size."""
    model = parsed(
        "(float[N,-1,?] x) => (y) <float[3] w = {1, 2, 3}>"
        " { a = Cast <to = 10> (x) b = Neg (a) y = Shape (b) }"
    )
    found = known_values(model)
    shape = ("N", None, None)
    assert found["x"] == Known("float32", shape)
    assert found["b"].dtype == "float16"
    assert found["w"] == Known("float32", (3,))
    assert found["y"] == Known("int64", (3,))
    assert element_types(model) == {name: known.dtype for name, known in found.items()}


def test_our_nodes_without_an_import() -> None:
    """Nodes of the domain are followed where the model does not import it yet."""
    model = parsed("(float[N,4] x) => (y) { a = onnx_acts.ELU (x) y = Neg (a) }")
    assert known_values(model)["y"] == Known("float32", ("N", 4))
    assert [item.domain for item in model.opset_import] == [""], "the model was changed"


def test_names_that_mean_several_values() -> None:
    """Two branches may use one name: only what is the same in both is known."""
    model = parsed(
        "(bool c, float[2,3] x) => (y) { y = If (c) <"
        " then_branch = t () => (float[2,3] p) { v = Neg (x) p = Neg (v) },"
        " else_branch = e () => (float[2,3] q) { s = Shape (x) v = Cast <to = 1> (s)"
        " q = Add (x, x) }> }"
    )
    assert known_values(model)["v"] == Known("float32", None)
    model = parsed(
        "(bool c, float[2,3] x) => (y) { y = If (c) <"
        " then_branch = t () => (float[2,3] p) { v = Neg (x) p = Neg (v) },"
        " else_branch = e () => (float[2,3] q) { v = Cast <to = 11> (x) q = Cast <to = 1> (v) }> }"
    )
    assert known_values(model)["v"] == Known(None, (2, 3))


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
    found = known_values(runtime_model())
    assert found["b"] == found["c"] == Known("float32", ("N", 50))


def test_onnx_runtime_is_not_asked_in_vain() -> None:
    """Nothing comes back where everything is known, or where it cannot load the model."""
    model = parsed("(float[N] x) => (float[N] y) { y = Neg (x) }")
    assert types_in_runtime(inferred(model)) == []
    model = parsed("(float[N] x) => (float[N] y) { a = other.Unknown (x) y = Neg (a) }")
    assert types_in_runtime(model) == []
    assert "a" not in known_values(model)
