"""How accurate other projects' runtimes are where they do nothing worse: measured, rounded up."""

from __future__ import annotations

from onnx_acts.definition.specs import Difference

__all__ = ["FOREIGN_ACCURACY"]

_PYTORCH_COMPILED = "torch 2.13.0, 2026-11-26"
_JAX = "jax 0.10.2, 2026-11-26"
_OPENVINO = "openvino 2026.4.0, 2026-11-26"
_LITERT = "ai-edge-litert 2.3.0, 2026-11-26"
_EXECUTORCH = "executorch 1.5.1, 2026-11-26"
_TVM = "apache-tvm 0.27.0.post1, 2026-11-26"


def _of(runtime: str, seen: str, operator: str, **ulps: float) -> tuple[Difference, ...]:
    """A record for each element type."""
    reason = "its own accuracy"
    return tuple(
        Difference(runtime, reason, seen, (operator,), (dtype,), ulp=ulp)
        for dtype, ulp in ulps.items()
    )


FOREIGN_ACCURACY: tuple[Difference, ...] = (
    *_of("pytorch-compiled", _PYTORCH_COMPILED, "LeakyReLU", float16=0.51, bfloat16=0.51),
    *_of("pytorch-compiled", _PYTORCH_COMPILED, "RReLU", float16=0.51, bfloat16=0.51),
    *_of("pytorch-compiled", _PYTORCH_COMPILED, "ELU", float16=0.73),
    *_of("jax", _JAX, "ELU", float16=2.0, bfloat16=2.2, float32=5.8, float64=4.5),
    *_of("openvino", _OPENVINO, "LeakyReLU", bfloat16=1.5),
    *_of("openvino", _OPENVINO, "RReLU", bfloat16=2.0),
    *_of("openvino", _OPENVINO, "ELU", float16=0.76),
    *_of("litert", _LITERT, "ELU", float16=1.3),
    *_of("executorch", _EXECUTORCH, "ELU", float16=0.51, bfloat16=0.51, float32=1.5, float64=1.5),
    *_of("tvm", _TVM, "LeakyReLU", bfloat16=0.51),
    *_of("tvm", _TVM, "RReLU", bfloat16=0.51),
)
