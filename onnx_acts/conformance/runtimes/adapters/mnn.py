"""Alibaba's MNN: its expressions; no converter takes part."""

from __future__ import annotations

import MNN.expr
import numpy as np

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    call = standard_call(operator, arrays, attributes)
    if call.x.dtype != np.float32 or call.x.size == 0:
        raise NotImplementedError("its expressions are of float32, and not empty")
    x = MNN.expr.const(call.x, list(call.x.shape), MNN.expr.NCHW)
    if call.name == "PRelu":
        y = MNN.expr.prelu(MNN.expr.convert(x, MNN.expr.NC4HW4), call.channels.tolist())
        y = MNN.expr.convert(y, MNN.expr.NCHW)
    else:
        y = MNN.expr.elu(x, call.alpha) if call.name == "Elu" else MNN.expr.relu(x, call.alpha)
    return np.array(y.read())
