"""Element types and shapes of values that only ONNX Runtime knows."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
import onnxruntime
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.weights import external_tensors

__all__ = ["types_in_runtime"]

_IR_VERSION = 8

_ELEMENT_TYPES = {
    "tensor(float16)": onnx.TensorProto.FLOAT16,
    "tensor(bfloat16)": onnx.TensorProto.BFLOAT16,
    "tensor(float)": onnx.TensorProto.FLOAT,
    "tensor(double)": onnx.TensorProto.DOUBLE,
}
"""The types that matter here, as ONNX Runtime writes them."""


def types_in_runtime(
    model: onnx.ModelProto, *, with_shapes: bool = False
) -> list[onnx.ValueInfoProto]:
    """Asks ONNX Runtime for the floating-point values of the graph that have no type.

    Args:
        model: a model with the types that are known; large weights may be left out.
        with_shapes: asks for those that have a type and no shape, too.

    Returns:
        What it knows of them; nothing where it cannot load the model.
    """
    graph = model.graph
    declared = (*graph.input, *graph.output, *graph.value_info)
    known = {
        value.name
        for value in declared
        if not with_shapes or value.type.tensor_type.HasField("shape")
    }
    unknown = [name for node in graph.node for name in node.output if name and name not in known]
    if not unknown:
        return []
    probe = _probe(model, unknown)
    if any(True for _ in external_tensors(probe)):
        return []  # no other file is read here
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(
            probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception:  # onnxruntime's own exceptions have no common public base
        return []
    asked = set(unknown)
    # No dimensions are shown for a scalar and for an unknown rank.
    return [
        helper.make_tensor_value_info(item.name, _ELEMENT_TYPES[item.type], item.shape or None)
        for item in session.get_outputs()
        if item.name in asked and item.type in _ELEMENT_TYPES
    ]


def _probe(model: onnx.ModelProto, unknown: Iterable[str]) -> onnx.ModelProto:
    """A model that ONNX Runtime can load without weights and library, with values as outputs."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.ir_version = max(probe.ir_version, _IR_VERSION)
    inputs = {value.name for value in probe.graph.input}
    for tensor in list(probe.graph.initializer):
        if not _has_data(tensor):  # a weight without data serves as an input
            probe.graph.initializer.remove(tensor)
            if tensor.name not in inputs:
                probe.graph.input.append(
                    helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                )
    nodes = onnx.GraphProto()
    for node in probe.graph.node:
        if node.domain != DOMAIN:
            nodes.node.append(node)
            continue
        for name in filter(None, node.output):  # each is like X
            nodes.node.append(helper.make_node("Identity", node.input[:1], [name]))
    del probe.graph.node[:]
    probe.graph.node.extend(nodes.node)
    outputs = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in unknown if n not in outputs)
    return probe


def _has_data(tensor: onnx.TensorProto) -> bool:
    """Tells whether a tensor has its data itself."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return False
    fields = [field.name for field, _ in tensor.ListFields()]
    return 0 in tensor.dims or any(name.endswith("_data") for name in fields)
