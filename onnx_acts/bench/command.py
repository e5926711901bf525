"""`onnx-acts bench`: time our kernels against a copy and against what people use instead."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx_acts.commands import check_targets, named, progress
from onnx_acts.specs import ELEMENT_TYPES, SPECS

if TYPE_CHECKING:
    from onnx_acts.bench.measure import Plan, Row

__all__ = ["add_parser", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `onnx-acts bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="time the operators against their peers",
        description="Time the operators against a copy and against what people use instead. Every"
        " peer's output is verified first. Only ratios within one run mean something.",
    )
    for flag, what in (
        ("--ops", "operators"),
        ("--dtypes", "element types"),
        ("--sizes", "sizes"),
        ("--peers", "peers; `compiled` is measured only where it is named"),
    ):
        parser.add_argument(flag, nargs="+", metavar="NAME", help=f"only these {what}")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--seconds", type=float, help="time for each row (default 2)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns")
    parser.add_argument("--from", dest="source", metavar="FILE", help="report on an earlier --json")
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--picture", metavar="FILE", help="draw a picture (needs matplotlib)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, or reads an earlier run, and writes the reports asked for."""
    from onnx_acts.bench import report
    from onnx_acts.bench.measure import run as run_plan
    from onnx_acts.files import write_atomically
    from onnx_acts.info import environment

    check_targets((arguments.json, arguments.markdown, arguments.picture))
    if arguments.picture:
        report.check_picture(arguments.picture)
    if arguments.source:
        rows, found = _earlier(arguments.source)
    else:
        rows = list(run_plan(_plan(arguments), progress))
        found = {**environment(), "command": shlex.join(["onnx-acts", *sys.argv[1:]])}
        progress("")
    print(report.table_text(rows, found))
    for path, text in (
        (arguments.json, report.json_text),
        (arguments.markdown, report.markdown_text),
    ):
        if path:
            write_atomically(path, text(rows, found).encode())
    if arguments.picture:
        report.save_picture(rows, arguments.picture)
    return 0


def _earlier(path: str) -> tuple[list[Row], dict[str, Any]]:
    """Reads the rows and the environment of an earlier run.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is something else; the message names the file.
    """
    from onnx_acts.bench.report import from_json

    try:
        return from_json(Path(path).read_text("utf-8"))
    except ValueError as error:  # text that is not UTF-8 too
        raise ValueError(f"--from {path}: {error}") from error


def _plan(arguments: argparse.Namespace) -> Plan:
    """Turns the filters into a plan.

    Raises:
        ValueError: a name that there is not, or a number that makes no sense.
    """
    from onnx_acts.bench.measure import Plan
    from onnx_acts.bench.peers import PEERS
    from onnx_acts.bench.workload import SIZES

    if min(arguments.threads) < 1:
        raise ValueError(f"--threads must be 1 or more, got {min(arguments.threads)}")
    if arguments.seconds is not None and not arguments.seconds > 0:
        raise ValueError(f"--seconds must be above 0, got {arguments.seconds}")
    known_peers = {peer.name: peer for peer in PEERS}
    default_peers = [peer.name for peer in PEERS if not peer.on_request]
    quick_sizes = ("16K", "1") if arguments.quick else tuple(SIZES)
    return Plan(
        operators=named(arguments.ops, {spec.name: spec for spec in SPECS}, "--ops"),
        dtypes=named(arguments.dtypes, {name: name for name in ELEMENT_TYPES}, "--dtypes"),
        sizes=named(arguments.sizes or quick_sizes, {name: name for name in SIZES}, "--sizes"),
        threads=arguments.threads,
        peers=named(arguments.peers or default_peers, known_peers, "--peers"),
        seconds=arguments.seconds or (0.02 if arguments.quick else 2.0),
    )
