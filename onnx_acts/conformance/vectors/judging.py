"""The verdict on outputs in files, as a run of the suite gives it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.compare import Comparison, compare
from onnx_acts.conformance.own_draws import judge_own_draws
from onnx_acts.conformance.recording import Outcome, Record
from onnx_acts.conformance.runtimes import RuntimeFacts
from onnx_acts.conformance.seeds import Seen
from onnx_acts.conformance.shared_draws import shared_draws
from onnx_acts.conformance.suite import Cell, Failure, Result
from onnx_acts.conformance.vectors.folders import FORM_TITLES, case_of
from onnx_acts.conformance.vectors.frozen import Vectors
from onnx_acts.conformance.vectors.index import Test
from onnx_acts.conformance.vectors.known import Records
from onnx_acts.conformance.vectors.outputs import read_outputs, refusal

__all__ = ["judge_folder"]

Array = NDArray[Any]

_REPORTED = 3
"""Failures of a cell that are told."""


def judge_folder(
    vectors: Vectors,
    folder: Path,
    name: str,
    version: str = "",
    progress: Callable[[str], None] = lambda text: None,
    recorded: bool = False,
) -> Result:
    """Judges the outputs of every test of the index.

    Args:
        vectors: the tests.
        folder: where the outputs are, after `check_outputs`.
        name: the runtime's name.
        version: its version; without one no difference counts as known.
        progress: is told what comes next.
        recorded: whether cells keep a `Record`, for reports that show more than a figure.

    Raises:
        ValueError: the vectors themselves are damaged.
    """
    cells: dict[tuple[str, str, str, str], Cell] = {}
    records, draws = Records(name, version), Seen()
    tests = sorted(vectors.index.tests, key=lambda test: (test.operator, test.dtype, test.group))
    for number, test in enumerate(tests, 1):
        progress(f"{number}/{len(tests)} {test.name}")
        key = (test.operator, test.dtype, test.group, f"{name}/{test.form}")
        record = Record() if recorded else None
        cell = cells.setdefault(key, Cell(*key, records.promise(test), record=record))
        _judge_test(vectors, test, folder, cell, records, draws)
    facts = [
        RuntimeFacts(f"{name}/{form}", title, package=name, version=version)
        for form, title in FORM_TITLES.items()
    ]
    return Result(list(cells.values()), records.stale(), facts)


def _judge_test(
    vectors: Vectors, test: Test, folder: Path, cell: Cell, records: Records, draws: Seen
) -> None:
    """Judges one test and enters the verdict in its cell."""
    cell.cases += 1
    words = refusal(folder, test)
    if words:
        _without_outputs(cell, test, Comparison(0.0, open=words))
        return
    case = case_of(test, vectors.files(test))
    try:
        outputs = read_outputs(folder, test)
    except ValueError as error:
        _without_outputs(cell, test, Comparison(0.0, message=str(error)))
        return
    found = _worst(case, test, outputs, cell.promise)
    if case.training and len(outputs) > 1:
        again = draws.again(test.form, case, outputs)
        found = found if found.ok else _judge_draws(case, outputs, found)
        found = dataclasses.replace(found, message=found.message or again)
    reasons = records.explain(test, case, found, cell.promise)
    status = _enter(cell, test, found, reasons)
    if cell.record is not None:
        words = found.message or found.open
        cell.record.note(case, status, found.max_ulp, words, found.outputs)


def _without_outputs(cell: Cell, test: Test, found: Comparison) -> None:
    """Enters the verdict on a test of which there is nothing to compare."""
    status = _enter(cell, test, found, [])
    if cell.record is not None:
        words = found.message or found.open
        cell.record.outcomes.append(Outcome(test.case, status, 0.0, words))


def _enter(cell: Cell, test: Test, found: Comparison, reasons: Sequence[str]) -> str:
    """Enters a verdict in a cell; returns it in a word."""
    if found.ok and found.open:
        status, reasons = "n/a", [found.open]
    else:
        status = "known" if reasons else "pass" if found.ok else "fail"
    cell.max_ulp = max(cell.max_ulp, found.max_ulp)
    cell.skipped += status == "n/a"
    cell.known += status == "known"
    cell.failed += status == "fail"
    cell.reasons += [reason for reason in reasons if reason not in cell.reasons]
    if status == "fail" and len(cell.failures) < _REPORTED:
        cell.failures.append(Failure(test.name, found.message))
    return status


def _worst(case: Case, test: Test, outputs: Sequence[Array], promise: float) -> Comparison:
    """Compares every output with what is true before it was rounded; the worst counts."""
    kind = numpy_type(case.dtype)
    triples = zip(test.outputs, outputs, case.exact(), strict=True)
    found = [
        (item, compare(got, exact, kind, promise, case.is_certain)) for item, got, exact in triples
    ]
    item, worst = max(found, key=lambda pair: (not pair[1].ok, pair[1].max_ulp))
    message = f"{item.name}: {worst.message}" if worst.message else ""
    largest = max(one.max_ulp for _, one in found)
    return dataclasses.replace(worst, max_ulp=largest, message=message, outputs=tuple(outputs))


def _judge_draws(case: Case, outputs: Sequence[Array], strict: Comparison) -> Comparison:
    """Random draws that break the rule for bits: another generator's are judged by their law."""
    shared = shared_draws(outputs, case)
    if shared:
        return dataclasses.replace(strict, message=f"{strict.message}; {shared}")
    return judge_own_draws(outputs, case)
