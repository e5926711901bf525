"""Writes what check.sh found into the documents: python tests/gpu/document.py REPORT.

The CUDA sections of docs/benchmarks.md and docs/accuracy.md stand between two marks, and are put at
the end where there are none. Without figures a document stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
        f"- CUDA runtime {device['runtime']}, driver {device['driver']}",
    ]
    return [*lines, f"- versions: {versions}"] if versions else lines


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


def accuracy(report: Mapping[str, Any]) -> list[str]:
    """The sweeps on the device, and how many elements were compared with the CPU's bits."""
    rows = [
        [
            *(row["operator"], row["type"], f"{row['alpha']:.9g}"),
            *(str(row["elements"]), f"{row['max_ulp']:.3f}"),
        ]
        for row in report["kernels"]
        if row["what"] == "accuracy"
    ]
    same = [row for row in report["kernels"] if row["what"] == "bits as on the CPU"]
    if not rows or not same:
        return []
    lines = table(["operator", "type", "alpha", "elements", "largest error, ULP"], rows)
    bits = [[row["functor"], row["type"], str(row["different"])] for row in same]
    text = "Elements whose bits differ from the CPU's (NaN counts as one value):"
    return [*lines, "", text, *table(["kernel", "type", "different"], bits)]


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
    sections = {
        "benchmarks.md": kernel_times(report) + session_times(report),
        "accuracy.md": accuracy(report),
    }
    return [name for name, parts in sections.items() if replace(folder / name, report, parts)]


def main() -> None:
    """Reads the report and says what was written."""
    report = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print("\n".join(document(report, DOCS)) or "there are no figures: nothing was written")


if __name__ == "__main__":
    main()
