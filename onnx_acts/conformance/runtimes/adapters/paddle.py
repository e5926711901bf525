"""Paddle on the CPU: `paddle.nn.functional`."""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as functions

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    x = paddle.to_tensor(call.x, place=paddle.CPUPlace())
    if call.name == "PRelu":
        return np.asarray(functions.prelu(x, paddle.to_tensor(call.channels)).numpy())
    if call.name == "Relu":
        return np.asarray(functions.relu(x).numpy())
    named = {"Elu": functions.elu, "LeakyRelu": functions.leaky_relu}
    return np.asarray(named[call.name](x, call.alpha).numpy())
