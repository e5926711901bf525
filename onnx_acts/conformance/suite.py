"""Runs the cases on the runtimes and judges every result."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.jobs import spread
from onnx_acts.conformance.judging import judge, no_answer
from onnx_acts.conformance.known_differences import (
    KNOWN_DIFFERENCES,
    measured_accuracy,
    missing_kernel,
)
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.reproduce import program
from onnx_acts.conformance.runtimes import RUNTIMES, Runtime, runtime_of, version_of
from onnx_acts.definition.specs import (
    ELEMENT_TYPES,
    OPERATORS,
    QUANTIZED_TYPES,
    Difference,
    Spec,
    spec_of,
)

__all__ = ["Cell", "Failure", "Result", "Selection", "judge", "promise_of", "run"]

Array = NDArray[Any]

_REPORTED_FAILURES = 3


@dataclasses.dataclass(frozen=True)
class Selection:
    """What to run; everything by default."""

    operators: Sequence[Spec] = OPERATORS
    dtypes: Sequence[str] = (*ELEMENT_TYPES, *QUANTIZED_TYPES)
    groups: Sequence[str] = tuple(GROUPS)
    runtimes: Sequence[Runtime] = tuple(RUNTIMES)
    quick: bool = False


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
    """

    cells: list[Cell] = dataclasses.field(default_factory=list)
    stale: list[str] = dataclasses.field(default_factory=list)

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
    jobs: int = 1,
) -> Result:
    """Runs a selection; the result is the same whatever the number of jobs.

    Args:
        selection: what to run.
        known: the known differences.
        progress: is told what comes next, or of several jobs what is done.
        jobs: how many processes to use; -1 for one on each processor.

    Raises:
        ValueError: several jobs, and joblib is not installed.
    """
    result, ledger = Result(), Ledger(known)
    parts = _parts(selection)
    sent = tuple(_sent(item) for item in selection.runtimes)
    tasks = [
        (spec.name, dtype, group, sent, selection.quick, known) for spec, dtype, group in parts
    ]
    done = spread(_run_part, tasks, jobs)
    for number, (spec, dtype, group) in enumerate(parts, 1):
        progress(f"{number}/{len(parts)} {spec.name} {dtype} {group}")
        cells, found = next(done)
        result.cells += cells
        ledger.add(found)
    result.stale = ledger.stale() + _gained_kernels(selection)
    return result


def _parts(selection: Selection) -> list[tuple[Spec, str, str]]:
    """What a run consists of: operators, their element types, groups."""
    products = itertools.product(selection.operators, selection.dtypes, selection.groups)
    return [part for part in products if part[1] in part[0].element_types]


def _sent(runtime: Runtime) -> Runtime | str:
    """A runtime as another process gets it: by name where it has a name there."""
    try:
        return runtime.name if runtime_of(runtime.name) is runtime else runtime
    except ValueError:
        return runtime


def _run_part(
    operator: str,
    dtype: str,
    group: str,
    sent: Sequence[Runtime | str],
    quick: bool,
    known: Sequence[Difference],
) -> tuple[list[Cell], Ledger]:
    """Runs one group of one operator and element type on every runtime."""
    spec, ledger = spec_of(operator), Ledger(known)
    runtimes = [runtime_of(item) if isinstance(item, str) else item for item in sent]
    chosen = cases(spec, dtype, group, quick)
    return _run_group(chosen, spec, dtype, group, runtimes, ledger), ledger


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


def _run_group(
    chosen: Iterable[Case],
    spec: Spec,
    dtype: str,
    group: str,
    runtimes: Sequence[Runtime],
    ledger: Ledger,
) -> list[Cell]:
    """Runs one group on every runtime; no cells where the group is empty."""
    cells = {
        item.name: Cell(spec.name, dtype, group, item.name, promise_of(item, spec, dtype))
        for item in runtimes
    }
    for case in chosen:
        exact = () if case.refused else case.exact()
        for item in runtimes:
            _run_case(case, exact, item, cells[item.name], ledger)
    return [cell for cell in cells.values() if cell.cases]


def _run_case(
    case: Case, exact: tuple[Array, ...], runtime: Runtime, cell: Cell, ledger: Ledger
) -> None:
    """Runs one case on one runtime and enters the result in its cell."""
    cell.cases += 1
    reason = no_answer(runtime, case)
    if reason:
        cell.skipped += 1
        _add(cell.reasons, reason)
        return
    outcome = judge(runtime, case, cell.promise, exact)
    cell.max_ulp = max(cell.max_ulp, outcome.max_ulp)
    record = ledger.find(runtime, case, not outcome.ok)
    quirks = ledger.quirks.explain(
        runtime.name, version_of(runtime), case, outcome.outputs, cell.promise
    )
    if record is not None:
        cell.known += 1
        _add(cell.reasons, f"{record.reason} ({record.seen})")
    elif quirks and not outcome.ok:
        cell.known += 1
        for reason in quirks:
            _add(cell.reasons, reason)
    elif not outcome.ok:
        cell.failed += 1
        if len(cell.failures) < _REPORTED_FAILURES:
            cell.failures.append(_failure(runtime, case, cell, outcome))


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
