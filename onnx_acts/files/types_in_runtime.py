"""Element types and shapes of values that only ONNX Runtime knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import onnx
from onnx import helper

from onnx_acts.definition.specs import DOMAIN
from onnx_acts.files.structure import STANDARD_DOMAINS
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
    asked = set(unknown)
    # No dimensions are shown for a scalar and for an unknown rank.
    return [
        helper.make_tensor_value_info(item.name, _ELEMENT_TYPES[item.type], item.shape or None)
        for item in _outputs(probe)
        if item.name in asked and item.type in _ELEMENT_TYPES
    ]


def _outputs(probe: onnx.ModelProto) -> Sequence[Any]:
    """The outputs of a model as ONNX Runtime knows them; none where it cannot load the model."""
    import onnxruntime  # not before it is asked: it takes long to load

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(
            probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception:  # onnxruntime's own exceptions have no common public base
        return []
    outputs: Sequence[Any] = session.get_outputs()
    return outputs


def _probe(model: onnx.ModelProto, unknown: Iterable[str]) -> onnx.ModelProto:
    """A model that ONNX Runtime can load without weights and library, with values as outputs."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.ir_version = max(probe.ir_version, _IR_VERSION)
    inputs = {value.name for value in probe.graph.input}
    absent: dict[str, onnx.TensorProto] = {}  # a weight without data serves as an input
    for tensor in list(probe.graph.initializer):
        if not _has_data(tensor):
            probe.graph.initializer.remove(tensor)
            absent[tensor.name] = tensor
    nodes = onnx.GraphProto()
    for node in probe.graph.node:
        stored = _stored(node)
        if stored is not None and not _has_data(stored):
            absent[node.output[0]] = stored
        elif node.domain != DOMAIN:
            nodes.node.append(node)
        else:
            for name in filter(None, node.output):  # each is like X
                nodes.node.append(helper.make_node("Identity", node.input[:1], [name]))
    probe.graph.input.extend(
        helper.make_tensor_value_info(name, tensor.data_type, tensor.dims)
        for name, tensor in absent.items()
        if name not in inputs
    )
    del probe.graph.node[:]
    probe.graph.node.extend(nodes.node)
    known = {value.name for value in probe.graph.output} | absent.keys()
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in unknown if n not in known)
    return probe


def _stored(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """The tensor of a Constant node."""
    if node.op_type != "Constant" or node.domain not in STANDARD_DOMAINS:
        return None
    return next((item.t for item in node.attribute if item.name == "value"), None)


def _has_data(tensor: onnx.TensorProto) -> bool:
    """Tells whether a tensor has its data itself."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return False
    fields = [field.name for field, _ in tensor.ListFields()]
    return 0 in tensor.dims or any(name.endswith("_data") for name in fields)
