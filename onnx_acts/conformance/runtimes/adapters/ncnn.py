"""Tencent's ncnn: a network of one layer, in its own text format, float32 throughout."""

from __future__ import annotations

import tempfile

import ncnn
import numpy as np

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, standard_call

__all__ = ["run"]

_LIMIT = 3.4e38
"""A larger number, or NaN, makes its parser fail, and the process crash."""

_LAYERS = {"Relu": "ReLU", "LeakyRelu": "ReLU", "Elu": "ELU", "PRelu": "PReLU"}


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y; a matrix has a slope for each row."""
    call = standard_call(operator, arrays, attributes)
    slopes = np.zeros(1, np.float32) if call.slope is None else call.channels
    if call.x.dtype != np.float32 or not abs(call.alpha) < _LIMIT or call.x.size == 0:
        raise NotImplementedError("its networks have finite float32 numbers, and no empty tensors")
    rows = slopes.size * (call.x.shape[0] if slopes.size > 1 else 1)
    weights = np.tile(slopes, rows // slopes.size)
    net = ncnn.Net()
    net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_fp16_packed = False
    first = rows if call.name == "PRelu" else f"{np.float32(call.alpha):.9e}"
    net.load_param_mem(f"7767517\n2 2\nInput x 0 1 x\n{_LAYERS[call.name]} y 1 1 x y 0={first}\n")
    with tempfile.NamedTemporaryFile() as file:
        file.write(weights.tobytes())
        file.flush()
        net.load_model(file.name)
    matrix = ncnn.Mat(call.x.reshape(rows, -1) if rows > 1 else call.x.reshape(-1))
    extractor = net.create_extractor()
    # A copy in its own memory: of NumPy's it reads beyond the end.
    extractor.input("x", matrix.clone())
    return np.array(extractor.extract("y")[1]).reshape(call.x.shape)
