"""Constants that are folded equal what ONNX Runtime computes, for every operator and opset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.graph.folding import FOLDED, fold
from onnx_acts.graph.view import View

Array = NDArray[Any]

OPSETS = range(9, 24)
DTYPES = ("float16", "float32", "float64", "int32", "int64")
SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 65504.0, 1e-7]


def numbers(dtype: str, *shape: int) -> Array:
    """Numbers of a shape, with special ones among those that are floating-point."""
    array = np.resize(np.array([3, -2, 0.5, 7, -1, 4, 1.25, -6]), shape)
    if dtype.startswith("float"):
        special = np.resize(np.array(SPECIAL), shape)
        array = np.concatenate([array.ravel(), special.ravel()]).reshape(2, *shape)
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def axes(opset: int, since: int, values: list[int]) -> tuple[dict[str, Any], list[Array]]:
    """Axes as an attribute, or as an input from an opset on."""
    if opset < since:
        return {"axes": values}, []
    return {}, [np.array(values, np.int64)]


Nodes = Iterator[tuple[dict[str, Any], list[Array]]]
"""Attributes and inputs of nodes of one operator, in the form of an opset."""


def shaping(operator: str, opset: int, dtype: str) -> Nodes:
    """Nodes of the operators that change the shape."""
    flat, column = numbers("int32", 3).astype(dtype), np.full((1, 3, 1), 5, dtype)
    if operator == "Reshape":
        for shape in ([-1], [3, -1], [0, -1]):
            yield {}, [numbers(dtype, 2, 3), np.array(shape, np.int64)]
        if opset >= 14:
            yield {"allowzero": 1}, [np.ones((0, 3), dtype), np.array([3, 0], np.int64)]
        return
    for places in ([0], [-1], [0, -1]) if opset >= 11 else ([0], [0, 2]):
        attributes, more = axes(opset, 13, places)
        yield attributes, [column if operator == "Squeeze" else flat, *more]
    if operator == "Squeeze":
        yield {}, [column]


def several(operator: str, opset: int, dtype: str) -> Nodes:
    """Nodes of the element-by-element operators that have more inputs than x, or attributes."""
    x = numbers(dtype, 2, 3)
    low, high = np.array(-1, dtype), np.array(3, dtype)
    if operator == "Cast":
        for name in ("FLOAT", "DOUBLE", "FLOAT16", "INT32", "BOOL"):
            yield {"to": getattr(TensorProto, name)}, [numbers("int32", 3).astype(dtype)]
    elif operator == "Clip" and opset < 11:
        yield {"min": -1.0, "max": 3.0}, [x]
        yield {"max": 3.0}, [x]
    elif operator in ("Clip", "Max", "Min"):
        yield {}, [x, low, high]
        yield {}, [x, low]
        yield {}, [x]
    else:
        yield {}, [x, high]
        yield {}, [numbers("int32", 3).astype(dtype), np.array([1, 2, 7], dtype)]


def candidates(operator: str, opset: int, dtype: str) -> Nodes:
    """Nodes of any of the operators."""
    if operator in ("Reshape", "Squeeze", "Unsqueeze"):
        yield from shaping(operator, opset, dtype)
    elif operator in ("Abs", "Identity", "Neg"):
        yield {}, [numbers(dtype, 2, 3)]
    else:
        yield from several(operator, opset, dtype)


def in_runtime(node: onnx.NodeProto, inputs: list[Array], opset: int) -> Array | None:
    """What a session computes from inputs that are not constant; None where it cannot."""
    values = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), [None] * array.ndim
        )
        for name, array in zip(node.input, inputs, strict=True)
    ]
    graph = helper.make_graph([node], "g", values, [onnx.ValueInfoProto(name="y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return np.asarray(session.run(None, dict(zip(node.input, inputs, strict=True)))[0])
    except Exception:  # no kernel for the type, or axes that do not fit
        return None


def in_view(node: onnx.NodeProto, inputs: list[Array], opset: int) -> Array | None:
    """What a view says of the node's output where the inputs are initializers."""
    stored = [numpy_helper.from_array(a, n) for n, a in zip(node.input, inputs, strict=True)]
    graph = helper.make_graph([node], "g", [], [], stored)
    return View(graph, graph, opset).constant("y")


@pytest.mark.parametrize("operator", sorted(FOLDED))
def test_folding(operator: str) -> None:
    """Equal bits, shape and type; what ONNX Runtime cannot run is no constant."""
    compared = 0
    for opset in OPSETS:
        for dtype in DTYPES:
            for attributes, inputs in candidates(operator, opset, dtype):
                names = [f"x{i}" for i in range(len(inputs))]
                node = helper.make_node(operator, names, ["y"], **attributes)
                want, got = in_runtime(node, inputs, opset), in_view(node, inputs, opset)
                if want is None:
                    assert got is None
                    continue
                compared += 1
                assert got is not None, f"{operator} {opset} {dtype} {attributes} is not folded"
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got, want, strict=True)
    assert compared >= 2 * len(OPSETS)


@pytest.mark.parametrize(
    ("divisor", "is_folded"), [(3, True), (0, False), (-1, False)], ids=["3", "0", "-1"]
)
def test_division_of_integers(divisor: int, is_folded: bool) -> None:
    """A division that the processor answers with a signal does not happen."""
    node = helper.make_node("Div", ["a", "b"], ["y"])
    fed = {"a": np.array([np.iinfo(np.int32).min], np.int32), "b": np.array([divisor], np.int32)}
    assert (fold(node, fed, 17) is not None) == is_folded


def test_bfloat16() -> None:
    """ONNX Runtime has no kernels for it: results are those of float32, rounded once."""
    bfloat16 = helper.tensor_dtype_to_np_dtype(TensorProto.BFLOAT16)
    a, b = np.array([1.0, 3.0], bfloat16), np.array([3.0], bfloat16)
    got = fold(helper.make_node("Div", ["a", "b"], ["y"]), {"a": a, "b": b}, 17)
    assert got is not None
    assert got.dtype == bfloat16
    assert got.astype(float).tolist() == [0.333984375, 1.0]  # 171 / 512 is the nearest of 8 bits
    node = helper.make_node("Cast", ["a"], ["y"], to=TensorProto.FLOAT)
    got = fold(node, {"a": a}, 17)
    assert got is not None
    assert got.dtype == np.float32
