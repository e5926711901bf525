"""What other projects' runtimes are known to do to single elements, by kind.

Their differences are of a few kinds, which show in most cases, and in a part of their elements: so
a record names the kind, and the kind says which elements it explains. A case differs "as known"
when each element that breaks the promise is explained by a record. A record is strict: where it had
enough to explain and never did, the run says so and fails; of a kind that always shows, where one
element is right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.compare import broken, compare
from onnx_acts.conformance.elements import Elements
from onnx_acts.conformance.explaining import elements_of
from onnx_acts.conformance.kinds import KINDS
from onnx_acts.conformance.known_differences import version_tuple
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES

__all__ = ["Quirk", "QuirkLedger"]

Array = NDArray[Any]


_ENOUGH = 100
"""Elements at which a kind could have shown."""


@dataclasses.dataclass(frozen=True)
class Quirk:
    """A kind of difference that a runtime has.

    Attributes:
        runtime: its name.
        kind: the name of the kind, of `kinds.KINDS`.
        operators: those that it concerns, by the names of the standard operators.
        seen: the version and the date of the observation.
        dtypes: the element types that it concerns.
        since: the first version of the runtime's package that has it.
        until: the last one; None while there is no fix.
    """

    runtime: str
    kind: str
    operators: tuple[str, ...]
    seen: str
    dtypes: tuple[str, ...] = ELEMENT_TYPES
    since: str = "0"
    until: str | None = None

    def applies(self, runtime: str, version: str, case: Case) -> bool:
        """Whether it is about this case on this version of the runtime."""
        return (
            runtime == self.runtime
            and case.spec.standard_name in self.operators
            and case.dtype in self.dtypes
            and version_tuple(self.since) <= version_tuple(version)
            and (self.until is None or version_tuple(version) <= version_tuple(self.until))
        )


@dataclasses.dataclass
class _Count:
    """Elements at which a record can show, those of them that are right, those it explains."""

    able: int = 0
    right: int = 0
    explained: int = 0

    def add(self, other: _Count) -> None:
        self.able += other.able
        self.right += other.right
        self.explained += other.explained


class QuirkLedger:
    """Explains results by records, and keeps account of those that never explain anything."""

    def __init__(self, records: Sequence[Quirk]) -> None:
        self._records = records
        self._of: dict[str, list[tuple[int, Quirk]]] = {}
        for number, record in enumerate(records):
            self._of.setdefault(record.runtime, []).append((number, record))
        self._counts: dict[tuple[int, str, str], _Count] = {}

    def add(self, other: QuirkLedger) -> None:
        """Takes over what another ledger of the same records has noted."""
        for key, count in other._counts.items():
            self._counts.setdefault(key, _Count()).add(count)

    def explain(
        self, runtime: str, version: str, case: Case, outputs: Sequence[Array], promise: float
    ) -> list[str]:
        """The reasons, with when they were seen, if they explain every element that differs."""
        found = [
            (number, record)
            for number, record in self._of.get(runtime, ())
            if record.applies(runtime, version, case)
        ]
        if not found or len(outputs) != 1:
            return []
        exact = case.exact()[0]
        if outputs[0].shape != exact.shape or outputs[0].dtype != numpy_type(case.dtype):
            return []
        return self._explained(found, elements_of(case, outputs[0], exact), promise, case)

    def _explained(
        self, found: Sequence[tuple[int, Quirk]], elements: Elements, promise: float, case: Case
    ) -> list[str]:
        right = reference.rounded(elements.exact, elements.dtype)
        with np.errstate(all="ignore"):
            got = elements.got.astype(elements.dtype)
        differs = broken(got, elements.exact, promise, case.is_certain)
        reasons, left = [], differs
        for number, record in found:
            kind = KINDS[record.kind]
            with np.errstate(all="ignore"):
                able = kind.where(elements)
                explained = differs & able & kind.explains(elements)
            count = _Count(*(int(np.count_nonzero(m)) for m in (able, able & ~differs, explained)))
            key = (number, case.spec.standard_name, case.dtype)
            self._counts.setdefault(key, _Count()).add(count)
            if (left & explained).any():
                reasons.append(f"{kind.reason} ({record.seen})")
                left = left & ~explained
        mended = np.where(differs & ~left, right, got)
        ok = compare(mended, elements.exact, elements.dtype, promise, case.is_certain).ok
        return reasons if ok else []

    def stale(self, whole: bool = True) -> list[str]:
        """One sentence for each record, operator and type that explains too little, or nothing.

        Args:
            whole: whether all groups of cases ran; a part cannot show that a kind never shows.
        """
        sentences = []
        for (number, operator, dtype), count in self._counts.items():
            record = self._records[number]
            kind = KINDS[record.kind]
            what = f"{record.runtime}, {operator} {dtype}: no longer differs"
            some = f" at {count.right} of {count.able} elements: narrow" if count.explained else ""
            gone = whole and count.able >= _ENOUGH and not count.explained
            if gone or (kind.always and count.right):
                sentences.append(f"{what}{some or ': remove'} the record ({kind.reason})")
        return sentences
