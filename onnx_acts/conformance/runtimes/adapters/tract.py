"""Sonos' tract, on an ONNX file."""

from __future__ import annotations

import tempfile

import tract

from onnx_acts.conformance.runtimes.adapters.call import Array, Arrays, Attributes, onnx_bytes

__all__ = ["run"]


def run(operator: str, arrays: Arrays, attributes: Attributes) -> Array:
    """Computes y."""
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(onnx_bytes(operator, arrays, attributes))
        file.flush()
        model = tract.onnx().load(file.name).into_model().into_runnable()
    result: Array = model.run(list(arrays))[0].to_numpy()
    return result
