"""Reports of a benchmark for people: text, and a page for the documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from onnx_acts.bench.goals import goal_table
from onnx_acts.bench.peers import COPIES, OURS, PEERS
from onnx_acts.bench.rows import Row, environment_lines
from onnx_acts.bench.workload import CHAIN
from onnx_acts.text.tables import WIDTH, columns

__all__ = ["markdown_text", "table_text"]

_LEGEND = (
    'Times in µs for one call. "ours x copy": our time over that of the faster copy of the same'
    " bytes; the columns after it: the peer's time over ours (above 1, ours is faster). In the rows"
    f' "chain", {CHAIN} nodes follow one another, and the time is for one of them; their slopes are'
    " close to 1, because those of networks would soon leave zeros and subnormal numbers, with"
    " which some processors take many times as long. ONNX Runtime's worker threads look for work"
    " for 1 ms before they sleep, not for its default of about 50 ms, which would disturb the peers"
    " that come next."
)

_VARIANT_LEGEND = (
    "Variants run in the same turns as the rows above; here a figure above 1 means that the variant"
    " takes longer than ours of that row."
)

_NETWORK_LEGEND = (
    "Whole networks with random weights, exported by this package: ours is the file with onnx_acts"
    " nodes on ONNX Runtime with the native library; standard and openvino run the file of standard"
    " operators. Times in ms for one run. A share is the activation nodes' part of the time that"
    " ONNX Runtime's profiler gives to all nodes. With activations that take no time, the standard"
    " file would run about 1 / (1 - its share) times as fast: the most that faster ones can"
    " reach.\n\n"
    "- iresnet18: the face-recognition network of ArcFace\n"
    "- fsrcnn: super-resolution, FSRCNN(56, 12, 4), factor 2\n"
    "- edsr: super-resolution with EDSR's residual body of 16 blocks of 16 channels, factor 2,"
    " enlarged in one step at its end"
)


_KEYS = 4
"""Columns that say what a row is."""

_TEXTS = ("operator", "network", "type", "input")
"""Headings of columns that hold no numbers."""


def table_text(rows: Sequence[Row], environment: dict[str, Any]) -> str:
    """The environment, one line for each row, and the goals."""
    lines = [*environment_lines(environment), ""]
    for cells in (_figures(_operators(rows)), _variant_figures(rows), _network_figures(rows)):
        numbers = [name for name in cells[0] if name not in _TEXTS] if cells else []
        lines += [*columns(cells, numbers, _KEYS), ""] if cells else []
    lines += textwrap.wrap(_LEGEND, WIDTH, break_on_hyphens=False)
    lines += [f"{peer.name}: {peer.title}" for peer in PEERS]
    lines += [*_absences(rows), "", *goal_table(rows, _level(environment))]
    return "\n".join(lines).rstrip()


def markdown_text(rows: Sequence[Row], environment: dict[str, Any], *, picture: str = "") -> str:
    """The page of results: where it is from, the goals, the networks, a table for each size.

    Args:
        rows: what was measured.
        environment: what `rows.environment_lines` takes.
        picture: the way from the page to the picture, "" is none.
    """
    lines = ["# Benchmarks", "", *(f"- {line}" for line in environment_lines(environment)), ""]
    lines += [
        "Run the command for the figures of your machine: only ratios within one run mean",
        "something. Each figure is a median over turns that the peers take in random order;",
        "outputs were verified first.",
    ]
    lines += ["", f"![Bandwidth over the copy's]({picture})"] if picture else []
    goals = goal_table(rows, _level(environment))
    lines += ["", "## Goals", "", *goals] if goals else []
    networks = _network_figures(rows)
    if networks:
        lines += ["", "## Networks", "", _NETWORK_LEGEND, "", *_markdown(networks)]
    lines += ["", "## How to read the tables", "", _LEGEND, "", _VARIANT_LEGEND, ""]
    lines += [f"- {peer.name}: {peer.title}" for peer in PEERS]
    lines += _size_tables(_operators(rows))
    absences = _absences(rows)
    lines += ["", "## Not measured", "", *(f"- {line}" for line in absences)] if absences else []
    return "\n".join(lines) + "\n"


def _size_tables(operators: Sequence[Row]) -> list[str]:
    """Two tables for each size and number of threads: peers and variants."""
    lines: list[str] = []
    for size, threads in dict.fromkeys((row.size, row.threads) for row in operators):
        chosen = [row for row in operators if (row.size, row.threads) == (size, threads)]
        plural = "thread" if threads == 1 else "threads"
        lines += ["", f"## {_described(size)}, {threads} {plural}"]
        for cells in (_figures(chosen), _variant_figures(chosen)):
            narrow = [[*line[:2], *line[4:]] for line in cells]  # size and threads do not vary
            lines += ["", *_markdown(narrow)] if cells else []
    return lines


def _operators(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.shares is None]


def _level(environment: dict[str, Any]) -> str:
    return str(environment["library"].get("isa", ""))


def _measured(rows: Sequence[Row], *, variants: bool) -> list[str]:
    """The peers that ours is compared with, as far as one was measured; or the variants."""
    names = {name for row in rows for name in row.times} - {OURS, *COPIES}
    return [p.name for p in PEERS if p.name in names and (p.variant is not None) == variants]


def _figures(rows: Sequence[Row]) -> list[list[str]]:
    """A heading and one line for each operator's row."""
    peers = _measured(rows, variants=False)
    heading = ["operator", "type", "size", "threads", "copy µs", "ours µs", "ours x copy"]
    lines = [[*heading, *(f"{name}/ours" for name in peers)]]
    for row in rows:
        line = [*_place(row), _number(row.copy, 1e6), _number(row.ours, 1e6)]
        line.append(_number(row.to_copy(OURS)))
        lines.append([*line, *(_number(row.to_ours(name)) for name in peers)])
    return lines if rows else []


