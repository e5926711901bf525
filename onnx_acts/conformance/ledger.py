"""An account of the known differences: which cases they name, and which of those still differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.explaining import explaining
from onnx_acts.conformance.foreign_differences import QUIRKS
from onnx_acts.conformance.known_differences import allows, names
from onnx_acts.conformance.quirks import QuirkLedger
from onnx_acts.definition.specs import Difference

__all__ = ["Entry", "Ledger"]

_Place = tuple[int, str, str, str]
"""The record's number, the operator, the element type, the group."""


class Entry(NamedTuple):
    """One case that a record names.

    Attributes:
        place: where the record is, and what of it the case belongs to.
        case: the case's name.
        differs: whether it differs, as it should.
    """

    place: _Place
    case: str
    differs: bool


class Ledger:
    """Keeps account. A record is strict: every case that it names must differ.

    Args:
        records: the records.
        name: what sentences call the runtime; by default its name.

    Attributes:
        entries: one for each record and case that it names.
        quirks: the same for records of kinds of differences.
    """

    def __init__(self, records: Sequence[Difference], name: str = "") -> None:
        self.entries: list[Entry] = []
        self.quirks = QuirkLedger(QUIRKS)
        self._records, self._name = records, name
        self._of: dict[str, list[tuple[int, Difference]]] = {}
        for number, record in enumerate(records):
            self._of.setdefault(record.runtime, []).append((number, record))

    def empty(self) -> Ledger:
        """Another one of the same records, with nothing noted."""
        return Ledger(self._records, self._name)

    def explain(
        self, runtime: str, version: str, case: Case, outcome: Comparison, promise: float
    ) -> list[str]:
        """Notes a result and returns why it differs, as known; nothing where it does not.

        Args:
            runtime: the runtime's name.
            version: the version of its package.
            case: what it computed.
            outcome: the verdict.
            promise: the largest error allowed, in ULP.
        """
        records = self._note(runtime, version, case, not outcome.ok)
        if case.refused:  # it has no true outputs to compare with
            return []
        found: list[str] = []
        for one, verdict in outcome.runs or [(case, outcome)]:
            reasons = self._reasons(records, runtime, version, one, verdict, promise)
            if not reasons:
                return []
            found += [reason for reason in reasons if reason not in found]
        return found

    def _reasons(
        self,
        records: Sequence[Difference],
        runtime: str,
        version: str,
        case: Case,
        outcome: Comparison,
        promise: float,
    ) -> list[str]:
        """Why one run differs, as known."""
        reasons = self.quirks.explain(runtime, version, case, outcome.outputs, promise)
        if outcome.ok:
            return []
        found = explaining(records, case, outcome, promise)
        return [f"{record.reason} ({record.seen})" for record in found] or reasons

    def _note(self, runtime: str, version: str, case: Case, differs: bool) -> list[Difference]:
        """Notes a result and returns the records that are about the case."""
        found = []
        for number, record in self._of.get(runtime, ()):
            if names(record, runtime, version, case):
                place = (number, case.operator, case.dtype, case.group)
                self.entries.append(Entry(place, case.name, differs))
                found.append(record)
            elif allows(record, runtime, version, case):
                found.append(record)
        return found

    def add(self, other: Ledger) -> None:
        """Takes over what another ledger of the same records has noted."""
        self.entries += other.entries
        self.quirks.add(other.quirks)

    def stale(self) -> list[str]:
        """One sentence for each record, operator, type and group with a case that is right."""
        places: dict[_Place, list[Entry]] = {}
        for entry in self.entries:
            places.setdefault(entry.place, []).append(entry)
        return [
            self._sentence(place, found)
            for place, found in places.items()
            if not all(entry.differs for entry in found)
        ]

    def _sentence(self, place: _Place, found: Sequence[Entry]) -> str:
        number, operator, dtype, group = place
        record = self._records[number]
        right = [entry.case for entry in found if not entry.differs]
        what = f"{self._name or record.runtime}, {operator} {dtype}, {group} ({record.cases})"
        if len(right) == len(found):
            return f"{what}: no longer differs: remove the record ({record.reason})"
        return (
            f"{what}: no longer differs in {len(right)} of {len(found)} cases, {right[0]!r} among"
            f" them: narrow the record ({record.reason})"
        )
