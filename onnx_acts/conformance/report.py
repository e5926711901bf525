"""Reports of a run: a table for people, JSON for programs, JUnit for continuous integration."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

from onnx_acts.conformance.runtimes import runtime_of
from onnx_acts.conformance.suite import Cell, Result
from onnx_acts.conformance.vectors.folders import FORM_TITLES
from onnx_acts.ort.environment import library_facts
from onnx_acts.text.tables import columns

__all__ = ["failures_text", "json_text", "junit_text", "table_text"]

_SEVERITY = ("fail", "known", "pass", "n/a")
_NOT_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd]")


def table_text(result: Result, environment: dict[str, Any]) -> str:
    """The environment, one row for each operator and element type, then what needs explaining."""
    parts = [_header(environment), _table(result.cells), *_notes(result.cells)]
    parts.append(failures_text(result))
    counts = {status: sum(c.status == status for c in result.cells) for status in _SEVERITY}
    verdict = ", ".join(f"{count} {status}" for status, count in counts.items())
    parts.append(f"{'ok' if result.ok else 'NOT OK'}: {verdict}, {len(result.stale)} stale records")
    return "\n\n".join(part for part in parts if part)


def failures_text(result: Result) -> str:
    """What failed, with programs, and records that no longer show."""
    return "\n\n".join(
        [*(_failures(cell) for cell in result.cells if cell.status == "fail"), *result.stale]
    )


def json_text(result: Result, environment: dict[str, Any]) -> str:
    """Everything, as JSON."""
    cells = [{**dataclasses.asdict(cell), "status": cell.status} for cell in result.cells]
    content = {"environment": environment, "ok": result.ok, "stale": result.stale, "cells": cells}
    return json.dumps(content, indent=1) + "\n"


def junit_text(result: Result) -> str:
    """One test case for each cell and each stale record, as JUnit's XML."""
    suite = ElementTree.Element("testsuite", name="onnx-acts conform")
    for cell in result.cells:
        _junit_cell(suite, cell)
    for sentence in result.stale:
        case = ElementTree.SubElement(suite, "testcase", classname="known_differences")
        case.set("name", sentence.partition(": no longer")[0])
        ElementTree.SubElement(case, "failure", message=_clean(sentence))
    for kind, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(kind, str(len(list(suite.iter(tag)))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _junit_cell(suite: ElementTree.Element, cell: Cell) -> None:
    name = f"{cell.operator} {cell.dtype} {cell.group}"
    case = ElementTree.SubElement(suite, "testcase", classname=cell.runtime, name=name)
    if cell.status == "fail":
        failure = ElementTree.SubElement(case, "failure")
        failure.set("message", _clean(f"{cell.failed} of {cell.cases} cases"))
        failure.text = _clean(_failures(cell))
    elif cell.status == "n/a":
        ElementTree.SubElement(case, "skipped", message=_clean("; ".join(cell.reasons)))
    else:
        output = ElementTree.SubElement(case, "system-out")
        output.text = _clean("\n".join([f"max {cell.max_ulp:.6g} ULP", *cell.reasons]))


def _clean(text: str) -> str:
    """Text without the characters that XML forbids."""
    return _NOT_XML.sub("?", text)


def _header(environment: dict[str, Any]) -> str:
    packages = ", ".join(f"{k} {v or '-'}" for k, v in environment["packages"].items())
    library = environment["library"]
    described = "; ".join(f"{k} {v}" for k, v in library_facts(library).items())
    return (
        f"{packages}\n{environment['system']}, Python {environment['python']}\n"
        f"{environment['cpu']}, {environment['cpu_count']} CPUs\nlibrary: {described}"
    )


def _table(cells: Sequence[Cell]) -> str:
    """One row for each operator and element type, one column for each runtime."""
    runtimes = list(dict.fromkeys(cell.runtime for cell in cells))
    rows = list(dict.fromkeys((cell.operator, cell.dtype) for cell in cells))
    table = [["operator", "type", *runtimes]]
    for row in rows:
        of_row = [cell for cell in cells if (cell.operator, cell.dtype) == row]
        table.append([*row, *(_summary(c for c in of_row if c.runtime == r) for r in runtimes)])
    explained = [f"{name}: {_title(name)}" for name in runtimes]
    legend = "largest error in ULP; FAIL: promise broken; known: differs as recorded below;"
    return "\n".join([*columns(table, keys=2), "", f"{legend} *: some cases n/a", *explained])


def _title(name: str) -> str:
    """What a runtime is; of outputs in files, which form of the models they are of."""
    try:
        return runtime_of(name).title
    except ValueError:
        return FORM_TITLES.get(name.rpartition("/")[2], "")


def _summary(cells: Iterable[Cell]) -> str:
    """The worst status and the largest error of a runtime for one row."""
    chosen = list(cells)
    worst = min((cell.status for cell in chosen), key=_SEVERITY.index, default="n/a")
    if worst == "n/a":
        return worst
    figure = f"{max(cell.max_ulp for cell in chosen):.4g}"
    figure += "*" if any(cell.skipped for cell in chosen) else ""
    return {"fail": f"FAIL {figure}", "known": f"{figure} known"}.get(worst, figure)


def _notes(cells: Sequence[Cell]) -> list[str]:
    """Why something is n/a or differs as known, each reason once."""
    notes: dict[tuple[str, str], dict[str, None]] = {}
    for cell in cells:
        for reason in cell.reasons:
            where = notes.setdefault((cell.runtime, reason), {})
            where[f"{cell.operator} {cell.dtype} {cell.group}"] = None
    return [f"{runtime}: {reason}\n  {_listed(list(w))}" for (runtime, reason), w in notes.items()]


def _listed(places: list[str]) -> str:
    return ", ".join(places[:4]) + (f" and {len(places) - 4} more" if len(places) > 4 else "")


def _failures(cell: Cell) -> str:
    """What a cell's failures were and the program that shows the first."""
    lines = [
        f"FAIL {cell.runtime}: {cell.operator} {cell.dtype} {cell.group},"
        f" {cell.failed} of {cell.cases} cases"
    ]
    for failure in cell.failures:
        lines.append(f"  {failure.case}: {failure.message}")
        lines += [f"    {line}" for line in failure.program.splitlines()]
    return "\n".join(lines)
