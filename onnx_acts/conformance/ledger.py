"""An account of the known differences: which cases they name, and which of those still differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.foreign_differences import QUIRKS
from onnx_acts.conformance.known_differences import allows, names
from onnx_acts.conformance.quirks import QuirkLedger
from onnx_acts.conformance.runtimes import Runtime, version_of
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

    Attributes:
        entries: one for each record and case that it names.
        quirks: the same for records of kinds of differences.
    """

    def __init__(self, records: Sequence[Difference]) -> None:
        self.entries: list[Entry] = []
        self.quirks = QuirkLedger(QUIRKS)
        self._records = records

    def explain(
        self, runtime: Runtime, case: Case, outcome: Comparison, promise: float
    ) -> list[str]:
        """Notes a result and returns why it differs, as known; nothing where it does not."""
        record = self.find(runtime, case, not outcome.ok)
        reasons = self.quirks.explain(
            runtime.name, version_of(runtime), case, outcome.outputs, promise
        )
        if outcome.ok:
            return []
        return [f"{record.reason} ({record.seen})"] if record is not None else reasons

    def find(self, runtime: Runtime, case: Case, differs: bool) -> Difference | None:
        """Notes a result and returns the record that explains it where it differs."""
        found, version = None, version_of(runtime)
        for number, record in enumerate(self._records):
            if names(record, runtime.name, version, case):
                place = (number, case.operator, case.dtype, case.group)
                self.entries.append(Entry(place, case.name, differs))
                found = record
            elif differs and found is None and allows(record, runtime.name, version, case):
                found = record
        return found if differs else None

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
        what = f"{record.runtime}, {operator} {dtype}, {group} ({record.cases})"
        if len(right) == len(found):
            return f"{what}: no longer differs: remove the record ({record.reason})"
        return (
            f"{what}: no longer differs in {len(right)} of {len(found)} cases, {right[0]!r} among"
            f" them: narrow the record ({record.reason})"
        )
