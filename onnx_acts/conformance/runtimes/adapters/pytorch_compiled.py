"""PyTorch's compiler, with sizes as symbols."""

from __future__ import annotations

import torch

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call
from onnx_acts.conformance.runtimes.adapters.torch_call import TorchCall

__all__ = ["run"]

_LIMIT = 1_000_000
"""Of forms of a call. Beyond its own limits, 8 and 256, PyTorch compiles nothing more and says so
in a log alone: what is judged then is eager."""

torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = _LIMIT
torch._dynamo.config.fail_on_recompile_limit_hit = True
torch.set_num_threads(2)


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = TorchCall(standard_call(operator, arrays, attributes))
    with torch.no_grad():
        return call.array(torch.compile(call, dynamic=True)(*call.tensors))
