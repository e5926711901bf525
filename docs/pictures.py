"""The pictures of README and docs, and the table over versions of ONNX Runtime.

`python -m docs.pictures` makes them from what was measured: `docs/figures/*.json`, which
`python -m docs.ort_versions` and `python -m docs.elu_error` write.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onnx_acts.definition import reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["medians", "version_table", "with_version_table"]

DOCS = Path(__file__).parent
FIGURES = DOCS / "figures"
BENCHMARKS = DOCS / "benchmarks.md"

BEGIN, END = (
    "<!-- versions: written by `python -m docs.pictures` -->\n",
    "<!-- end of versions -->\n",
)
_MARKED = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)

_SHOWN = ("1.17.3", "1.26.0", "1.27.0", "1.31.1")
"""The versions in the picture of the README; the table has all."""

_OURS, _THEIRS, _COPY = "#00796b", "#b0653a", "#444444"


def measured(name: str) -> dict[str, Any]:
    """One file of measurements."""
    found: dict[str, Any] = json.loads((FIGURES / f"{name}.json").read_text("utf-8"))
    return found


def medians(figures: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Microseconds by version and peer, the median over rounds."""
    return {
        version: {name: statistics.median(times) for name, times in peers.items()}
        for version, peers in figures["microseconds"].items()
    }


