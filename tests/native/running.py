"""Running one bare `onnx_acts` node (no function body, so only the native kernel can serve it)."""

from __future__ import annotations

import functools
from typing import Any, Literal, overload

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

import onnx_acts
from onnx_acts.definition.specs import Spec, spec_of
from tests.helpers import feeds, one_node_model

Array = NDArray[Any]
PROVIDERS = ["CPUExecutionProvider"]


def options(threads: int = 1) -> onnxruntime.SessionOptions:
    """Session options with the library registered."""
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = threads
    made.log_severity_level = 4
    made.enable_cpu_mem_arena = False  # so that a sanitizer sees where each tensor ends
    made.register_custom_ops_library(onnx_acts.library_path())
    return made


@overload
def run(
    op: str,
    dtype: str,
    *inputs: Array,
    outputs: Literal[1] = 1,
    threads: int = 1,
    **attributes: Any,
) -> Array: ...
@overload
def run(
    op: str, dtype: str, *inputs: Array, outputs: Literal[2], threads: int = 1, **attributes: Any
) -> list[Array]: ...
def run(
    op: str, dtype: str, *inputs: Array, outputs: int = 1, threads: int = 1, **attributes: Any
) -> Array | list[Array]:
    """Runs one node on arrays that hold values of `dtype`; float64 in and out."""
    spec: Spec = spec_of(op)
    shapes: dict[str, Any] = {"x_shape": symbolic("x", inputs[0])}
    if len(inputs) > 1:
        shapes["slope_shape"] = symbolic("slope", inputs[1])
    model = one_node_model(spec, dtype, bodies=False, outputs=outputs, **shapes, **attributes)
    session = _opened(model.SerializeToString(), threads, onnx_acts.library_path())
    got = session.run(None, feeds(spec, *inputs))
    return got[0] if outputs == 1 else got


@functools.lru_cache(maxsize=1)
def _opened(model: bytes, threads: int, library: str) -> onnxruntime.InferenceSession:
    """A session; where the same model runs on other inputs next, it is the same."""
    return onnxruntime.InferenceSession(model, options(threads), providers=PROVIDERS)


def symbolic(name: str, array: Array) -> tuple[str, ...]:
    """A shape of unknown sizes, so that nothing is checked before the run."""
    return tuple(f"{name}_{i}" for i in range(np.ndim(array)))


def hand_made(
    op: str, attributes: dict[str, Any], x_shape: Any = ("N",), slope_shape: Any = ("S",)
) -> bytes:
    """A float32 model whose node has whatever attributes are given."""
    names = ["x", "slope"][: len(spec_of(op).inputs)]
    node = helper.make_node(op, names, ["y"], name="act7", domain="onnx_acts")
    node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
    graph = helper.make_graph(
        [node],
        "hand_made",
        [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
            for name, shape in zip(names, [x_shape, slope_shape], strict=False)
        ],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("onnx_acts", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def open_hand_made(model: bytes) -> onnxruntime.InferenceSession:
    """A session on a `hand_made` model."""
    return onnxruntime.InferenceSession(model, options(), providers=PROVIDERS)
