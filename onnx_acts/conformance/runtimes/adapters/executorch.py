"""PyTorch's ExecuTorch with the XNNPACK backend: a module exported and lowered."""

from __future__ import annotations

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall

__all__ = ["run"]

_RANK = 6
"""XNNPACK takes no more dimensions; what is wrong it does not say."""


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = TorchCall(standard_call(operator, arrays, attributes))
    exported = torch.export.export(call, call.tensors, strict=True)
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    buffer = lowered.to_executorch().buffer
    program = _load_for_executorch_from_buffer(buffer)
    try:
        (y,) = program.forward(call.tensors)
    except RuntimeError as error:
        if call.tensors[0].ndim > _RANK:
            raise NotImplementedError(f"at most {_RANK} dimensions: {error}") from error
        raise
    return call.array(y.clone())  # it lies in the program's memory
