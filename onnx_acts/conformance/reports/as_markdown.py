"""The report for a page or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from onnx_acts.conformance.reports.facts import MARKS, VERDICTS, facts, figure, verdict
from onnx_acts.conformance.reports.text import cell_failures, counts_text
from onnx_acts.conformance.suite import Result

__all__ = ["markdown_text"]


def markdown_text(result: Result, environment: dict[str, Any], command: str = "") -> str:
    """A table for each element type, the reasons, the failures, the environment."""
    parts = [f"# Conformance: {'ok' if result.ok else 'NOT OK'}", f"{counts_text(result)}."]
    parts.append(
        "The largest error in ULP for each operator and runtime. "
        + ", ".join(f"{MARKS[name]} {name}" for name in VERDICTS)
        + "; *: some cases have no answer."
    )
    for dtype in dict.fromkeys(cell.dtype for cell in result.cells):
        parts += [f"## {dtype}", _table(result, dtype)]
    parts += _reasons(result)
    failures = [cell_failures(cell) for cell in result.cells if cell.status == "fail"]
    if failures:
        parts += ["## Failures", *(f"```\n{text}\n```" for text in failures)]
    if result.stale:
        parts += ["## Records that no longer hold", _list(map(_escaped, result.stale))]
    parts += ["## Environment", _environment(result, environment, command)]
    return "\n\n".join(parts) + "\n"


def _table(result: Result, dtype: str) -> str:
    """A row for each operator, a column for each runtime."""
    runtimes = facts(result)
    cells = [cell for cell in result.cells if cell.dtype == dtype]
    rows = [["operator", *(_escaped(item.name) for item in runtimes)]]
    rows.append(["---"] * len(rows[0]))
    for operator in dict.fromkeys(cell.operator for cell in cells):
        row = [operator]
        for item in runtimes:
            here = [c for c in cells if (c.operator, c.runtime) == (operator, item.name)]
            word = verdict(here, item)
            ran = word in ("fail", "known", "pass")
            row.append(f"{MARKS[word]} {figure(here)}".strip() if ran else MARKS[word])
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _reasons(result: Result) -> list[str]:
    """What is known of each runtime, each reason once."""
    found: dict[str, None] = {}
    for cell in result.cells:
        for reason in cell.reasons:
            found[f"**{_escaped(cell.runtime)}**: {_escaped(reason)}"] = None
    return ["## Known differences, and what has no answer", _list(found)] if found else []


def _environment(result: Result, environment: dict[str, Any], command: str) -> str:
    packages = {k: v for k, v in environment["packages"].items() if v}
    packages |= {item.package: item.version for item in facts(result) if item.version}
    lines = [f"{name} {version}" for name, version in packages.items()]
    lines += [
        f"{environment['system']}, Python {environment['python']}",
        f"{environment['cpu']}, {environment['cpu_count']} CPUs",
        environment["date"],
    ]
    return _list(map(_escaped, lines)) + (f"\n\n    {command}" if command else "")


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _escaped(text: str) -> str:
    """Text that Markdown takes as it is, in one line."""
    return re.sub(r"([\\`*_|<>\[\]#])", r"\\\1", " ".join(text.split()))
