"""Who is measured: a copy, our kernels, and what people use instead.

A peer is a record; another runtime, or a compiled network, is one more record. `prepare` does all
that happens once (models, sessions, binding), and gives a call that computes y from x.

Equal conditions: all peers read the same x. ONNX Runtime's peers and the copies write to the same y
through IO binding, so that nobody pays for fresh pages. PyTorch's functions allocate their result;
`measure.keep_freed_memory` makes the C library hand out the same warm pages again.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import importlib
import importlib.util
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from onnx_acts import runtime as acts_runtime
from onnx_acts.bench.workload import Workload
from onnx_acts.conformance import runtime_of
from onnx_acts.conformance.case import acts_model, onnx_type, standard_model
from onnx_acts.conformance.runtimes import to_torch, torch_parameter

__all__ = ["COPIES", "OURS", "PEERS", "Peer", "Prepared", "UnsupportedError"]

Array = NDArray[Any]

OURS = "library"
"""The peer that the others are compared with."""

COPIES = ("copy", "parallel copy")
"""The peers that move the same bytes; the faster one is the yardstick."""


class UnsupportedError(Exception):
    """A peer cannot compute a workload; the message says why."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A peer that is ready.

    Attributes:
        call: computes once.
        output: returns what the last call computed.
    """

    call: Callable[[], object]
    output: Callable[[], Array]


@dataclasses.dataclass(frozen=True)
class Peer:
    """One competitor.

    Attributes:
        name: its name on the command line.
        title: what it is, for people.
        prepare: makes it ready for a workload, or raises `UnsupportedError`.
        on_request: measured only where it is named: getting it ready takes long.
    """

    name: str
    title: str
    prepare: Callable[[Workload], Prepared]
    on_request: bool = False


def _copy(workload: Workload) -> Prepared:
    """The C library's memory copy, by one thread."""
    _refuse_chains(workload)
    source, target = _bytes(workload.x), _bytes(workload.y)
    return Prepared(lambda: np.copyto(target, source), lambda: workload.y)


def _parallel_copy(workload: Workload) -> Prepared:
    """The same, each thread an equal part; the caller's thread is one of them."""
    _refuse_chains(workload)
    if workload.threads == 1:
        raise UnsupportedError("one thread")
    sources = np.array_split(_bytes(workload.x), workload.threads)
    targets = np.array_split(_bytes(workload.y), workload.threads)
    pool = concurrent.futures.ThreadPoolExecutor(workload.threads - 1)

    def call() -> None:
        parts = list(zip(targets, sources, strict=True))
        waiting = [pool.submit(np.copyto, *part) for part in parts[1:]]
        np.copyto(*parts[0])
        concurrent.futures.wait(waiting)

    return Prepared(call, lambda: workload.y)


def _onnxruntime(name: str, workload: Workload) -> Prepared:
    """A session of ONNX Runtime with x, the slopes and y bound to their buffers."""
    runtime = runtime_of(name)
    reason = runtime.unavailable() or runtime.unsupported(workload.case)
    if reason:
        raise UnsupportedError(reason)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = workload.threads
    model = (standard_model if name == "standard" else acts_model)(workload.case)
    _chain(model, workload.nodes)
    session = acts_runtime.session(model, session_options=options, accelerated=name == OURS)
    binding = session.io_binding()
    dtype = workload.case.dtype  # ONNX Runtime 1.17 takes NumPy's types, which have no bfloat16
    kind = onnx_type(dtype) if dtype == "bfloat16" else workload.x.dtype.type
    for item, array in zip(session.get_inputs(), workload.case.inputs, strict=True):
        binding.bind_input(item.name, "cpu", 0, kind, array.shape, array.ctypes.data)
    (result,) = session.get_outputs()
    y = workload.y
    binding.bind_output(result.name, "cpu", 0, kind, y.shape, y.ctypes.data)
    return Prepared(lambda: session.run_with_iobinding(binding), lambda: y)


