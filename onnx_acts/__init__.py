"""Activation functions for ONNX: one file that runs everywhere, fast where the library is.

The names below are loaded when they are first used, so that `import onnx_acts` is quick.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx_acts import reference
    from onnx_acts.definition.nodes import make_node
    from onnx_acts.exporting import ExportResult, VerificationError, export
    from onnx_acts.files.user_metadata import read_metadata
    from onnx_acts.graph import accelerate, accelerate_file, lower, lower_file
    from onnx_acts.ort.evaluator import reference_evaluator
    from onnx_acts.ort.provider import provider_error, register_provider
    from onnx_acts.ort.sessions import library_path, register
    from onnx_acts.serving.placement import placement
    from onnx_acts.serving.sessions import session
    from onnx_acts.verifying import Verification, verify

    __version__: str

__all__ = [
    "ExportResult",
    "Verification",
    "VerificationError",
    "__version__",
    "accelerate",
    "accelerate_file",
    "export",
    "library_path",
    "lower",
    "lower_file",
    "make_node",
    "placement",
    "provider_error",
    "read_metadata",
    "reference",
    "reference_evaluator",
    "register",
    "register_provider",
    "session",
    "verify",
]

if not os.path.isdir(__path__[0]):
    raise ImportError(
        f"onnx_acts is imported from an archive ({__path__[0]}), in which its native library and"
        " its texts are no files: install the wheel with pip, or unpack it"
    )

_ROOMS = {
    "ExportResult": "exporting",
    "Verification": "verifying",
    "VerificationError": "exporting",
    "accelerate": "graph",
    "accelerate_file": "graph",
    "export": "exporting",
    "library_path": "ort.sessions",
    "lower": "graph",
    "lower_file": "graph",
    "make_node": "definition.nodes",
    "placement": "serving.placement",
    "provider_error": "ort.provider",
    "read_metadata": "files.user_metadata",
    "reference_evaluator": "ort.evaluator",
    "register": "ort.sessions",
    "register_provider": "ort.provider",
    "session": "serving.sessions",
    "verify": "verifying",
}
"""Where the public functions and classes are defined."""


if not TYPE_CHECKING:  # a type checker would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Loads a public name."""
        value: Any
        if name == "__version__":
            module = importlib.import_module("onnx_acts.definition.version")
            value = module.version("onnx-acts") or "unknown"
        elif name == "reference":
            value = importlib.import_module("onnx_acts.reference")
        elif name in _ROOMS:
            value = getattr(importlib.import_module(f"onnx_acts.{_ROOMS[name]}"), name)
        else:
            raise AttributeError(f"module 'onnx_acts' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, whatever has been loaded."""
    return sorted(__all__)
