"""Models that exist: `accelerate` puts `onnx_acts` nodes in, `lower` takes them out."""

from onnx_acts.graph.accelerate import (
    accelerate,
    accelerate_counted,
    accelerate_file,
    accelerate_reported,
)
from onnx_acts.graph.lower import lower, lower_counted, lower_file

__all__ = [
    "accelerate",
    "accelerate_counted",
    "accelerate_file",
    "accelerate_reported",
    "lower",
    "lower_counted",
    "lower_file",
]
