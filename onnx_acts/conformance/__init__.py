"""The conformance suite: every operator, element type and runtime, input by input."""

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases, find_case
from onnx_acts.conformance.compare import Comparison, compare
from onnx_acts.conformance.runtimes import RUNTIMES, runtime_of
from onnx_acts.conformance.suite import Result, Selection, run

__all__ = [
    "GROUPS",
    "RUNTIMES",
    "Case",
    "Comparison",
    "Result",
    "Selection",
    "cases",
    "compare",
    "find_case",
    "run",
    "runtime_of",
]
