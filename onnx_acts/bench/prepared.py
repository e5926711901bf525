"""ONNX Runtime, OpenVINO and PyTorch, ready to run one model on given arrays again and again.

Equal conditions: the runtimes read the same arrays, and all but PyTorch write to the same y. Worker
threads of one must not run in another's turn, so each runner says for how long its workers go on.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from onnx_acts.conformance.case import onnx_type
from onnx_acts.files.saving import serialised
from onnx_acts.ort import sessions
from onnx_acts.ort.provider import add_provider

__all__ = ["Prepared", "UnsupportedError", "onnxruntime_runner", "openvino_runner", "torch_runner"]

Array = NDArray[Any]
Source = Path | onnx.ModelProto

_SPINNING = "session.intra_op.spin_duration_us"
_SPINNING_MICROSECONDS = "1000"
"""ONNX Runtime's worker threads look for work for so long before they sleep. Its default of about
50 ms would run on in the turns of the other peers."""

_REST = {"onnxruntime": 4e-3, "openvino": 4e-3, "torch": 14e-3}
"""Seconds until the worker threads of each sleep, measured; more than one thread only."""


class UnsupportedError(Exception):
    """A peer cannot compute a workload; the message says why."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A peer that is ready.

    Attributes:
        call: computes once.
        output: returns what the last call computed.
        rest: seconds after a call until its worker threads rest.
    """

    call: Callable[[], object]
    output: Callable[[], Array]
    rest: float = 0.0


def onnxruntime_runner(
    model: Path | onnx.ModelProto,
    inputs: Sequence[Array],
    y: Array,
    threads: int,
    *,
    accelerated: bool,
    claim: str = "",
    changes_layout: bool = True,
) -> Prepared:
    """A session of ONNX Runtime with inputs and output bound to their arrays.

    Args:
        model: a file or a model.
        inputs: one array for each of its inputs.
        y: where the output goes.
        threads: how many the session has.
        accelerated: whether `onnx_acts` nodes run on the native library.
        claim: what our execution provider claims, "default" or "all"; "" leaves it out.
        changes_layout: whether ONNX Runtime may compute convolutions in blocks of channels.
    """
    options = onnxruntime.SessionOptions()
    if not changes_layout:
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_ENABLE_EXTENDED
    options.intra_op_num_threads = threads
    options.add_session_config_entry(_SPINNING, _SPINNING_MICROSECONDS)
    if claim:
        add_provider(options, {"claim": claim})
        session = sessions.open_session(model, options)
    else:
        session = sessions.session(model, session_options=options, accelerated=accelerated)
    binding = session.io_binding()
    for item, array in zip(session.get_inputs(), inputs, strict=True):
        binding.bind_input(item.name, "cpu", 0, _kind(array), array.shape, array.ctypes.data)
    (result,) = session.get_outputs()
    binding.bind_output(result.name, "cpu", 0, _kind(y), y.shape, y.ctypes.data)
    rest = _rest("onnxruntime", threads)
    return Prepared(lambda: session.run_with_iobinding(binding), lambda: y, rest)


def openvino_runner(model: Source, inputs: Sequence[Array], y: Array, threads: int) -> Prepared:
    """A request of OpenVINO with inputs and output bound, in the precision of their type.

    Raises:
        UnsupportedError: OpenVINO is not installed, or it cannot do this.
    """
    if not importlib.util.find_spec("openvino"):
        raise UnsupportedError("OpenVINO is not installed")
    if y.dtype == np.float64:
        raise UnsupportedError("OpenVINO computes float64 in float32")
    openvino = importlib.import_module("openvino")
    hint = {"float16": "f16", "bfloat16": "bf16", "float32": "f32"}[y.dtype.name]
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": hint}
    source = model if isinstance(model, Path) else serialised(model)
    try:
        read = openvino.Core().read_model(source)
        read.reshape({i: list(array.shape) for i, array in enumerate(inputs)})
        request = openvino.compile_model(read, "CPU", options).create_infer_request()
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise UnsupportedError(f"OpenVINO cannot compile it: {reason}") from error

    def tensor(array: Array) -> Any:
        if array.dtype == ml_dtypes.bfloat16:
            return openvino.Tensor(array.view(np.uint16), array.shape, openvino.Type.bf16)
        return openvino.Tensor(array, shared_memory=True)

    for number, array in enumerate(inputs):
        request.set_input_tensor(number, tensor(array))
    request.set_output_tensor(0, tensor(y))
    rest = _rest("openvino", threads)
    return Prepared(lambda: request.infer(share_outputs=True), lambda: y, rest)


def torch_runner(function: Callable[..., Any], inputs: Sequence[Any], threads: int) -> Prepared:
    """A PyTorch function or module on tensors, without gradients; it allocates its result."""
    import torch

    torch.set_num_threads(threads)

    def call() -> Any:
        with torch.no_grad():
            return function(*inputs)

    return Prepared(call, lambda: _from_torch(call()), _rest("torch", threads))


def _kind(array: Array) -> Any:
    """The element type as ONNX Runtime takes it; only newer ones take bfloat16, by number."""
    return onnx_type("bfloat16") if array.dtype == ml_dtypes.bfloat16 else array.dtype.type


def _rest(name: str, threads: int) -> float:
    return _REST[name] if threads > 1 else 0.0


def _from_torch(tensor: Any) -> Array:
    import torch

    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16))
    return np.asarray(tensor.numpy())
