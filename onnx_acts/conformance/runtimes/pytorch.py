"""PyTorch, eager."""

from __future__ import annotations

import importlib.util
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case

__all__ = ["PyTorch", "to_torch", "torch_parameter"]

Array = NDArray[Any]


class PyTorch:
    """The function in `torch.nn.functional`, eager, on the CPU; random draws with their noise."""

    name, title, package, promise = "pytorch", "PyTorch eager", "torch", "measured"
    own_draws = True

    def unavailable(self) -> str:
        """Why it cannot be used here at all, or an empty string."""
        return "" if importlib.util.find_spec("torch") else "PyTorch is not installed"

    def unsupported(self, case: Case) -> str:
        """Why it has no answer to this case, or an empty string."""
        if not case.spec.torch:
            return "PyTorch has no such function"
        if case.training and case.dtype == "float16":
            return "PyTorch draws no float16 on the CPU"
        if case.outputs > 1 and not case.training:
            return "PyTorch returns one output"
        if any(torch_parameter(case.inputs[0], extra) is None for extra in case.inputs[1:]):
            return "PyTorch takes one slope, or one for each channel of dimension 1"
        return ""

    def run(self, case: Case) -> list[Array]:
        """Computes the outputs that the case asks for."""
        import torch

        if case.training:
            return _drawn(case)
        function = getattr(torch.nn.functional, case.spec.torch)
        extra = (torch_parameter(case.inputs[0], array) for array in case.inputs[1:])
        tensors = [to_torch(array) for array in (case.inputs[0], *extra) if array is not None]
        with torch.no_grad():
            result = function(*tensors, *case.real_values)
        return [_from_torch(result)]


def _drawn(case: Case) -> list[Array]:
    """Y and the noise of a case in training."""
    import torch

    (seed,) = (case.values[item.name] for item in case.spec.attributes if item.kind == "seed")
    generator = torch.Generator()
    generator.manual_seed(int(seed))
    x = to_torch(case.inputs[0])
    noise = torch.empty_like(x)
    y = torch.ops.aten.rrelu_with_noise(x, noise, *case.real_values, True, generator)
    return [_from_torch(y), _from_torch(noise)][: case.outputs]


def _from_torch(tensor: Any) -> Array:
    """The tensor as an array."""
    import torch

    if tensor.dtype == torch.bfloat16:
        return np.asarray(tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16))
    return np.asarray(tensor.numpy())


def torch_parameter(x: Array, slope: Array) -> Array | None:
    """Returns a slope in PyTorch's shape: one value, or those of dimension 1; else None."""
    if slope.size == 1:
        return slope.reshape(1)
    aligned = (1,) * (x.ndim - slope.ndim) + slope.shape
    channels = x.ndim >= 2 and all(size == 1 for i, size in enumerate(aligned) if i != 1)
    return slope.reshape(-1) if channels else None


def to_torch(array: Array) -> Any:
    """Returns a copy of an array as a tensor."""
    import torch

    packed = np.array(array)  # PyTorch takes no read-only memory and no negative strides
    if packed.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(packed.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(packed)
