"""OpenVINO on the CPU, without its own choice of a narrower type."""

from __future__ import annotations

import numpy as np
import openvino

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, onnx_bytes

__all__ = ["run"]

_OPTIONS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 2}


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    model = openvino.Core().read_model(onnx_bytes(operator, arrays, attributes))
    request = openvino.compile_model(model, "CPU", _OPTIONS).create_infer_request()
    for place, array in enumerate(arrays):
        tensor = openvino.Tensor(model.inputs[place].element_type, list(array.shape))
        tensor.data[...] = array.view(tensor.data.dtype)
        request.set_input_tensor(place, tensor)
    request.infer()
    return np.array(request.get_output_tensor().data).view(arrays[0].dtype)
