"""Runs the cases on the runtimes and judges every result."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.compare import Comparison, compare
from onnx_acts.conformance.foreign_differences import QUIRKS
from onnx_acts.conformance.known_differences import (
    KNOWN_DIFFERENCES,
    applies,
    measured_accuracy,
    missing_kernel,
)
from onnx_acts.conformance.quirks import QuirkLedger
from onnx_acts.conformance.recording import Record
from onnx_acts.conformance.reproduce import program
from onnx_acts.conformance.runtimes import (
    RUNTIMES,
    Runtime,
    RuntimeFacts,
    facts_of,
    version_of,
)
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES, Difference, Spec

__all__ = ["Cell", "Failure", "Result", "Selection", "promise_of", "run"]

_REPORTED_FAILURES = 3


@dataclasses.dataclass(frozen=True)
class Selection:
    """What to run; everything by default."""

    operators: Sequence[Spec] = OPERATORS
    dtypes: Sequence[str] = (*ELEMENT_TYPES, *QUANTIZED_TYPES)
    groups: Sequence[str] = tuple(GROUPS)
    runtimes: Sequence[Runtime] = tuple(RUNTIMES)
    quick: bool = False
    recorded: bool = False
    """Whether cells keep a `Record`, for reports that show more than a figure."""


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


def run(
    selection: Selection,
    known: Sequence[Difference] = KNOWN_DIFFERENCES,
    progress: Callable[[str], None] = lambda text: None,
) -> Result:
    """Runs a selection.

    Args:
        selection: what to run.
        known: the known differences.
        progress: is told what comes next.
    """
    result, ledger = Result(), _Ledger(known)
    result.runtimes = [facts_of(item) for item in selection.runtimes]
    products = itertools.product(selection.operators, selection.dtypes, selection.groups)
    parts = [part for part in products if part[1] in part[0].element_types]
    for number, (spec, dtype, group) in enumerate(parts, 1):
        progress(f"{number}/{len(parts)} {spec.name} {dtype} {group}")
        chosen = cases(spec, dtype, group, selection.quick)
        result.cells += _run_group(chosen, spec, dtype, group, selection, ledger)
    result.stale = ledger.stale() + _gained_kernels(selection)
    if set(selection.groups) >= set(GROUPS):  # a kind shows in some of the groups
        result.stale += ledger.quirks.stale()
    return result


def promise_of(runtime: Runtime, spec: Spec, dtype: str) -> float:
    """The largest error in ULP that a runtime is allowed for an operator and element type."""
    if runtime.promise == "exact":
        return 0.5
    if runtime.promise == "body":
        return spec.promise.body[dtype]
    measured = None
    if runtime.promise == "measured":
        measured = measured_accuracy(runtime.name, spec.name, dtype)
    return spec.promise.kernel[dtype] if measured is None else measured


def _gained_kernels(selection: Selection) -> list[str]:
    """One sentence for each missing kernel on record that the runtime has by now."""
    sentences = []
    for runtime, spec, dtype in itertools.product(
        selection.runtimes, selection.operators, selection.dtypes
    ):
        record = missing_kernel(runtime.name, version_of(runtime), spec, dtype)
        if record is None or runtime.unavailable():
            continue
        try:
            runtime.run(next(cases(spec, dtype, "special", quick=True)))
        except Exception:  # as the record says; onnxruntime's exceptions have no common base
            continue
        sentences.append(
            f"{runtime.name}, {spec.standard_name} {dtype}: no longer missing: remove the record"
            f" ({record.seen})"
        )
    return sentences


class _Ledger:
    """Keeps account of the known differences: which were tried, which still differ."""

    def __init__(self, records: Sequence[Difference]) -> None:
        self._records = records
        self.quirks = QuirkLedger(QUIRKS)
        self._differs: dict[tuple[int, str, str, str], bool] = {}

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
        found = None
        for number, record in enumerate(self._records):
            if applies(record, runtime.name, version_of(runtime), case):
                key = (number, case.operator, case.dtype, case.group)
                self._differs[key] = self._differs.get(key, False) or differs
                found = record
        return found if differs else None

    def stale(self) -> list[str]:
        """One sentence for each record, operator, type and group that no longer differs."""
        return [
            f"{self._records[number].runtime}, {operator} {dtype}, {group}"
            f" ({self._records[number].cases}): no longer differs: remove the record"
            f" ({self._records[number].reason})"
            for (number, operator, dtype, group), differs in self._differs.items()
            if not differs
        ]


def _run_group(
    chosen: Iterable[Case],
    spec: Spec,
    dtype: str,
    group: str,
    selection: Selection,
    ledger: _Ledger,
) -> list[Cell]:
    """Runs one group on every runtime; no cells where the group is empty."""
    cells = {
        item.name: Cell(spec.name, dtype, group, item.name, promise_of(item, spec, dtype))
        for item in selection.runtimes
    }
    for cell in cells.values() if selection.recorded else ():
        cell.record = Record()
    for case in chosen:
        for item in selection.runtimes:
            _run_case(case, item, cells[item.name], ledger)
    return [cell for cell in cells.values() if cell.cases]


def _run_case(case: Case, runtime: Runtime, cell: Cell, ledger: _Ledger) -> None:
    """Runs one case on one runtime and enters the result in its cell."""
    cell.cases += 1
    reason = runtime.unavailable() or runtime.unsupported(case)
    if reason:
        cell.skipped += 1
        _add(cell.reasons, reason)
        if cell.record is not None:
            cell.record.note(case, "n/a", 0.0, reason, ())
        return
    outcome = judge(runtime, case, cell.promise)
    cell.max_ulp = max(cell.max_ulp, outcome.max_ulp)
    reasons = ledger.explain(runtime, case, outcome, cell.promise)
    status = "pass" if outcome.ok else "known" if reasons else "fail"
    for reason in reasons:
        _add(cell.reasons, reason)
    cell.known += status == "known"
    if status == "fail":
        cell.failed += 1
        if len(cell.failures) < _REPORTED_FAILURES:
            cell.failures.append(_failure(runtime, case, cell, outcome))
    if cell.record is not None:
        cell.record.note(case, status, outcome.max_ulp, outcome.message, outcome.outputs)


def judge(runtime: Runtime, case: Case, promise: float) -> Comparison:
    """Runs one case and compares every output; the worst comparison counts."""
    exact = case.exact()
    before = [array.tobytes() for array in case.inputs]
    try:
        outputs = runtime.run(case)
    except Exception as error:  # whatever a runtime raises is a result to report
        message = " ".join(str(error).split())
        return Comparison(0.0, exact[0].size, None, f"raised {type(error).__name__}: {message}")
    if [array.tobytes() for array in case.inputs] != before:
        return Comparison(0.0, exact[0].size, None, "it changed its inputs")
    if len(outputs) != len(exact):
        return Comparison(0.0, 0, None, f"gave {len(outputs)} outputs, expected {len(exact)}")
    kind = numpy_type(case.dtype)
    found = [compare(got, true, kind, promise) for got, true in zip(outputs, exact, strict=True)]
    worst = max(found, key=lambda one: (not one.ok, one.max_ulp))
    return dataclasses.replace(
        worst, max_ulp=max(one.max_ulp for one in found), outputs=tuple(outputs)
    )


def _failure(runtime: Runtime, case: Case, cell: Cell, outcome: Comparison) -> Failure:
    """The failure of a case; only the first of a cell gets a program, to keep reports short."""
    text = ""
    if not cell.failures:
        text = program(
            runtime.name,
            case,
            outcome.worst,
            lambda small: not judge(runtime, small, cell.promise).ok,
        )
    return Failure(case.name, outcome.message, text)


def _add(reasons: list[str], reason: str) -> None:
    if reason not in reasons:
        reasons.append(reason)
