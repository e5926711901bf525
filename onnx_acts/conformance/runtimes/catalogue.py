"""The runtimes of other projects that there is an adapter for."""

from __future__ import annotations

from onnx_acts.conformance.runtimes.foreign import Foreign

__all__ = ["FOREIGN"]

_EXTRA = "pip install 'onnx-acts[runtimes]'"

FOREIGN = (
    Foreign("pytorch-compiled", "PyTorch, compiled", "torch", ["torch"], "pip install torch"),
    Foreign("jax", "JAX", "jax", ["jax"], _EXTRA),
    Foreign(
        "openvino",
        "OpenVINO on the CPU",
        "openvino",
        ["openvino"],
        _EXTRA,
        [r"Check '[^']*' failed at src/frontends/\S+"],
    ),
    Foreign(
        "litert",
        "LiteRT with XNNPACK",
        "ai-edge-litert",
        ["ai_edge_litert", "flatbuffers"],
        _EXTRA,
        [r"Only .* (is|are) supported currently, got \w+"],
    ),
    Foreign(
        "executorch",
        "ExecuTorch with XNNPACK",
        "executorch",
        ["executorch", "torchao"],
        _EXTRA,
        [r"\S+ in strides is not supported for ExecuTorch"],
    ),
    Foreign(
        "tensorflow",
        "TensorFlow, eager",
        "tensorflow-cpu",
        ["tensorflow"],
        "pip install tensorflow-cpu",
    ),
    Foreign(
        "keras",
        "Keras on TensorFlow",
        "keras",
        ["keras", "tensorflow"],
        "pip install keras tensorflow-cpu",
        [r"Broadcast between \S+ and \S+ is not supported yet"],
    ),
    Foreign(
        "paddle",
        "Paddle on the CPU",
        "paddlepaddle",
        ["paddle"],
        "pip install paddlepaddle",
        [
            "The kernel with key .* is not registered",
            r"tensor\.set\(\) supports array with [\w, ]+",
            r"Unimplemented error\. Invalid dimension to be accessed",
            "size of weight Alpha must be one. But received alpha's size: 0",
        ],
    ),
    Foreign(
        "tract",
        "Sonos tract",
        "tract",
        ["tract"],
        "pip install tract",
        [r"translating to fact: Tensor \{ elem_type: \w+", r"\w+ does not support B?F\d+"],
    ),
    Foreign("ncnn", "Tencent ncnn", "ncnn", ["ncnn"], "pip install ncnn"),
    Foreign("mnn", "Alibaba MNN, expressions", "MNN", ["MNN"], "pip install MNN"),
    Foreign(
        "tvm",
        "Apache TVM, LLVM",
        "apache-tvm",
        ["tvm"],
        "pip install apache-tvm",
        [
            "Binary operators must have the same datatype for both operands",
            "Prelu requires the input tensor to have float dtype",
            "Literal value .* exceeds (maximum|minimum) of float16",
            "Expect value to be constant int",
            r'name="relax\.nn\.prelu"',
        ],
    ),
    Foreign("tinygrad", "tinygrad on the CPU", "tinygrad", ["tinygrad"], "pip install tinygrad"),
)
"""In the order of the report's columns. A name is that of its module in `adapters/`."""
