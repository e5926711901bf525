"""PyTorch's compiler, with sizes as symbols."""

from __future__ import annotations

import torch

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall

__all__ = ["run"]

torch._dynamo.config.cache_size_limit = 1_000_000
torch.set_num_threads(2)


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = TorchCall(standard_call(operator, arrays, attributes))
    with torch.no_grad():
        return call.array(torch.compile(call, dynamic=True)(*call.tensors))
