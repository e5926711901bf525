"""Times on CUDA: our nodes, ONNX Runtime's own, PyTorch eager and compiled, and a copy.

    python tests/gpu/bench_cuda.py REPORT

All compute from the same device tensor. Peers take turns; a time is the median over the turns, each
of which waits for the device at its end. Ours is compared with PyTorch eager first.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

import onnx_acts
from onnx_acts.conformance.case import Case, numpy_type, onnx_type
from onnx_acts.conformance.models import acts_model, standard_model
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec
from onnx_acts.ort.environment import environment
from onnx_acts.ort.sessions import CUDA

SIZES = {"large": (64, 1024, 32, 32), "64K": (1, 64, 32, 32)}
"""256 MB of float32 (x 2 for the other types, see `shape_of`); and what is bound by its launch."""

TURNS = 30
DEVICE = "cuda"
TORCH_TYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}
Call = Callable[[], object]


def provider() -> Any:
    """ONNX Runtime's provider, on PyTorch's stream."""
    return (CUDA, {"user_compute_stream": str(torch.cuda.current_stream().cuda_stream)})


def synchronize() -> None:
    """Waits for the device."""
    torch.cuda.synchronize()


def shape_of(size: str, dtype: str) -> tuple[int, ...]:
    """A shape whose tensor has 256 MB at least, or 65,536 elements."""
    shape = SIZES[size]
    double = size == "large" and TORCH_TYPES[dtype].itemsize == 2
    return (2 * shape[0], *shape[1:]) if double else shape


def make_case(spec: Spec, dtype: str) -> Case:
    """The operator with small inputs of the right ranks: only its model is used."""
    kind = numpy_type(dtype)
    x, slope = np.ones((1, 1, 1, 1), kind), np.ones((1, 1, 1), kind)
    return Case(spec.name, dtype, [x, *(slope for _ in spec.inputs[1:])])


def session_call(model: Any, tensors: list[torch.Tensor], y: torch.Tensor, dtype: str) -> Call:
    """A session on PyTorch's own memory and stream; it returns before the device is done."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnx_acts.session(model, providers=[provider()], session_options=options)
    binding = session.io_binding()
    kind = onnx_type(dtype)
    for item, tensor in zip(session.get_inputs(), tensors, strict=True):
        binding.bind_input(item.name, DEVICE, 0, kind, tuple(tensor.shape), tensor.data_ptr())
    (result,) = session.get_outputs()
    binding.bind_output(result.name, DEVICE, 0, kind, tuple(y.shape), y.data_ptr())
    quiet = onnxruntime.RunOptions()
    quiet.add_run_config_entry("disable_synchronize_execution_providers", "1")

    def call(_memory: object = (tensors, y)) -> None:  # the binding has only its addresses
        session.run_with_iobinding(binding, quiet)

    return call


def torch_call(spec: Spec, case: Case, tensors: list[torch.Tensor], compiled: bool) -> Call:
    """The function in `torch.nn.functional`; PyTorch's slope has one dimension."""
    function = getattr(torch.nn.functional, spec.torch)
    if compiled:
        torch.compiler.reset()
        function = torch.compile(function, dynamic=False)
    inputs = [tensors[0], *(tensor.reshape(-1) for tensor in tensors[1:])]
    return torch.no_grad()(functools.partial(function, *inputs, *case.real_values))


def peers(spec: Spec, dtype: str, size: str) -> tuple[dict[str, Call], dict[str, str]]:
    """What is measured, and why the others are not."""
    shape, kind = shape_of(size, dtype), TORCH_TYPES[dtype]
    case = make_case(spec, dtype)
    x = torch.randn(shape, device=DEVICE, dtype=torch.float32).to(kind)
    y = torch.empty_like(x)
    slope = torch.linspace(0.05, 0.45, shape[1], device=DEVICE).to(kind).reshape(-1, 1, 1)
    tensors = [x, *(slope for _ in spec.inputs[1:])]
    makers: dict[str, Callable[[], Call]] = {
        "copy": lambda: lambda: y.copy_(x),
        "library": lambda: session_call(acts_model(case), tensors, y, dtype),
        "standard": lambda: session_call(standard_model(case), tensors, torch.empty_like(x), dtype),
        "relu": lambda: session_call(
            standard_model(make_case(SPECS[0], dtype)), [x], torch.empty_like(x), dtype
        ),
        "pytorch": lambda: torch_call(spec, case, tensors, compiled=False),
        "compiled": lambda: torch_call(spec, case, tensors, compiled=True),
    }
    ready, absent = {}, {}
    for name, make in makers.items():
        try:
            ready[name] = make()
            ready[name]()
            synchronize()
        except Exception as error:  # a peer that has no kernel is no failure of ours
            ready.pop(name, None)
            absent[name] = str(error).strip().partition("\n")[0][:300]
    check(ready, y)
    return ready, absent


def check(ready: dict[str, Call], y: torch.Tensor) -> None:
    """Requires ours to compute what PyTorch does.

    Raises:
        RuntimeError: it does not, or one of them did not run.
    """
    if "library" not in ready:
        raise RuntimeError("our node did not run")
    if "pytorch" not in ready:
        raise RuntimeError("PyTorch, which ours is compared with, did not run")
    y.fill_(math.nan)
    synchronize()
    ready["library"]()
    synchronize()
    wanted = ready["pytorch"]()
    assert isinstance(wanted, torch.Tensor)
    eps = torch.finfo(y.dtype).eps
    if not torch.allclose(y.double(), wanted.double(), rtol=4 * eps, atol=4 * eps):
        raise RuntimeError("our node computes something else than PyTorch")


def take_turns(ready: dict[str, Call], calls: int) -> dict[str, float]:
    """Median seconds of one call, by peer."""
    times: dict[str, list[float]] = {name: [] for name in ready}
    shuffle = random.Random(11).shuffle
    for turn in range(TURNS + 3):
        order = list(ready)
        shuffle(order)
        for name in order:
            synchronize()
            start = time.perf_counter()
            for _ in range(calls):
                ready[name]()
            synchronize()
            if turn >= 3:
                times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(found) for name, found in times.items()}


def run() -> Iterator[dict[str, Any]]:
    """Every operator, element type and size, one after another."""
    for spec in SPECS:
        for dtype in ELEMENT_TYPES:
            for size in SIZES:
                ready, absent = peers(spec, dtype, size)
                times = take_turns(ready, 20 if size == "large" else 200)
                row = {"operator": spec.name, "dtype": dtype, "size": size}
                figures = ", ".join(f"{name} {1e6 * t:.1f}" for name, t in times.items())
                print(f"{spec.name} {dtype} {size}: {figures} us", flush=True)
                del ready
                torch.cuda.empty_cache()
                yield {**row, "seconds": times, "absent": absent}


def main() -> None:
    """Measures and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path)
    target = parser.parse_args().report
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # CUDA's libraries, from PyTorch's packages
    rows: list[dict[str, Any]] = []
    content = {
        "environment": environment(),
        "device": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "rows": rows,
    }
    for row in run():  # a machine may be gone before the end: what is measured is kept
        rows.append(row)
        target.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
