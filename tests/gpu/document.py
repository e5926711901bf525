"""Writes what check.sh found into the documents: python tests/gpu/document.py REPORT.

The CUDA section of docs/benchmarks.md stands between two marks, and is put at the end where there
are none; docs/accuracy/cuda.json is what `make tables` makes the accuracy page of. Without figures
a document stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onnx_acts.definition.specs import SPECS
from tests.building import ROOT

BEGIN, END = "<!-- CUDA: written by tests/gpu/document.py -->", "<!-- end of CUDA -->"
DOCS = ROOT / "docs"
PEERS = ("standard", "pytorch", "compiled")


def origin(report: Mapping[str, Any]) -> list[str]:
    """Date, device and versions."""
    (device,) = [row for row in report["kernels"] if row["what"] == "device"]
    packages = report.get("bench", {}).get("environment", {}).get("packages", {})
    versions = ", ".join(f"{name} {number}" for name, number in packages.items() if number)
    lines = [
        f"- date: {report['date']}",
        f"- device: {device['name']}, compute capability {device['capability']}",
        f"- CUDA runtime: {_version(device['runtime'])}",
        f"- driver: {_version(device['driver'])}",
    ]
    return [*lines, f"- versions: {versions}"] if versions else lines


def _version(number: int) -> str:
    """13000 is 13.0."""
    return f"{number // 1000}.{number % 1000 // 10}"


def table(heading: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return ["", *(f"| {' | '.join(line)} |" for line in lines)]


def kernel_times(report: Mapping[str, Any]) -> list[str]:
    """The kernels by themselves, against a copy."""
    times = [row for row in report["kernels"] if row["what"] == "time"]
    most = max((row["blocks_per_processor"] for row in times), default=0)
    rows = [
        [
            *(row["kernel"], row["type"], str(row["elements"])),
            *(f"{row['us']:.2f}", f"{row['gb_per_s']:.0f}", f"{100 * row['of_copy']:.1f} %"),
        ]
        for row in times
        if row["blocks_per_processor"] == most
    ]
    heading = ["kernel", "type", "elements", "us", "GB/s", "bandwidth, of a copy's"]
    return table(heading, rows) if rows else []


def session_times(report: Mapping[str, Any]) -> list[str]:
    """Sessions, against ONNX Runtime's own nodes and PyTorch."""
    rows = []
    for row in report.get("bench", {}).get("rows", []):
        times = row["seconds"]
        ours = times["library"]
        ratios = [f"{times[name] / ours:.3g}" if name in times else "-" for name in PEERS]
        relu = f"{ours / times['relu']:.3g}" if "relu" in times else "-"
        rows.append(
            [
                *(row["operator"], row["dtype"], row["size"], f"{1e6 * ours:.1f}"),
                *(f"{ours / times['copy']:.3g}", *ratios, relu),
            ]
        )
    heading = ["operator", "type", "size", "ours us", "ours/copy"]
    heading += [*(f"{name}/ours" for name in PEERS), "ours/Relu"]
    return table(heading, rows) if rows else []


def accuracy(report: Mapping[str, Any]) -> dict[str, Any]:
    """The sweeps on the device, and the bits compared with the CPU's, as the accuracy page has it.

    Empty where nothing was compared.
    """
    rows = report["kernels"]
    curves = [_swept(row) for row in rows if row["what"] == "accuracy"]
    bits = [
        _compared(row, name)
        for row in rows
        if row["what"] == "bits as on the CPU"
        for name in _operators(row["functor"])
    ]
    if not curves or not bits:
        return {}
    lines = dict(line.removeprefix("- ").split(": ", 1) for line in origin(report))
    environment = {
        "title": "CUDA",
        "machine": lines["device"],
        "versions": f"CUDA runtime {lines['CUDA runtime']}, driver of CUDA {lines['driver']}",
        "date": report["date"],
        "command": "tests/gpu/check.sh kernels REPORT",
    }
    return {"environment": environment, "records": [*bits, *curves]}


def _operators(kernel: str) -> list[str]:
    """The operators that a kernel serves."""
    sources = {"slopes": "input", "draws": "draw"}
    if kernel in sources:
        return [spec.name for spec in SPECS if spec.parameter_source == sources[kernel]]
    uniform = [spec for spec in SPECS if spec.parameter_source in ("none", "attribute")]
    if kernel == "by table":
        return [spec.name for spec in uniform if not spec.is_product]
    return [spec.name for spec in uniform if spec.functor == kernel]


def _compared(row: Mapping[str, Any], operator: str) -> dict[str, Any]:
    return _RECORD | {
        "op": operator,
        "dtype": row["type"],
        "parameter": {"Relu": "", "draws": "in training"}.get(row["functor"], "several"),
        "inputs": row["elements"],
        "oracle": "the CPU's bits",
        "wrong": row["different"],
        "limit": 0.5,
    }


def _swept(row: Mapping[str, Any]) -> dict[str, Any]:
    return _RECORD | {
        "op": row["operator"],
        "dtype": row["type"],
        "parameter": f"{row['alpha']:.9g}",
        "inputs": row["elements"],
        "oracle": "wider arithmetic",
        "worst": row["max_ulp"],
        "at": f"{row['at']:.9g}",
        "limit": 1.0,
    }


_RECORD = {"level": "CUDA", "wrong": 0, "worst": None, "at": None}


def replace(path: Path, report: Mapping[str, Any], parts: list[str]) -> bool:
    """Puts a section into a document; False where there is nothing to say."""
    if not parts:
        return False
    section = "\n".join([BEGIN, "", "## On CUDA", "", *origin(report), *parts, "", END])
    text = path.read_text("utf-8")
    before, mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if mark else "\n"
    path.write_text(f"{before.rstrip()}\n\n{section}{after}", "utf-8")
    return True


def document(report: Mapping[str, Any], folder: Path) -> list[str]:
    """Writes both sections; returns the names of the documents written.

    Raises:
        ValueError: something in the report is wrong; figures of a failed run are not published.
    """
    if not report["ok"]:
        failed = [name for name, step in report["steps"].items() if step.get("status")]
        raise ValueError(f"not written: these steps failed: {', '.join(failed)}")
    written = []
    if replace(folder / "benchmarks.md", report, kernel_times(report) + session_times(report)):
        written.append("benchmarks.md")
    if content := accuracy(report):
        target = folder / "accuracy" / "cuda.json"
        target.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
        written.append("accuracy/cuda.json")
    return written


def main() -> None:
    """Reads the report and says what was written."""
    report = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print("\n".join(document(report, DOCS)) or "there are no figures: nothing was written")


if __name__ == "__main__":
    main()
