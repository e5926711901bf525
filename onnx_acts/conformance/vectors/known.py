"""What the suite has on record of the program that wrote outputs."""

from __future__ import annotations

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES, applies, measured_accuracy
from onnx_acts.conformance.vectors.index import Test
from onnx_acts.definition.specs import Difference

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
        self._differs: dict[tuple[Difference, str, str, str, str], bool] = {}
        self._tried: set[tuple[Difference, str, str, str, str]] = set()

    def promise(self, test: Test) -> float:
        """The largest error allowed: what was measured of the program, else the index's."""
        measured = None
        if self._is_known:
            measured = measured_accuracy(_RUNTIMES[test.form], test.operator, test.dtype)
        return test.outputs[0].ulp if measured is None else max(measured, test.outputs[0].ulp)

    def find(self, test: Test, case: Case, differs: bool) -> Difference | None:
        """Notes a verdict and returns the record that explains it where it differs."""
        found = None
        for record in KNOWN_DIFFERENCES if self._is_known else ():
            if applies(record, _RUNTIMES[test.form], self._version, case):
                key = (record, test.form, test.operator, test.dtype, test.group)
                self._differs[key] = self._differs.get(key, False) or differs
                if not test.quick:
                    self._tried.add(key)
                found = record
        return found if differs else None

    def stale(self) -> list[str]:
        """One sentence for each record, form, operator, type and group that no longer differs.

        The first test of a group alone, as in a quick set, need not show a difference.
        """
        return [
            f"{form}, {operator} {dtype}, {group} ({record.cases}): no longer differs: the record"
            f" ({record.reason}) is not about version {self._version}"
            for (record, form, operator, dtype, group) in self._differs
            if (record, form, operator, dtype, group) in self._tried
            and not self._differs[record, form, operator, dtype, group]
        ]
