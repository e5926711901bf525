"""ONNX files: reading and writing them whole, what is known of their values, function bodies."""

from onnx_acts.files.reading import load_model
from onnx_acts.files.saving import save_model

__all__ = ["load_model", "save_model"]
