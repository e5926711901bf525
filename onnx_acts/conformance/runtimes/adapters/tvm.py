"""Apache TVM: an ONNX file through its frontend, compiled for this machine."""

from __future__ import annotations

import numpy as np
import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, onnx_bytes

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    module = from_onnx(onnx.load_from_string(onnx_bytes(operator, arrays, attributes)))
    machine = relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
    inputs = (tvm.runtime.tensor(np.array(array, order="C")) for array in arrays)
    result: Array = machine["main"](*inputs).numpy()
    return result
