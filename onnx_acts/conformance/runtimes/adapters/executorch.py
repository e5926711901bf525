"""PyTorch's ExecuTorch with the XNNPACK backend: a module exported and lowered."""

from __future__ import annotations

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.extension.pybindings.portable_lib import _load_for_executorch_from_buffer

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = TorchCall(standard_call(operator, arrays, attributes))
    exported = torch.export.export(call, call.tensors, strict=True)
    lowered = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    program = _load_for_executorch_from_buffer(lowered.to_executorch().buffer)
    return call.array(program.forward(call.tensors)[0])
