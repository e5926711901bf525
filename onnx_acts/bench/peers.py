"""Who is measured: a copy, our kernels, and what people use instead.

A peer is a record; another runtime is one more record. `prepare` does all that happens once
(models, sessions, binding), and gives a call that computes y from x.

All peers read the same x. ONNX Runtime's peers, OpenVINO and the copies write to the same y, so
that nobody pays for fresh pages. PyTorch's functions allocate their result;
`timing.keep_freed_memory` makes the C library hand out the same warm pages again.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray

from onnx_acts.bench import prepared, variants
from onnx_acts.bench.prepared import Prepared, UnsupportedError
from onnx_acts.bench.variants import Variant
from onnx_acts.bench.workload import Workload
from onnx_acts.conformance import runtime_of
from onnx_acts.conformance.case import onnx_type
from onnx_acts.conformance.models import acts_model, standard_model
from onnx_acts.conformance.runtimes import to_torch, torch_parameter

__all__ = [
    "BODIES",
    "COLUMN",
    "COPIES",
    "EXTENDED",
    "ORT_RELU",
    "OURS",
    "PEERS",
    "PROVIDED",
    "Peer",
]

Array = NDArray[Any]

OURS = "library"
"""The peer that the others are compared with."""

PROVIDED = "provider"
"""The same kernels, under standard nodes of an unchanged model."""

EXTENDED = "extended"
"""Our own kernels, with one level of ONNX Runtime's optimisations less: networks only."""

COPIES = ("copy", "parallel copy")
"""The peers that move the same bytes; the faster one is the yardstick."""

_LARGEST_CONSTANT = 2**20
"""Bytes of slopes that are part of the model."""

BODIES, COLUMN = "bodies", "bodies-column"
"""Function bodies in ONNX Runtime, and the same for x of a shape that ends in 1."""

ORT_RELU = "ort-relu"
"""ONNX Runtime's cheapest activation, beside chains of the leaky family."""


@dataclasses.dataclass(frozen=True)
class Peer:
    """One competitor, or one variant of our own work.

    Attributes:
        name: its name on the command line.
        title: what it is, for people.
        prepare: makes it ready for a workload, or raises `UnsupportedError`.
        variant: what it computes in place of the row's workload; it is left out of rows in which
            this is None.
        on_request: measured only where it is named: getting it ready takes long.
    """

    name: str
    title: str
    prepare: Callable[[Workload], Prepared]
    variant: Variant | None = None
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
    runtime, case = runtime_of(name), workload.case
    reason = runtime.unavailable() or runtime.unsupported(case)
    if reason:
        raise UnsupportedError(reason)
    ours = name == PROVIDED
    model = standard_model(case, fixed=ours) if ours or name == "standard" else acts_model(case)
    _chain(model, workload.nodes)
    inputs = _inputs_left(model, workload)
    return prepared.onnxruntime_runner(
        model,
        inputs,
        workload.y,
        workload.threads,
        accelerated=name == OURS,
        claim="all" if ours else "",
    )


def _pytorch(workload: Workload, compiled: bool = False) -> Prepared:
    """The function in `torch.nn.functional`, as it is or compiled for this workload."""
    _refuse_chains(workload)
    runtime, case = runtime_of("pytorch"), workload.case
    reason = runtime.unavailable() or runtime.unsupported(case)
    if reason:
        raise UnsupportedError(reason)
    import torch

    function = getattr(torch.nn.functional, case.spec.torch)
    slopes = (torch_parameter(case.inputs[0], array) for array in case.inputs[1:])
    tensors = [_shared(workload.x), *(to_torch(slope) for slope in slopes if slope is not None)]
    if compiled:
        torch.compiler.reset()  # else PyTorch stops compiling a function after a few shapes
        function = torch.compile(function, dynamic=False)
    return prepared.torch_runner(function, [*tensors, *case.real_values], workload.threads)


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
    model = standard_model(workload.case)
    _chain(model, workload.nodes)
    inputs = _inputs_left(model, workload)
    return prepared.openvino_runner(model, inputs, workload.y, workload.threads)


def _refuse_chains(workload: Workload) -> None:
    if workload.nodes > 1:
        raise UnsupportedError("a chain is one graph, and this peer has none")


def _inputs_left(model: onnx.ModelProto, workload: Workload) -> list[Array]:
    """Makes slopes part of the model, as training does, unless they are huge; what is fed then."""
    graph, (x, *slopes) = model.graph, workload.case.inputs
    if sum(slope.nbytes for slope in slopes) > _LARGEST_CONSTANT:
        return [x, *slopes]
    for item, slope in zip(graph.input[1:], slopes, strict=True):
        kind, data = onnx_type(slope.dtype.name), np.ascontiguousarray(slope).tobytes()
        graph.initializer.append(
            onnx.helper.make_tensor(item.name, kind, slope.shape, data, raw=True)
        )
    del graph.input[1:]
    return [x]


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


_library, _provider, _standard, _bodies = (
    functools.partial(_onnxruntime, name) for name in (OURS, PROVIDED, "standard", BODIES)
)

PEERS: Sequence[Peer] = (
    Peer("copy", "a copy of the same bytes, one thread", _copy),
    Peer(
        "parallel copy", "a copy of the same bytes, as many threads as the others", _parallel_copy
    ),
    Peer(OURS, "ONNX Runtime, native library", _library),
    Peer(PROVIDED, "ONNX Runtime, standard node on our execution provider", _provider),
    Peer("standard", "ONNX Runtime, standard node", _standard),
    Peer(BODIES, "ONNX Runtime, function body", _bodies),
    Peer("pytorch", "PyTorch eager", _pytorch),
    Peer("compiled", "PyTorch, torch.compile", _compiled, on_request=True),
    Peer("openvino", "OpenVINO, standard node", _openvino),
    Peer(ORT_RELU, "ONNX Runtime's own Relu node", _standard, variants.as_relu),
    *(
        Peer(name, f"native library, PReLU with another slope ({name})", _library, variant)
        for name, variant in variants.SLOPES.items()
    ),
    Peer("selu-alpha", "native library, ELU with SELU's alpha", _library, variants.with_selu_alpha),
    Peer(COLUMN, "function body, x of shape (N, C, H * W, 1)", _bodies, variants.as_column),
    Peer("training", "native library, RReLU in training", _library, variants.with_random_slopes),
    Peer(
        EXTENDED,
        "native library, networks only: ORT_ENABLE_EXTENDED, no other memory layout",
        _library,
        variants.of_networks,
    ),
)
"""Every peer, in the order of the report's columns."""
