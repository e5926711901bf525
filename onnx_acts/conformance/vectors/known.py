"""What the suite has on record of the program that wrote outputs."""

from __future__ import annotations

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES, measured_accuracy
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.vectors.index import Test

__all__ = ["Records"]

_PROGRAMS = ("onnxruntime", "onnxruntime-web")
"""The same kernels: of onnxruntime-web 1.30.0 all that is on record was seen on 2026-11-26."""

_RUNTIMES = {"acts": "bodies", "lowered": "bodies", "standard": "standard"}
"""The suite's runtime that computes a form."""


class Records:
    """Known differences of a program, and whether each still shows.

    Args:
        name: the program's name; others than ONNX Runtime's have no records.
        version: its version; without one no difference is known.
    """

    def __init__(self, name: str, version: str) -> None:
        self._is_known = name in _PROGRAMS and bool(version)
        self._version = version
        # An account for each form: what shows in one need not show in another.
        self._ledgers = {form: Ledger(KNOWN_DIFFERENCES, form) for form in _RUNTIMES}

    def promise(self, test: Test) -> float:
        """The largest error allowed: what was measured of the program, else the index's."""
        measured = None
        if self._is_known:
            measured = measured_accuracy(_RUNTIMES[test.form], test.operator, test.dtype)
        return test.outputs[0].ulp if measured is None else max(measured, test.outputs[0].ulp)

    def explain(self, test: Test, case: Case, found: Comparison, promise: float) -> list[str]:
        """Notes a verdict and returns why the outputs differ, as known; see `Ledger.explain`."""
        if not self._is_known:
            return []
        ledger = self._ledgers[test.form]
        return ledger.explain(_RUNTIMES[test.form], self._version, case, found, promise)

    def stale(self) -> list[str]:
        """One sentence for each record, form, operator, type and group with a case that is right.

        So the record is not about this version, or wider than what was seen.
        """
        return [text for ledger in self._ledgers.values() for text in ledger.stale()]
