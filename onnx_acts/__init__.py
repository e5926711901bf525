"""Activation functions for ONNX: one file that runs everywhere, fast where the library is."""

from onnx_acts import reference
from onnx_acts.evaluator import reference_evaluator
from onnx_acts.exporting import export
from onnx_acts.graph import accelerate, lower
from onnx_acts.nodes import make_node
from onnx_acts.placing import placement
from onnx_acts.runtime import library_path, register, session

__all__ = [
    "accelerate",
    "export",
    "library_path",
    "lower",
    "make_node",
    "placement",
    "reference",
    "reference_evaluator",
    "register",
    "session",
]
