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
        ["src/frontends/common_translators"],
    ),
    Foreign(
        "litert",
        "LiteRT with XNNPACK",
        "ai-edge-litert",
        ["ai_edge_litert", "flatbuffers"],
        _EXTRA,
        ["are supported currently", "is supported currently"],
    ),
    Foreign(
        "executorch",
        "ExecuTorch with XNNPACK",
        "executorch",
        ["executorch", "torchao"],
        _EXTRA,
        ["is not supported for ExecuTorch", "Failed to execute method forward"],
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
    ),
    Foreign(
        "paddle",
        "Paddle on the CPU",
        "paddlepaddle",
        ["paddle"],
        "pip install paddlepaddle",
        ["support following DataTypes", r"tensor\.set\(\) supports array", "Unimplemented error"],
    ),
    Foreign(
        "tract",
        "Sonos tract",
        "tract",
        ["tract"],
        "pip install tract",
        ["translating to fact: Tensor", r"does not support B?F\d+"],
    ),
    Foreign("ncnn", "Tencent ncnn", "ncnn", ["ncnn"], "pip install ncnn"),
    Foreign("mnn", "Alibaba MNN, expressions", "MNN", ["MNN"], "pip install MNN"),
    Foreign(
        "tvm",
        "Apache TVM, LLVM",
        "apache-tvm",
        ["tvm"],
        "pip install apache-tvm",
        ["must have the same datatype", "Prelu requires the input tensor", r"relax\.nn\.prelu"],
    ),
    Foreign("tinygrad", "tinygrad on the CPU", "tinygrad", ["tinygrad"], "pip install tinygrad"),
)
"""In the order of the report's columns. A name is that of its module in `adapters/`."""
