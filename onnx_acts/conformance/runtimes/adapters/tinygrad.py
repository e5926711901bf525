"""tinygrad: the methods of `Tensor`; a leaky ReLU takes a slope for each element."""

from __future__ import annotations

import os
import shutil

import numpy as np
import tinygrad

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]

_COMPILER = os.environ.get("CC", "clang")
if shutil.which(_COMPILER) is None:
    raise ImportError(f"it compiles with {_COMPILER}, which is not installed")


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    if call.x.dtype.name == "bfloat16":
        raise NotImplementedError("bfloat16 needs Clang 17 or newer, and was not tried")
    x = tinygrad.Tensor(call.x)
    if call.name == "Relu":
        return np.asarray(x.relu().numpy())
    if call.name == "Elu":
        return np.asarray(x.elu(call.alpha).numpy())
    return np.asarray(
        x.leaky_relu(call.alpha if call.slope is None else tinygrad.Tensor(call.slope)).numpy()
    )
