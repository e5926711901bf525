"""Failing cases as folders: each as the vectors are, and what the runtime gave in place of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.judging import no_answer
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES
from onnx_acts.conformance.ledger import Ledger
from onnx_acts.conformance.runtimes import Runtime, version_of
from onnx_acts.conformance.shortest import shortest_program
from onnx_acts.conformance.suite import Cell, Result, Selection, judge
from onnx_acts.conformance.vectors.folders import DATA_SET, files_of, steps_of, test_of
from onnx_acts.conformance.vectors.index import INDEX, Index, Test, index_bytes
from onnx_acts.conformance.vectors.tensors import tensor_bytes
from onnx_acts.definition.specs import spec_of

__all__ = ["failure_files"]

Array = NDArray[Any]
Files = Iterator[tuple[str, bytes]]

_STANDARD = ("standard", "provider")
"""The runtimes that are given a model of the standard operator."""


def failure_files(result: Result, selection: Selection) -> Files:
    """Yields the files of every case that failed in a run, the index last.

    The cases of a cell that failed are run again. One that is right this time is no file; the
    message of the run stays in its report.

    Args:
        result: what the run found.
        selection: what was run.
    """
    tests: list[Test] = []
    names: set[str] = set()
    runtimes = {item.name: item for item in selection.runtimes}
    for cell in result.cells:
        if cell.failed:
            for case, outcome in _failing(cell, runtimes[cell.runtime], selection.quick):
                test = _test(case, cell, names)
                model = _model_files(case, cell.runtime)
                tests += [test] if model else []
                about = _about(case, runtimes[cell.runtime], cell.promise, outcome)
                for path, data in (*model.items(), *about):
                    yield f"{test.name}/{path}", data
    yield INDEX, index_bytes(Index("saved failures", tests))


def _failing(cell: Cell, runtime: Runtime, quick: bool) -> Iterator[tuple[Case, Comparison]]:
    """The cases of a cell that fail when they are run again, known differences apart."""
    ledger, version = Ledger(KNOWN_DIFFERENCES), version_of(runtime)
    for case in cases(spec_of(cell.operator), cell.dtype, cell.group, quick):
        if no_answer(runtime, case):
            continue
        outcome = judge(runtime, case, cell.promise)
        is_known = ledger.explain(runtime.name, version, case, outcome, cell.promise)
        if not (outcome.ok or is_known):
            yield case, outcome


def _form(runtime: str) -> str:
    return "standard" if runtime in _STANDARD else "acts"


def _test(case: Case, cell: Cell, names: set[str]) -> Test:
    """What the index says of a failure: the promise of the runtime, and a name of its own."""
    test = test_of(case, _form(cell.runtime))
    steps = steps_of(cell.promise, test.outputs[0].rule)
    outputs = [dataclasses.replace(one, ulp=cell.promise, steps=steps) for one in test.outputs]
    runtime = re.sub(r"[^a-z0-9]+", "_", cell.runtime.lower()).strip("_")
    wanted = name = test.name.replace("test_", f"test_{runtime}_", 1)
    while name in names:
        name = f"{wanted}_{len(names)}"
    names.add(name)
    return dataclasses.replace(test, name=name, outputs=tuple(outputs))


def _model_files(case: Case, runtime: str) -> dict[str, bytes]:
    """The test; nothing where a case is no single node with outputs, and so no test."""
    try:
        return files_of(case, _form(runtime))
    except ValueError:
        return {}


def _about(case: Case, runtime: Runtime, promise: float, outcome: Comparison) -> Files:
    """What the runtime gave, what is wrong, and a program."""
    for number, array in enumerate(_outputs(case, runtime)):
        yield f"{DATA_SET}/got_{number}.pb", tensor_bytes(array, f"got_{number}")
    text = shortest_program(runtime, case, outcome, promise, Ledger(KNOWN_DIFFERENCES))
    yield "message.txt", f"{runtime.name}, {case.name}: {outcome.message}\n".encode()
    yield "program.py", f"{text}\n".encode()


def _outputs(case: Case, runtime: Runtime) -> list[Array]:
    """What the runtime gives, as far as it is arrays; nothing where it raises."""
    try:
        found = [np.asarray(array) for array in runtime.run(case)]
    except Exception:  # the message says what it was
        return []
    return [array for array in found if array.dtype != object]
