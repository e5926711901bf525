"""Nodes carry their attributes exactly."""

import doctest
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from onnx_acts.definition import nodes
from onnx_acts.definition.nodes import make_node, read_attributes
from onnx_acts.definition.specs import OPERATORS, Spec


@pytest.mark.parametrize("spec", OPERATORS, ids=lambda spec: spec.name)
def test_round_trip(spec: Spec) -> None:
    """Float64 values that no FLOAT attribute could hold come back to the last bit."""
    numbers = {"real": 0.1, "single": float(np.float32(0.1))}
    values: dict[str, Any] = {item.name: numbers.get(item.kind, 1) for item in spec.attributes}
    node = make_node(spec.name, [name.lower() for name in spec.inputs], ["y"], **values)
    assert read_attributes(node) == values
    kinds = {item.name: item.type == onnx.AttributeProto.FLOAT for item in node.attribute}
    assert kinds == {item.name: item.kind == "single" for item in spec.attributes}


def test_name_that_is_nearly_right() -> None:
    """The operator that is meant is told."""
    with pytest.raises(ValueError, match=r"'Prelu' \(did you mean PReLU\?\); onnx_acts has ReLU"):
        make_node("Prelu", ["x", "w"], ["y"])


def test_float_attribute_is_read() -> None:
    """A hand-made FLOAT attribute counts as its 32-bit value."""
    node = helper.make_node("ELU", ["x"], ["y"], domain="onnx_acts", alpha=0.1)
    assert read_attributes(node) == {"alpha": float(np.float32(0.1))}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("0.1", "STRING"),
        (numpy_helper.from_array(np.array([0.1], np.float32)), "a tensor of 1 FLOAT"),
        (numpy_helper.from_array(np.array([0.1, 0.2])), "a tensor of 2 DOUBLE"),
    ],
)
def test_wrong_kind(value: object, found: str) -> None:
    """The message names node, attribute and what was found."""
    node = helper.make_node("ELU", ["x"], ["y"], name="act7", domain="onnx_acts", alpha=value)
    with pytest.raises(TypeError, match=rf"ELU \(node 'act7'\): attribute alpha is {found}"):
        read_attributes(node)


def test_wrong_arity() -> None:
    """The message lists the inputs and outputs that there are."""
    with pytest.raises(ValueError, match="PReLU takes the inputs X, slope and gives Y"):
        make_node("PReLU", ["x"], ["y"])
    with pytest.raises(ValueError, match="ELU takes the inputs X and gives Y"):
        make_node("ELU", ["x"], ["y", "z"])


def test_examples_in_docstrings() -> None:
    """The docstrings' examples run."""
    assert doctest.testmod(nodes).failed == 0
    assert doctest.testmod(nodes).attempted > 0


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (onnx.TensorProto(data_type=99), r"a tensor of 1 unknown \(99\) value"),
        (onnx.TensorProto(data_type=11, data_location="EXTERNAL"), "a tensor in another file"),
    ],
)
def test_tensor_that_is_no_number(tensor: onnx.TensorProto, message: str) -> None:
    """It is not decoded, and no other file is opened for it."""
    node = helper.make_node("ELU", ["x"], ["y"], name="act", domain="onnx_acts")
    node.attribute.append(helper.make_attribute("alpha", tensor))
    with pytest.raises(TypeError, match=rf"ELU \(node 'act'\): attribute alpha is {message}"):
        read_attributes(node)
