"""Activation functions for ONNX: one file that runs everywhere, fast where the library is."""

from onnx_acts import reference
from onnx_acts.evaluator import reference_evaluator
from onnx_acts.nodes import make_node
from onnx_acts.runtime import library_path, register, session

__all__ = [
    "library_path",
    "make_node",
    "reference",
    "reference_evaluator",
    "register",
    "session",
]
