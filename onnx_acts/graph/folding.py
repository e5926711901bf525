"""Constants that nodes compute from constants: ONNX Runtime computes them, as it will in the model.

Operators changed over the opsets (Squeeze had an attribute for its axes, say), and onnx.reference
knows only the newest form of some. So nodes run where they will run. In float16 ONNX Runtime
computes a chain of nodes in float32 and rounds at its end, so a chain runs as a whole there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

__all__ = ["FOLDED", "LARGEST_CONSTANT", "fold", "fold_chain"]

_SHAPING = ("Reshape", "Squeeze", "Unsqueeze")
_ELEMENTWISE = ("Abs", "Add", "Cast", "Clip", "Div", "Identity", "Max", "Min", "Mul", "Neg", "Sub")
FOLDED = frozenset(_SHAPING + _ELEMENTWISE)
"""Operators that exporters leave between a parameter and its use; none draws or branches."""

_DIRECT: Mapping[str, np.ufunc] = {
    "Abs": np.absolute,
    "Add": np.add,
    "Div": np.divide,
    "Identity": np.positive,
    "Mul": np.multiply,
    "Neg": np.negative,
    "Sub": np.subtract,
}
_IEEE = (np.dtype(np.float32), np.dtype(np.float64))
"""Operators, and the element types in which each of them has one result: no session is needed."""

LARGEST_CONSTANT = 2**22
"""Elements up to which a constant is read; a slope for every element of a feature map has fewer."""

_IR_VERSION = 8
"""Of the model of one node: ONNX Runtime 1.17 and newer read it."""


def fold(
    node: onnx.NodeProto, inputs: Mapping[str, NDArray[Any]], opset: int
) -> NDArray[Any] | None:
    """Computes a node of `FOLDED`.

    Args:
        node: the node.
        inputs: its inputs by their names.
        opset: the version of the standard operators.

    Returns:
        Its output; None where that would be large, or where ONNX Runtime cannot run the node.
    """
    if not _is_harmless(node, inputs):
        return None
    if node.op_type in _DIRECT and all(array.dtype in _IEEE for array in inputs.values()):
        return _computed(node, inputs)
    # ONNX Runtime's CPU computes nothing in bfloat16; every one is a float32, and the results of
    # these operators, rounded once more, are what bfloat16 gives.
    wide = {name: _widened(array) for name, array in inputs.items()}
    is_narrow = any(wide[name] is not array for name, array in inputs.items())
    try:
        result = _run([node], wide, opset)
    except Exception:  # onnxruntime's own exceptions have no common public base
        return None
    if is_narrow and node.op_type != "Cast":
        return result.astype(ml_dtypes.bfloat16)
    return result


def _computed(node: onnx.NodeProto, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any] | None:
    """Computes a node as IEEE 754 says; None where its inputs are not of one type."""
    values = [inputs[name] for name in node.input]
    if len({array.dtype for array in values}) > 1 or len(values) != _DIRECT[node.op_type].nin:
        return None
    with np.errstate(all="ignore"):
        return np.asarray(_DIRECT[node.op_type](*values))


def fold_chain(
    nodes: Sequence[onnx.NodeProto], inputs: Mapping[str, NDArray[Any]], opset: int
) -> NDArray[Any] | None:
    """Computes nodes of `FOLDED`, each of which `fold` can compute; the last one's output.

    Args:
        nodes: the nodes, in order.
        inputs: what comes from none of them.
        opset: the version of the standard operators.
    """
    try:
        return _run(nodes, inputs, opset)
    except Exception:  # onnxruntime's own exceptions have no common public base
        return None


def _is_harmless(node: onnx.NodeProto, inputs: Mapping[str, NDArray[Any]]) -> bool:
    """Tells whether the result has a size worth computing, and nothing stops the process."""
    if any(array.dtype.kind in "OSU" for array in inputs.values()):
        return False
    if node.op_type in _SHAPING:
        return True
    divisor = inputs[node.input[1]] if node.op_type == "Div" else None
    if divisor is not None and divisor.dtype.kind in "iu" and not np.all(divisor > 0):
        return False  # a division of integers by zero is a signal of the processor
    try:
        shape = np.broadcast_shapes(*(array.shape for array in inputs.values()))
    except ValueError:
        return False
    return math.prod(shape) <= LARGEST_CONSTANT


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == ml_dtypes.bfloat16 else array


def _run(
    nodes: Sequence[onnx.NodeProto], inputs: Mapping[str, NDArray[Any]], opset: int
) -> NDArray[Any]:
    """Runs a model of some nodes; returns the output of the last one."""
    import onnxruntime  # not before something is folded: it takes long to load

    from onnx_acts.ort.values import from_ort, to_ort

    graph = helper.make_graph(
        nodes,
        "fold",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in inputs.items()
        ],
        [onnx.ValueInfoProto(name=nodes[-1].output[0])],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feeds = {name: to_ort(array) for name, array in inputs.items()}
    return from_ort(session.run_with_ort_values(None, feeds)[0])
