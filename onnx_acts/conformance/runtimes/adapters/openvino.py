"""OpenVINO on the CPU, without its own choice of a narrower type."""

from __future__ import annotations

import numpy as np
import openvino

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, onnx_bytes

__all__ = ["run"]

_RANK = 12
"""Of more dimensions products of bfloat16 end its process or are wrong (openvino 2026.4.0)."""

_OPTIONS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    if len(arrays) > 1 and arrays[0].dtype.name == "bfloat16" and arrays[0].ndim > _RANK:
        raise NotImplementedError(f"at most {_RANK} dimensions of bfloat16 with a slope")
    model = openvino.Core().read_model(onnx_bytes(operator, arrays, attributes))
    request = openvino.compile_model(model, "CPU", _OPTIONS).create_infer_request()
    for place, array in enumerate(arrays):
        tensor = openvino.Tensor(model.inputs[place].element_type, list(array.shape))
        tensor.data[...] = array.view(tensor.data.dtype)
        request.set_input_tensor(place, tensor)
    request.infer()
    return np.array(request.get_output_tensor().data).view(arrays[0].dtype)
