"""Apache TVM: an ONNX file through its frontend, compiled for this machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, onnx_bytes
from onnx_acts.conformance.runtimes.runtime import keep

__all__ = ["run"]

_SIZE = 2**31
"""Its PReLU repeats the slope for each place of dimension 1, of a tensor without elements too."""

_MACHINES: dict[bytes, Any] = {}
"""What was compiled, by its file."""


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    if len(arrays) > 1 and any(size >= _SIZE for size in arrays[0].shape):
        raise NotImplementedError("its PReLU takes gigabytes where a size has more than 31 bits")
    data = onnx_bytes(operator, arrays, attributes)
    if data not in _MACHINES:
        compiled = tvm.compile(from_onnx(onnx.load_from_string(data)), target="llvm")
        keep(_MACHINES, data, relax.VirtualMachine(compiled, tvm.cpu()))
    inputs = (tvm.runtime.tensor(np.array(array, order="C")) for array in arrays)
    result: Array = _MACHINES[data]["main"](*inputs).numpy()
    return result
