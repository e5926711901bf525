"""The table of all runtimes at the head of the accuracy page, and the file that it is made from.

    onnx-acts conform --runtimes all --groups dense --html build/dense.html --json build/dense.json
    python -m tests.native.accuracy.runtimes build/dense.json docs/figures/runtimes.json [DEVICE]

The second command takes the figures of each runtime that the run has measured into the file, with
its version, the machine and the date; those of others stay as they are. DEVICE is where they
computed, if not on the CPU.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx_acts.conformance.case import numpy_type
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS
from onnx_acts.files.writing import write_atomically

Record = dict[str, Any]
Figures = dict[str, Any]

_KERNEL = "onnx-acts kernels, CPU"


def figures(report: Mapping[str, Any], device: str = "CPU") -> Figures:
    """What the page needs of a report of `onnx-acts conform --html --json`, by runtime."""
    environment, found = report["environment"], {}
    for runtime in report["runtimes"]:
        cells = [c for c in report["cells"] if c["runtime"] == runtime["name"] and "record" in c]
        rows = [_row(cell) for cell in cells if cell["record"]["elements"]]
        if rows:
            found[runtime["name"]] = {
                "title": runtime["title"],
                "version": " ".join(filter(None, (runtime["package"], runtime["version"]))),
                "device": device,
                "machine": f"{environment['cpu']}, {environment['cpu_count']} CPUs",
                "date": environment["date"],
                "command": report["command"],
                "rows": rows,
            }
    return found


def _row(cell: Mapping[str, Any]) -> Record:
    """One operator and element type: the largest error, its input, the wrong classes."""
    record = cell["record"]
    numbers = [worst for worst in record["worst"] if worst["ulp"] is not None]
    classes = [worst for worst in record["worst"] if worst["ulp"] is None]
    return {
        "operator": cell["operator"],
        "dtype": cell["dtype"],
        "elements": record["elements"],
        "max_ulp": cell["max_ulp"],
        # Then the bits were compared.
        "rounded": cell["promise"] == 0.5 and cell["status"] == "pass",
        "at": _place(numbers[0]) if numbers else None,
        "wrong": record["histogram"][-1],
        "wrong_at": _place(classes[0]) if classes else None,
    }


def _place(worst: Mapping[str, Any]) -> str:
    given = f", {worst['parameter']}" if worst["parameter"] else ""
    return f"{worst['x']} ({worst['x_bits']}{given})"


def overview(found: Figures, cpu: Iterable[Record]) -> str:
    """A section with a table for each element type: a row for each operator, a column for each.

    Args:
        found: the figures by runtime.
        cpu: the records of the kernels' own sweeps.
    """
    sweeps = list(cpu)
    lines = ["## Runtimes", "", _EXPLANATION]
    for dtype in ELEMENT_TYPES:
        columns = [name for name in found if _rows(found[name], dtype)]
        lines += [f"### {dtype}", ""]
        head = ["operator", _KERNEL, *(f"{name}, {found[name]['device']}" for name in columns)]
        table = [head, ["---"] * len(head)]
        for operator in (spec.name for spec in SPECS):
            mine = [r for r in sweeps if r["dtype"] == dtype and operator in r["op"].split(", ")]
            others = [_cell(found[name], operator, dtype) for name in columns]
            table.append([operator, _swept(mine), *others])
        lines += [f"| {' | '.join(row)} |" for row in table] + [""]
    lines += ["### What was measured", "", *_versions(found)]
    return "\n".join(lines) + "\n"


_EXPLANATION = """\
The largest error in ULP and, beside it, the input that gives it, with its bits and the parameter
where it has one. "Exhaustive": every input of the type was tried, with the parameters that are
listed below or, of the runtimes, the default, 0.7 more, -0.3, 1.00390625 and 3. "At least": a sweep
over every binade, so that a larger error may exist. "Wrong class": a NaN, an infinity, a zero or a
sign is lost or made up; the figure is that of the other results. "Exact": no result was rounded,
as ReLU has none to round. An error of at most 0.5 may still be the wrong one of two neighbours at a
tie; "correctly rounded" is said where the bits are the right ones.
"""


def _rows(runtime: Mapping[str, Any], dtype: str) -> list[Record]:
    return [row for row in runtime["rows"] if row["dtype"] == dtype]


def _cell(runtime: Mapping[str, Any], operator: str, dtype: str) -> str:
    """The figure of a runtime; a dash where it has no such kernel."""
    rows = [row for row in _rows(runtime, dtype) if row["operator"] == operator]
    if not rows:
        return "-"
    row = rows[0]
    scope = "exhaustive" if numpy_type(dtype).itemsize == 2 else "at least"
    parts = []
    if row["max_ulp"] <= 0.5:
        swept = "exhaustive" if scope == "exhaustive" else "in the sweep"
        parts.append(f"{_small(row)}, {swept}")
    else:
        where = f" at {row['at']}" if row["at"] else ""
        parts.append(f"{scope} {_up(row['max_ulp'])}{where}")
    if row["wrong"]:
        parts.append(f"wrong class at {row['wrong_at']}")
    return "; ".join(parts)


def _small(row: Mapping[str, Any]) -> str:
    """What is said of errors of half a unit at most."""
    if row["max_ulp"] == 0 and not row["wrong"]:
        return "exact"
    return "correctly rounded" if row.get("rounded") else "0.5 or less"


def _swept(records: Sequence[Record]) -> str:
    """What the sweeps of our own kernels found, over all their parameters and levels."""
    if not records:
        return "not measured"
    exhaustive = all(record["dtype"] in ("float16", "bfloat16", "float32") for record in records)
    scope = "exhaustive" if exhaustive else "at least"
    worst = max(records, key=lambda record: record["worst"] or 0.0)
    if worst["worst"] is None:
        return f"correctly rounded, {'exhaustive' if exhaustive else 'every input tried'}"
    plain = [record for record in records if record["parameter"] == "1"]
    first = max(plain or [worst], key=lambda record: record["worst"])
    return (
        f"{scope} {_up(first['worst'])} at {first['at']};"
        f" with any parameter {_up(worst['worst'])} at {worst['at']} ({worst['parameter']})"
    )


def _up(value: float) -> str:
    """Rounded up, so that a figure never looks better than it is; three digits from 1000 on."""
    if value < 1000:
        return f"{-(-value * 10_000 // 1) / 10_000:.4f}"
    power = math.floor(math.log10(value))
    return f"{math.ceil(value / 10**power * 100) / 100:.2f}e{power}"


def _versions(found: Figures) -> list[str]:
    """The version, the machine, the date and the command of each runtime."""
    lines = ["| runtime | what it is | version | date | machine | command |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, item in found.items():
        row = (name, item["title"], item["version"], item["date"], item["machine"])
        lines.append(f"| {' | '.join(row)} | `{item['command']}` |")
    return lines


def main(report: str, target: str, device: str = "CPU") -> None:
    """Takes a report's figures into the file."""
    path = Path(target)
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    new = figures(json.loads(Path(report).read_text(encoding="utf-8")), device)
    write_atomically(path, (json.dumps(old | new, indent=1, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
