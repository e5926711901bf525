"""A call as a PyTorch module, for what compiles such."""

from __future__ import annotations

import ml_dtypes
import torch

from onnx_acts.conformance.runtimes.adapters.call import Array, Call
from onnx_acts.conformance.runtimes.pytorch import to_torch

__all__ = ["TorchCall"]


class TorchCall(torch.nn.Module):
    """The function of `torch.nn.functional`; its `tensors` are the arguments."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._name, self._alpha, self._dtype = call.name, call.alpha, call.x.dtype
        slopes = () if call.slope is None else (to_torch(call.channels),)
        self.tensors = (to_torch(call.x), *slopes)

    @property
    def form(self) -> object:
        """What a program of it depends on: all but the numbers in the tensors."""
        layouts = [(x.dtype, tuple(x.shape), x.stride()) for x in self.tensors]
        return (self._name, repr(self._alpha), *layouts)

    def forward(self, x: torch.Tensor, *slopes: torch.Tensor) -> torch.Tensor:
        """Computes y."""
        functions = torch.nn.functional
        if self._name == "Relu":
            return functions.relu(x)
        if self._name == "PRelu":
            return functions.prelu(x, *slopes)
        named = {"Elu": functions.elu, "LeakyRelu": functions.leaky_relu}
        return named[self._name](x, self._alpha)

    def array(self, y: torch.Tensor) -> Array:
        """The result as an array of the call's type."""
        if self._dtype == ml_dtypes.bfloat16:
            return y.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        result: Array = y.numpy()
        return result
