"""Reports of a benchmark: text, JSON, a page for the documentation, a picture."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx_acts.bench.goals import goal_table
from onnx_acts.bench.measure import Measurement, Row
from onnx_acts.bench.peers import COPIES, OURS, PEERS
from onnx_acts.bench.workload import CHAIN, SIZES

__all__ = [
    "check_picture",
    "from_json",
    "json_text",
    "markdown_text",
    "save_picture",
    "table_text",
]


def json_text(rows: Sequence[Row], environment: dict[str, Any]) -> str:
    """Everything, as JSON; times are in seconds."""
    content = {
        "environment": environment,
        "rows": [
            {
                **dataclasses.asdict(row),
                "to_copy": {name: row.to_copy(name) for name in row.times},
                "to_ours": {name: row.to_ours(name) for name in row.times},
            }
            for row in rows
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def from_json(text: str) -> tuple[list[Row], dict[str, Any]]:
    """Reads what `json_text` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        content = json.loads(text)
        rows, environment = [_row(item) for item in content["rows"]], dict(content["environment"])
        _environment_lines(environment)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"this is not what `onnx-acts bench --json` writes ({type(error).__name__}: {error})"
        ) from error
    return rows, environment


def _row(item: dict[str, Any]) -> Row:
    if item["size"] not in SIZES:
        raise ValueError(f"unknown size {item['size']!r}")
    times = {name: _measurement(found) for name, found in item["times"].items()}
    names = ("operator", "dtype", "size", "threads")
    return Row(**{name: item[name] for name in names}, times=times, absent=dict(item["absent"]))


def _measurement(found: dict[str, Any]) -> Measurement:
    first, third = map(float, found["quartiles"])
    median, faults = float(found["median"]), float(found["page_faults"])
    return Measurement(median, (first, third), int(found["turns"]), int(found["calls"]), faults)


