"""PyTorch's ExecuTorch with the XNNPACK backend: a module exported and lowered."""

from __future__ import annotations

import functools
import gc
from typing import Any

import torch
import torch._export.utils
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall
from onnx_acts.conformance.runtimes.runtime import keep

__all__ = ["file_of", "run"]

_RANK = 6
"""XNNPACK takes no more dimensions; what is wrong it does not say."""

_PROGRAMS: dict[object, tuple[Any, bytes]] = {}
"""By what they depend on: one takes half a second to make, and a call no time at all. Each is
loaded, and has its file beside it, which it goes on reading."""


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = TorchCall(standard_call(operator, arrays, attributes))
    if call.form not in _PROGRAMS:
        file = file_of(call)
        keep(_PROGRAMS, call.form, (_load_for_executorch_from_buffer(file), file))
    program, _ = _PROGRAMS[call.form]
    try:
        (y,) = program.forward(call.tensors)
    except RuntimeError as error:
        if call.tensors[0].ndim > _RANK:
            raise NotImplementedError(f"at most {_RANK} dimensions: {error}") from error
        raise
    return call.array(y.clone())  # it lies in the program's memory


def file_of(call: TorchCall) -> bytes:
    """The ExecuTorch file of a call, with the sizes of its tensors."""
    exported = torch.export.export(call, call.tensors)
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    return bytes(lowered.to_executorch().buffer)


def _hasten() -> None:
    """Less than half the time for each program, which is the same to the byte.

    PyTorch looks through all of its operators several times for each, and Python's collector
    through the objects of both packages. Here neither changes any more.
    """
    utils: Any = torch._export.utils
    find = functools.cache(utils._collect_all_valid_cia_ops)
    for module in (torch.export.exported_program, torch.export.decomp_utils):
        vars(module)[find.__name__] = find
    gc.freeze()


_hasten()
