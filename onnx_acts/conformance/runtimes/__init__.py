"""What can compute a case: ONNX Runtime, onnx.reference, PyTorch and others, the user's own."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from onnx.reference import ReferenceEvaluator

from onnx_acts.conformance.models import acts_model, standard_model
from onnx_acts.conformance.runtimes.catalogue import FOREIGN
from onnx_acts.conformance.runtimes.foreign import Custom
from onnx_acts.conformance.runtimes.onnx_reference import Reference
from onnx_acts.conformance.runtimes.ort import OnnxRuntime
from onnx_acts.conformance.runtimes.pytorch import PyTorch, to_torch, torch_parameter
from onnx_acts.conformance.runtimes.runtime import Runtime, RuntimeFacts, facts_of, version_of
from onnx_acts.conformance.runtimes.variants import VARIANTS
from onnx_acts.ort.evaluator import reference_evaluator
from onnx_acts.ort.provider import PROVIDER
from onnx_acts.ort.sessions import CUDA

__all__ = [
    "ALL_RUNTIMES",
    "RUNTIMES",
    "VARIANTS",
    "Runtime",
    "RuntimeFacts",
    "facts_of",
    "runtime_of",
    "to_torch",
    "torch_parameter",
    "version_of",
]

RUNTIMES: Sequence[Runtime] = (
    OnnxRuntime("library", "ONNX Runtime, native library", "kernel", acts_model),
    OnnxRuntime(
        "provider",
        "ONNX Runtime, standard nodes on our execution provider",
        "kernel",
        functools.partial(standard_model, fixed=True),
        PROVIDER,
    ),
    OnnxRuntime("cuda", "ONNX Runtime, native library on CUDA", "kernel", acts_model, CUDA),
    OnnxRuntime("bodies", "ONNX Runtime, function bodies", "body", acts_model),
    OnnxRuntime("standard", "ONNX Runtime, standard nodes", "measured", standard_model),
    Reference("reference", "onnx.reference, function bodies", "body", ReferenceEvaluator),
    Reference("evaluator", "onnx_acts.reference_evaluator", "exact", reference_evaluator),
    PyTorch(),
)
"""Those that `onnx-acts conform` compares by default, in the order of the report's columns."""

ALL_RUNTIMES: Sequence[Runtime] = (*RUNTIMES, *VARIANTS, *FOREIGN)
"""Those and the other projects', which are large and slow to load: for who asks for them."""


def runtime_of(name: str) -> Runtime:
    """Returns the runtime of that name; "module:callable" is the user's own function.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if ":" in name:
        return _custom(name)
    for item in ALL_RUNTIMES:
        if item.name == name:
            return item
    names = ", ".join(item.name for item in ALL_RUNTIMES)
    raise ValueError(f"unknown runtime {name!r}; there are {names}, and module:callable")


@functools.cache
def _custom(name: str) -> Runtime:
    """One object for a name: its process goes on from case to case."""
    return Custom(name)