def table_text(rows: Sequence[Row], environment: dict[str, Any]) -> str:
    """The environment and one line for each row."""
    lines = [*_environment_lines(environment), ""]
    cells = _figures(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (text.rjust(width) for text, width in zip(line, widths, strict=True))
        lines.append("  ".join(padded))
    lines += ["", _LEGEND, *(f"{peer.name}: {peer.title}" for peer in PEERS)]
    return "\n".join([*lines, *_absences(rows)])


def markdown_text(rows: Sequence[Row], environment: dict[str, Any]) -> str:
    """The page of results: where it is from, the goals, a table for each size and threads."""
    lines = ["# Benchmarks", "", *(f"- {line}" for line in _environment_lines(environment)), ""]
    lines += [
        "Run the command for the figures of your machine: only ratios within one run mean",
        "something. Each figure is a median over turns that the peers take in random order;",
        "outputs were verified first.",
    ]
    goals = goal_table(rows)
    lines += ["", "## Goals", "", *goals] if goals else []
    lines += ["", "## How to read the tables", "", _LEGEND, ""]
    lines += [f"- {peer.name}: {peer.title}" for peer in PEERS]
    for size, threads in dict.fromkeys((row.size, row.threads) for row in rows):
        chosen = [row for row in rows if (row.size, row.threads) == (size, threads)]
        plural = "thread" if threads == 1 else "threads"
        lines += ["", f"## {_described(size)}, {threads} {plural}", "", *_markdown_table(chosen)]
    absences = _absences(rows)
    lines += ["", "## Not measured", "", *(f"- {line}" for line in absences)] if absences else []
    return "\n".join(lines) + "\n"


def check_picture(path: str) -> None:
    """Requires that `save_picture` can draw to a path, before the work.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the file's name ends in no picture format.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise ImportError(
            "the picture needs matplotlib: install it with `pip install matplotlib`"
        ) from error
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in FigureCanvasBase.filetypes:
        known = ", ".join(sorted(FigureCanvasBase.filetypes))
        raise ValueError(f"--picture {path}: the name must end in a picture format: {known}")


def save_picture(rows: Sequence[Row], path: str) -> None:
    """Draws the peers' times over the copy's, one panel for each element type.

    The rows are those of the largest size and the fewest threads.

    Raises:
        ImportError, ValueError: as in `check_picture`; or there are no rows.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    chosen = _largest(rows)
    dtypes = list(dict.fromkeys(row.dtype for row in chosen))
    figure = Figure(figsize=(4 * len(dtypes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(dtypes), sharey=True, squeeze=False)[0]
    for panel, dtype in zip(panels, dtypes, strict=True):
        _draw(panel, [row for row in chosen if row.dtype == dtype], [OURS, *_others(chosen)])
        panel.set_title(dtype)
    panels[0].set_ylabel("time / time of a copy")
    panels[-1].legend(fontsize="small")
    figure.suptitle(f"{chosen[0].size}, {chosen[0].threads} thread(s)")
    figure.savefig(path, dpi=120)


_LEGEND = (
    'Times in µs for one call. "ours x copy": our time over that of the faster copy of the same'
    " bytes; the columns after it: the peer's time over ours (above 1, ours is faster). In the rows"
    f' "chain", {CHAIN} nodes follow one another, and the time is for one of them.'
)


def _others(rows: Sequence[Row]) -> list[str]:
    """The peers that ours is compared with, as far as one was measured."""
    measured = {name for row in rows for name in row.times}
    return [p.name for p in PEERS if p.name in measured - {OURS, *COPIES}]


def _figures(rows: Sequence[Row]) -> list[list[str]]:
    """A heading and one line for each row."""
    others = _others(rows)
    heading = ["operator", "type", "size", "threads", "copy µs", "ours µs", "ours x copy"]
    lines = [[*heading, *(f"{name}/ours" for name in others)]]
    for row in rows:
        ours = row.times[OURS].median if OURS in row.times else None
        line = [row.operator, row.dtype, row.size, str(row.threads)]
        line += [_number(row.copy, 1e6), _number(ours, 1e6), _number(row.to_copy(OURS))]
        lines.append([*line, *(_number(row.to_ours(name)) for name in others)])
    return lines


def _number(value: float | None, factor: float = 1) -> str:
    """Three digits, or a dash."""
    if value is None:
        return "-"
    scaled = value * factor
    return f"{scaled:.0f}" if scaled >= 100 else f"{scaled:.3g}"


def _described(size: str) -> str:
    """A size in words: "16K elements"."""
    shape = size.removeprefix("chain-")
    text = "1 element" if shape == "1" else f"{shape} elements"
    return text if shape == size else f"{text}, one node of {CHAIN}"


def _markdown_table(rows: Sequence[Row]) -> list[str]:
    """The same without the columns that do not vary."""
    lines = [[*line[:2], *line[4:]] for line in _figures(rows)]
    rule = "|---|---|" + "---:|" * (len(lines[0]) - 2)
    texts = [f"| {' | '.join(line)} |" for line in lines]
    return [texts[0], rule, *texts[1:]]


def _environment_lines(environment: dict[str, Any]) -> list[str]:
    """Machine, date, versions and command; the last two as far as an earlier run recorded them."""
    packages = ", ".join(f"{k} {v}" for k, v in environment["packages"].items() if v)
    level = environment["library"].get("isa", "none")
    cpu = f"{environment['cpu']}, {environment['cpu_count']} CPUs"
    lines = [
        f"machine: {cpu}, instruction set level {level}",
        f"versions: {packages}; Python {environment['python']}; {environment['system']}",
    ]
    return lines + [
        f"{key}: {environment[key]}" for key in ("date", "command") if key in environment
    ]


def _largest(rows: Sequence[Row]) -> list[Row]:
    """The rows of the largest size and, of these, the fewest threads."""
    if not rows:
        raise ValueError("there is nothing to draw: no row was measured")
    size = max((row.size for row in rows), key=lambda name: math.prod(SIZES[name]))
    threads = min(row.threads for row in rows if row.size == size)
    return [row for row in rows if (row.size, row.threads) == (size, threads)]


def _draw(panel: Any, rows: Sequence[Row], names: Sequence[str]) -> None:
    """One panel: a group of bars for each operator, a colour for each peer."""
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        heights = [row.to_copy(name) or 0 for row in rows]
        places = [place + number * width for place in range(len(rows))]
        panel.bar(places, heights, width, label=name)
    panel.set_xticks([place + 0.4 - width / 2 for place in range(len(rows))])
    panel.set_xticklabels([row.operator for row in rows], rotation=30)
    panel.set_yscale("log")
    panel.axhline(1, color="black", linewidth=0.8)


def _absences(rows: Sequence[Row]) -> list[str]:
    """Why peers are absent, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for name, reason in row.absent.items():
            if name not in COPIES:
                places = reasons.setdefault((name, reason), [])
                places.append(f"{row.operator} {row.dtype}")
    return [
        f"{name} absent from {', '.join(dict.fromkeys(places))}: {reason}"
        for (name, reason), places in reasons.items()
    ]