def _variant_figures(rows: Sequence[Row]) -> list[list[str]]:
    """The same for the variants, of the rows that have any."""
    names = _measured(_operators(rows), variants=True)
    lines = [["operator", "type", "size", "threads", *(f"{name}/ours" for name in names)]]
    for row in rows:
        if any(name in row.times for name in names):
            lines.append([*_place(row), *(_number(row.to_ours(name)) for name in names)])
    return lines if names else []


def _network_figures(rows: Sequence[Row]) -> list[list[str]]:
    """The same for networks."""
    networks = [row for row in rows if row.shares is not None]
    peers = [*_measured(networks, variants=False), *_measured(networks, variants=True)]
    heading = ["network", "type", "input", "threads", "ours ms", *(f"{p}/ours" for p in peers)]
    lines = [[*heading, "share", "standard's share"]]
    for row in networks:
        shares = [(row.shares or {}).get(name) for name in (OURS, "standard")]
        ratios = (_number(row.to_ours(name)) for name in peers)
        percent = (_number(share, 100, " %") for share in shares)
        lines.append([*_place(row), _number(row.ours, 1e3), *ratios, *percent])
    return lines if networks else []


def _place(row: Row) -> list[str]:
    return [row.name, row.dtype, row.size, str(row.threads)]


def _number(value: float | None, factor: float = 1, unit: str = "") -> str:
    """Three digits, or a dash."""
    if value is None:
        return "-"
    scaled = value * factor
    return f"{scaled:.0f}{unit}" if scaled >= 100 else f"{scaled:.3g}{unit}"


def _described(size: str) -> str:
    """A size in words: "16K elements"."""
    shape = size.removeprefix("chain-")
    text = "1 element" if shape == "1" else f"{shape} elements"
    return text if shape == size else f"{text}, one node of {CHAIN}"


def _markdown(cells: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; what is text stands to the left, numbers to the right."""
    texts = [f"| {' | '.join(line)} |" for line in cells]
    rule = "|".join("---" if name in _TEXTS else "---:" for name in cells[0])
    return [texts[0], f"|{rule}|", *texts[1:]]


def _absences(rows: Sequence[Row]) -> list[str]:
    """Why peers are absent, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for name, reason in row.absent.items():
            if name not in COPIES:
                places = reasons.setdefault((name, reason), [])
                places.append(f"{row.name} {row.dtype}")
    return [
        f"{name} absent from {', '.join(dict.fromkeys(places))}: {reason}"
        for (name, reason), places in reasons.items()
    ]
