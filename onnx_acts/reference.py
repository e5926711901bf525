"""What is true: the activations and their derivatives in NumPy.

The public name of `onnx_acts.definition.reference`.
"""

from onnx_acts.definition import reference
from onnx_acts.definition.reference import *  # noqa: F403

__all__ = reference.__all__  # the same names
