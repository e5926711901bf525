"""The shortest program that shows what a runtime does wrong, and not what is on record."""

from __future__ import annotations

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.judging import judge
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.reproduce import program
from onnx_acts.conformance.runtimes import Runtime, version_of
from onnx_acts.conformance.runtimes.process import NO_ANSWER, NOT_ASKED

__all__ = ["shortest_program"]


def shortest_program(
    runtime: Runtime, case: Case, outcome: Comparison, promise: float, ledger: Ledger
) -> str:
    """Returns the program; "" of a runtime that hung in an earlier case and was not asked.

    Args:
        runtime: what failed.
        case: the case in which it did.
        outcome: the verdict on that.
        promise: the largest error allowed, in ULP.
        ledger: what is on record; the parts of the case that are tried are noted in it.
    """
    if NOT_ASKED in outcome.message:
        return ""
    has_answer = NO_ANSWER not in outcome.message

    def fails(small: Case) -> bool:
        """Whether a part shows a failure; what hung is not asked for parts."""
        if not has_answer:
            return False
        found = judge(runtime, small, promise)
        version = version_of(runtime)
        return not (found.ok or ledger.explain(runtime.name, version, small, found, promise))

    return program(runtime.name, case, outcome.worst, fails)
