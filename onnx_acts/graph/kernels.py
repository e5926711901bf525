"""What ONNX Runtime's CPU provider can run of the standard operators."""

from __future__ import annotations

from onnx_acts.definition.specs import Spec

__all__ = ["has_standard_kernel"]


def has_standard_kernel(spec: Spec, dtype: str | None, opset: int) -> bool:
    """Tells whether the standard operator of `spec` runs on the CPU for an element type.

    float16 runs through float32. float64 `LeakyRelu`, `PRelu` and `Elu` have no kernel; in some
    opsets (16 to 21) ONNX Runtime falls back on the function in the standard, which is not counted
    on. bfloat16 has none. An unknown type (None) has none, nor has an operator of ours alone, nor a
    type that the operator does not take in this opset.
    """
    standard = spec.standard
    if standard is None or dtype is None or dtype not in standard.kernels:
        return False
    return dtype in standard.since and standard.since[dtype] <= opset