def version_table(figures: dict[str, Any]) -> str:
    """The section over versions of ONNX Runtime, for docs/benchmarks.md."""
    found = medians(figures)
    rounds = {len(times) for peers in figures["microseconds"].values() for times in peers.values()}
    size = "x".join(map(str, figures["shape"]))
    lines = [
        "## Versions of ONNX Runtime",
        "",
        "How ONNX Runtime's own nodes compare with ours depends on its version. Float32,"
        f" {size}, x random normal, PReLU with one slope per channel, 1 thread; microseconds.",
        "",
        "| onnxruntime | copy | its PRelu | our PReLU | ratio | its Elu | our ELU | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for version, times in found.items():
        cells = [
            version,
            f"{times['copy']:.0f}",
            *(f"{times['PRelu']:.0f}", f"{times['PReLU']:.0f}"),
            f"{times['PRelu'] / times['PReLU']:.2f}",
            *(f"{times['Elu']:.0f}", f"{times['ELU']:.0f}"),
            f"{times['Elu'] / times['ELU']:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"- machine: {figures['cpu']}, instruction set level {figures['level']};"
        f" onnx-acts {figures['onnx_acts']}",
        f"- date: {figures['date']}; command: {figures['command']} (`make versions`)",
        f"- Each figure is the median over {max(rounds)} processes of the median of one process, in"
        " time of the computing thread on its processor: the machine had other work, and"
        " waiting for it does not count. The versions took turns. Outputs were verified first.",
    ]
    return "\n".join(lines) + "\n"


def with_version_table(text: str, figures: dict[str, Any]) -> str:
    """A document with the section made anew, put before the goals where it is missing."""
    section = f"{BEGIN}{version_table(figures)}{END}"
    if _MARKED.search(text):
        return _MARKED.sub(lambda _: section, text)
    return text.replace("## Goals\n", f"{section}\n## Goals\n", 1)


def front() -> Figure:
    """Time of PReLU and ELU, and the error of ELU near zero."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    bars, curves = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_times(bars, measured("ort_versions"))
    _draw_errors(curves, measured("elu_error"))
    return figure


def _draw_times(axes: Axes, figures: dict[str, Any]) -> None:
    found = {version: medians(figures)[version] for version in _SHOWN}
    newest = list(found)[-1]
    labels, place = [], 0.0
    places = []
    for theirs, ours in (("PRelu", "PReLU"), ("Elu", "ELU")):
        rows = [(f"{ours}, onnx-acts", found[newest][ours], _OURS)]
        rows += [(f"{theirs}, {version}", found[version][theirs], _THEIRS) for version in found]
        for label, time, colour in rows:
            axes.barh(place, time / 1000, 0.75, color=colour)
            axes.text(time / 1000 + 0.04, place, f"{time / 1000:.2f}", va="center", fontsize=7)
            labels.append(label)
            places.append(place)
            place += 1
        place += 0.6
    copy = statistics.median(times["copy"] for times in found.values()) / 1000
    axes.axvline(copy, color=_COPY, linewidth=1, linestyle="--")
    axes.text(copy, -0.7, f"a copy: {copy:.2f}", fontsize=7, color=_COPY)
    axes.set_yticks(places, labels, fontsize=7.5)
    axes.set_xlim(right=4.6)
    axes.invert_yaxis()
    size = "x".join(map(str, figures["shape"]))
    axes.set_xlabel("milliseconds", fontsize=8)
    axes.set_title(
        f"Time: float32, {size}, 1 thread; ONNX Runtime's\n"
        f"own nodes by its version, ours on {newest}",
        fontsize=9,
    )
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_errors(axes: Axes, figures: dict[str, Any]) -> None:
    errors = figures["largest_relative_error"]
    version = figures["onnxruntime"]
    axes.loglog(figures["x"], errors["Elu"], color=_THEIRS)
    axes.loglog(figures["x"], errors["ELU"], color=_OURS)
    axes.text(2e-4, 2e-3, f"Elu of ONNX Runtime {version}", fontsize=8, color=_THEIRS)
    axes.text(3e-6, 1.5e-7, "ELU of onnx-acts", fontsize=8, color=_OURS)
    axes.axhline(1, color=_COPY, linewidth=0.8, linestyle="--")
    axes.text(1, 1.3, "every digit wrong", fontsize=7, color=_COPY, ha="right")
    axes.set_ylim(1e-8, 10)
    axes.set_xlabel("-x", fontsize=8)
    axes.set_title("ELU near zero, float32:\nlargest relative error", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def activations() -> Figure:
    """The five activations and their derivatives; RReLU with the band of its random slopes."""
    from matplotlib.figure import Figure

    x = np.linspace(-4, 3, 1401)
    parts = {
        "ReLU": (reference.relu(x), reference.relu_derivative(x)),
        "LeakyReLU, alpha = 0.1": (
            reference.leaky_relu(x, 0.1),
            reference.leaky_relu_derivative(x, 0.1),
        ),
        "PReLU, slope = 0.25": (
            reference.prelu(x, np.array(0.25)),
            reference.prelu_derivative(x, np.array(0.25)),
        ),
        "RReLU, 1/8 to 1/3": (reference.rrelu(x)[0], reference.rrelu_derivative(x)),
        "ELU, alpha = 1": (reference.elu(x), reference.elu_derivative(x)),
    }
    figure = Figure(figsize=(10, 4), layout="constrained")
    rows = figure.subplots(2, len(parts), sharex=True, sharey="row")
    for column, (title, (y, slope)) in enumerate(parts.items()):
        above, below = rows[0][column], rows[1][column]
        above.plot(x, y, color=_OURS)
        below.plot(x[x < 0], slope[x < 0], color=_OURS)
        below.plot(x[x >= 0], slope[x >= 0], color=_OURS)
        if title.startswith("RReLU"):
            negative = np.minimum(x, 0)
            above.fill_between(x, negative / 8, negative / 3, color=_OURS, alpha=0.25, lw=0)
            below.fill_between(x[x < 0], 1 / 8, 1 / 3, color=_OURS, alpha=0.25, lw=0)
        above.set_title(title, fontsize=9)
        for axes in (above, below):
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
        below.set_xlabel("x", fontsize=8)
    rows[0][0].set_ylabel("y", fontsize=9)
    rows[1][0].set_ylabel("dy/dx", fontsize=9)
    rows[0][0].set_ylim(-1.6, 3)
    rows[1][0].set_ylim(-0.1, 1.15)
    return figure


def main() -> int:
    """Draws all pictures and writes the table."""
    for name, draw in (("front", front), ("activations", activations)):
        # Without the version of Matplotlib inside, the same picture is the same file.
        draw().savefig(FIGURES / f"{name}.png", dpi=110, metadata={"Software": None})
    text = BENCHMARKS.read_text("utf-8")
    BENCHMARKS.write_text(with_version_table(text, measured("ort_versions")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