def _pytorch(workload: Workload, compiled: bool = False) -> Prepared:
    """The function in `torch.nn.functional`, as it is or compiled for this workload."""
    _refuse_chains(workload)
    runtime, case = runtime_of("pytorch"), workload.case
    reason = runtime.unavailable() or runtime.unsupported(case)
    if reason:
        raise UnsupportedError(reason)
    import torch

    torch.set_num_threads(workload.threads)
    function = getattr(torch.nn.functional, case.spec.torch)
    slopes = (torch_parameter(case.inputs[0], array) for array in case.inputs[1:])
    tensors = [_shared(workload.x), *(to_torch(slope) for slope in slopes if slope is not None)]
    if compiled:
        torch.compiler.reset()  # else PyTorch stops compiling a function after a few shapes
        function = torch.compile(function, dynamic=False)
    call = torch.no_grad()(functools.partial(function, *tensors, *case.real_values))
    return Prepared(call, lambda: _from_torch(call()))


def _compiled(workload: Workload) -> Prepared:
    """The same through `torch.compile`, which needs a C++ compiler."""
    prepared = _pytorch(workload, compiled=True)
    try:
        prepared.call()
    except Exception as error:  # PyTorch's compilers have no common public exception
        reason = str(error).strip().partition("\n")[0]
        raise UnsupportedError(f"torch.compile failed: {reason}") from error
    return prepared


def _openvino(workload: Workload) -> Prepared:
    """OpenVINO on the standard node; what it makes of a chain is one kernel or a few."""
    if not importlib.util.find_spec("openvino"):
        raise UnsupportedError("OpenVINO is not installed")
    if workload.case.dtype != "float32":
        raise UnsupportedError("OpenVINO is measured in float32 only")
    openvino = importlib.import_module("openvino")
    model = standard_model(workload.case)
    _chain(model, workload.nodes)
    options = {"INFERENCE_NUM_THREADS": workload.threads, "INFERENCE_PRECISION_HINT": "f32"}
    read = openvino.Core().read_model(model.SerializeToString())
    read.reshape({i: list(array.shape) for i, array in enumerate(workload.case.inputs)})
    try:
        request = openvino.compile_model(read, "CPU", options).create_infer_request()
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise UnsupportedError(f"OpenVINO cannot compile it: {reason}") from error
    for number, array in enumerate(workload.case.inputs):
        request.set_input_tensor(number, openvino.Tensor(array, shared_memory=True))
    request.set_output_tensor(0, openvino.Tensor(workload.y, shared_memory=True))
    return Prepared(lambda: request.infer(share_outputs=True), lambda: workload.y)


def _refuse_chains(workload: Workload) -> None:
    if workload.nodes > 1:
        raise UnsupportedError("a chain is one graph, and this peer has none")


def _chain(model: onnx.ModelProto, count: int) -> None:
    """Repeats a model's one node, each on the result of the one before."""
    graph = model.graph
    (node,) = graph.node
    names = [node.input[0], *(f"link{i}" for i in range(1, count)), node.output[0]]
    del graph.node[:]
    for source, result in itertools.pairwise(names):
        link = graph.node.add()
        link.CopyFrom(node)
        link.input[0], link.output[0] = source, result


def _bytes(array: Array) -> NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


def _shared(array: Array) -> Any:
    """A tensor on an array's own memory."""
    import torch

    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _from_torch(tensor: Any) -> Array:
    import torch

    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16))
    return np.asarray(tensor.numpy())


PEERS: Sequence[Peer] = (
    Peer("copy", "a copy of the same bytes, one thread", _copy),
    Peer(
        "parallel copy", "a copy of the same bytes, as many threads as the others", _parallel_copy
    ),
    Peer(OURS, "ONNX Runtime, native library", functools.partial(_onnxruntime, OURS)),
    Peer(
        "standard",
        "ONNX Runtime, standard node",
        functools.partial(_onnxruntime, "standard"),
    ),
    Peer("bodies", "ONNX Runtime, function body", functools.partial(_onnxruntime, "bodies")),
    Peer("pytorch", "PyTorch eager", _pytorch),
    Peer("compiled", "PyTorch, torch.compile", _compiled, on_request=True),
    Peer("openvino", "OpenVINO, standard node", _openvino),
)
"""Every peer, in the order of the report's columns."""
