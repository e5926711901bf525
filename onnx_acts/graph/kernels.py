"""What ONNX Runtime's CPU provider can run of the standard operators."""

from __future__ import annotations

from onnx_acts.definition.specs import Spec

__all__ = ["has_standard_kernel"]

_WITH_FLOAT64 = frozenset({"Relu"})


def has_standard_kernel(spec: Spec, dtype: str | None) -> bool:
    """Tells whether the standard operator of `spec` runs on the CPU for an element type.

    float16 runs through float32. float64 `LeakyRelu`, `PRelu` and `Elu` have no kernel; in some
    opsets (16 to 21) ONNX Runtime falls back on the function in the standard, which is not counted
    on. bfloat16 has none. An unknown type (None) has none, nor has an operator of ours alone.
    """
    if not spec.standard:
        return False
    if dtype == "float64":
        return spec.standard in _WITH_FLOAT64
    return dtype in ("float16", "float32")
