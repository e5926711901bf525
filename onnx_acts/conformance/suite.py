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
from onnx_acts.conformance.recording import Record
from onnx_acts.conformance.results import Cell, Failure, Result
from onnx_acts.conformance.runtimes import (
    RUNTIMES,
    Runtime,
    facts_of,
    runtime_of,
    version_of,
)
from onnx_acts.conformance.shortest import shortest_program
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
    recorded: bool = False
    """Whether cells keep a `Record`, for reports that show more than a figure."""


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
    result.runtimes = [facts_of(item) for item in selection.runtimes]
    parts = _parts(selection)
    sent = tuple(_sent(item) for item in selection.runtimes)
    tasks = [
        (spec.name, dtype, group, sent, selection.quick, selection.recorded, known)
        for spec, dtype, group in parts
    ]
    done = spread(_run_part, tasks, jobs)
    for number, (spec, dtype, group) in enumerate(parts, 1):
        progress(f"{number}/{len(parts)} {spec.name} {dtype} {group}")
        cells, found = next(done)
        result.cells += cells
        ledger.add(found)
    whole = set(selection.groups) >= set(GROUPS)  # a kind shows in some of the groups
    result.stale = ledger.stale() + ledger.quirks.stale(whole) + _gained_kernels(selection)
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
    is_recorded: bool,
    known: Sequence[Difference],
) -> tuple[list[Cell], Ledger]:
    """Runs one group of one operator and element type on every runtime."""
    spec, ledger = spec_of(operator), Ledger(known)
    runtimes = [runtime_of(item) if isinstance(item, str) else item for item in sent]
    chosen = cases(spec, dtype, group, quick)
    return _run_group(chosen, spec, dtype, group, runtimes, is_recorded, ledger), ledger


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
    is_recorded: bool,
    ledger: Ledger,
) -> list[Cell]:
    """Runs one group on every runtime; no cells where the group is empty."""
    cells = {
        item.name: Cell(spec.name, dtype, group, item.name, promise_of(item, spec, dtype))
        for item in runtimes
    }
    for cell in cells.values() if is_recorded else ():
        cell.record = Record()
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
        if cell.record is not None:
            cell.record.note(case, "n/a", 0.0, reason, ())
        return
    outcome = judge(runtime, case, cell.promise, exact)
    cell.max_ulp = max(cell.max_ulp, outcome.max_ulp)
    reasons = ledger.explain(runtime.name, version_of(runtime), case, outcome, cell.promise)
    status = "pass" if outcome.ok else "known" if reasons else "fail"
    if outcome.open:
        status, reasons = "n/a", [outcome.open]
    for reason in reasons:
        _add(cell.reasons, reason)
    cell.known += status == "known"
    cell.skipped += status == "n/a"
    if status == "fail":
        cell.failed += 1
        if len(cell.failures) < _REPORTED_FAILURES:
            again = ledger.empty()
            cell.failures.append(_failure(runtime, case, cell, outcome, again))
    if cell.record is not None:
        words = outcome.open or outcome.message
        cell.record.note(case, status, outcome.max_ulp, words, outcome.outputs)


def _failure(
    runtime: Runtime, case: Case, cell: Cell, outcome: Comparison, ledger: Ledger
) -> Failure:
    """The failure of a case; only the first of a cell gets a program, to keep reports short."""
    text = ""
    if not cell.failures:
        text = shortest_program(runtime, case, outcome, cell.promise, ledger)
    return Failure(case.name, outcome.message, text)


def _add(reasons: list[str], reason: str) -> None:
    if reason not in reasons:
        reasons.append(reason)
