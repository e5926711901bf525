"""Which versions of the standard operators ONNX Runtime reads."""

from __future__ import annotations

import functools

import onnx
import onnxruntime
from onnx import helper

__all__ = ["newest_opset"]

_OLDEST_RELEASE = 20
"""The newest one of ONNX Runtime 1.17, the oldest version that is supported."""

_IR_VERSION = 8


@functools.cache
def newest_opset() -> int:
    """The newest opset that this ONNX Runtime loads; `onnx` may know opsets that are drafts."""
    value = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", value[:1], value[1:])
    for opset in range(onnx.defs.onnx_opset_version(), _OLDEST_RELEASE, -1):
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=_IR_VERSION
        )
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(), providers=["CPUExecutionProvider"]
            )
        except Exception:  # onnxruntime's exceptions have no common public base
            continue
        return opset
    return _OLDEST_RELEASE
