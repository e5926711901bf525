"""What a run found."""

from __future__ import annotations

import dataclasses

from onnx_acts.conformance.recording import Record
from onnx_acts.conformance.runtimes import RuntimeFacts

__all__ = ["Cell", "Failure", "Result"]


@dataclasses.dataclass(frozen=True)
class Failure:
    """One case that a runtime got wrong.

    Attributes:
        case: its name.
        message: what is wrong.
        program: a program that shows it, empty where it would say nothing new.
    """

    case: str
    message: str
    program: str = ""


@dataclasses.dataclass
class Cell:
    """One operator, element type and group on one runtime.

    Attributes:
        operator: its name.
        dtype: the element type.
        group: the group of cases.
        runtime: the runtime's name.
        promise: the largest error allowed, in ULP.
        max_ulp: the largest error measured, in ULP.
        cases: how many cases the group has.
        failed: how many of them failed, known differences apart.
        known: how many differ as a record of known differences says.
        skipped: how many the runtime has no answer to.
        failures: the first failures.
        reasons: why cases were skipped or differ as known.
        record: what is kept of every case, where that was asked for.
    """

    operator: str
    dtype: str
    group: str
    runtime: str
    promise: float
    max_ulp: float = 0.0
    cases: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0
    failures: list[Failure] = dataclasses.field(default_factory=list)
    reasons: list[str] = dataclasses.field(default_factory=list)
    record: Record | None = None

    @property
    def status(self) -> str:
        """The verdict: "fail", "known", "n/a" or "pass"."""
        if self.failed:
            return "fail"
        if self.known:
            return "known"
        return "n/a" if self.skipped == self.cases else "pass"


@dataclasses.dataclass
class Result:
    """What a run found.

    Attributes:
        cells: every cell, in the order of the run.
        stale: known differences and missing kernels that no longer show, one sentence each.
        runtimes: what is known of each runtime.
    """

    cells: list[Cell] = dataclasses.field(default_factory=list)
    stale: list[str] = dataclasses.field(default_factory=list)
    runtimes: list[RuntimeFacts] = dataclasses.field(default_factory=list)

    @property
    def ran(self) -> bool:
        """Whether any case ran at all."""
        return any(cell.cases > cell.skipped for cell in self.cells)

    @property
    def ok(self) -> bool:
        """Whether something ran, and nothing differs but what is known to, and that still does."""
        return self.ran and not self.stale and all(cell.status != "fail" for cell in self.cells)
