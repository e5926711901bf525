"""The report for people at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from onnx_acts.conformance.reports.facts import SEVERITY, facts, figure, worst_status
from onnx_acts.conformance.suite import Cell, Result
from onnx_acts.ort.environment import library_facts
from onnx_acts.text.tables import WIDTH, columns

__all__ = ["cell_failures", "counts_text", "failures_text", "table_text"]


def table_text(result: Result, environment: dict[str, Any]) -> str:
    """The environment, one row for each operator and element type, then what needs explaining."""
    parts = [_header(environment), _table(result), *_notes(result.cells)]
    parts.append(failures_text(result))
    parts.append(f"{'ok' if result.ok else 'NOT OK'}: {counts_text(result)}")
    return "\n\n".join(part for part in parts if part)


def failures_text(result: Result) -> str:
    """What failed, with programs, and records that no longer show."""
    failed = [cell_failures(cell) for cell in result.cells if cell.status == "fail"]
    return "\n\n".join([*failed, *map(_wrapped, result.stale)])


def counts_text(result: Result) -> str:
    """How many cells have each verdict."""
    counts = {status: sum(c.status == status for c in result.cells) for status in SEVERITY}
    verdict = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"{verdict}, {len(result.stale)} stale records"


def _wrapped(text: str, indent: str = "") -> str:
    """A paragraph in lines that fit; paths and names stay whole."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _header(environment: dict[str, Any]) -> str:
    packages = ", ".join(f"{k} {v or '-'}" for k, v in environment["packages"].items())
    library = environment["library"]
    described = "; ".join(f"{k} {v}" for k, v in library_facts(library).items())
    lines = [
        packages,
        f"{environment['system']}, Python {environment['python']}",
        f"{environment['cpu']}, {environment['cpu_count']} CPUs",
        f"library: {described}",
    ]
    return "\n".join(_wrapped(line, "  ") for line in lines)


def _table(result: Result) -> str:
    """One row for each operator and element type, one column for each runtime."""
    cells = result.cells
    runtimes = list(dict.fromkeys(cell.runtime for cell in cells))
    rows = list(dict.fromkeys((cell.operator, cell.dtype) for cell in cells))
    table = [["operator", "type", *runtimes]]
    for row in rows:
        of_row = [cell for cell in cells if (cell.operator, cell.dtype) == row]
        table.append([*row, *(_summary(c for c in of_row if c.runtime == r) for r in runtimes)])
    explained = [
        f"{item.name}: {item.title}{_version(item.package, item.version)}"
        for item in facts(result)
        if item.title != item.name
    ]
    legend = "largest error in ULP; FAIL: promise broken; known: differs as recorded below;"
    return "\n".join([*columns(table, keys=2), "", f"{legend} *: some cases n/a", *explained])


def _version(package: str, version: str) -> str:
    return f" ({package} {version})" if package and version else ""


def _summary(cells: Iterable[Cell]) -> str:
    """The worst status and the largest error of a runtime for one row."""
    chosen = list(cells)
    worst = worst_status(chosen)
    if worst == "n/a":
        return worst
    text = figure(chosen)
    return {"fail": f"FAIL {text}".strip(), "known": f"{text} known"}.get(worst, text)


def _notes(cells: Sequence[Cell]) -> list[str]:
    """Why something is n/a or differs as known, each reason once."""
    notes: dict[tuple[str, str], dict[str, None]] = {}
    for cell in cells:
        for reason in cell.reasons:
            where = notes.setdefault((cell.runtime, reason), {})
            where[f"{cell.operator} {cell.dtype} {cell.group}"] = None
    return [
        f"{_wrapped(f'{runtime}: {reason}', '  ')}\n{_wrapped(f'  {_listed(list(where))}', '  ')}"
        for (runtime, reason), where in notes.items()
    ]


def _listed(places: list[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")


def cell_failures(cell: Cell) -> str:
    """What a cell's failures were and the program that shows the first."""
    lines = [
        f"FAIL {cell.runtime}: {cell.operator} {cell.dtype} {cell.group},"
        f" {cell.failed} of {cell.cases} cases"
    ]
    for failure in cell.failures:
        lines.append(_wrapped(f"  {failure.case}: {failure.message}", "      "))
        lines += [f"    {line}" for line in failure.program.splitlines()]
    return "\n".join(lines)
