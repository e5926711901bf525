"""`onnx-acts bench`: time our kernels against a copy and against what people use instead."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from onnx_acts.cli.arguments import check_targets, named, progress
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS

if TYPE_CHECKING:
    from onnx_acts.bench.measure import Plan
    from onnx_acts.bench.networks import Network
    from onnx_acts.bench.rows import Row

__all__ = ["add_bench", "run"]

Item = TypeVar("Item")

_FILTERS = (
    ("--ops", "operators; `none` measures networks alone"),
    ("--dtypes", "element types"),
    ("--sizes", "sizes"),
    ("--peers", "peers; `compiled` takes long and is measured only where named, or with `all`"),
)

_LARGEST_REPORT = 2**25
"""Bytes. A report of every row has about one in a hundred of them."""

_TARGETS = ("--json", "--markdown", "--picture")


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts bench`."""
    from onnx_acts.bench.peers import PEERS
    from onnx_acts.bench.workload import SIZES

    parser.description = _folded(
        "Time the operators against a copy and against what people use instead, and whole networks."
        " Every peer's output is verified first. Only ratios within one run mean something."
    )
    peers = ", ".join(peer.name for peer in PEERS)
    parser.epilog = _folded(f"Sizes: {', '.join(SIZES)}.") + "\n" + _folded(f"Peers: {peers}.")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for flag, what in _FILTERS:
        parser.add_argument(flag, nargs="+", metavar="NAME", help=f"only these {what}")
    parser.add_argument(
        "--networks",
        nargs="+",
        default=["none"],
        metavar="NAME",
        help="whole networks to measure: `all`, `none` (default) or names; needs PyTorch",
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N")
    parser.add_argument("--seconds", type=float, help="time for each row (default 2)")
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns")
    parser.add_argument(
        "--from",
        dest="source",
        nargs="+",
        metavar="FILE",
        help="report on earlier --json files of one machine",
    )
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--picture", metavar="FILE", help="draw a picture (needs matplotlib)")
    parser.set_defaults(run=run)


def _folded(text: str) -> str:
    """Lines that keep names with hyphens whole, which argparse does not."""
    return textwrap.fill(text, break_on_hyphens=False)


def run(arguments: argparse.Namespace) -> int:
    """Measures, or reads earlier runs, and writes the reports asked for."""
    from onnx_acts.bench import picture, report, rows
    from onnx_acts.files.writing import write_atomically

    check_targets((arguments.json, arguments.markdown, arguments.picture), arguments.source or ())
    if arguments.picture:
        picture.check_picture(arguments.picture)
    if arguments.source:
        measured, found = _earlier(arguments.source)
    else:
        measured, found = list(_measure(arguments)), _environment()
        progress("")
    print(report.table_text(measured, found))
    if arguments.json:
        write_atomically(arguments.json, rows.json_text(measured, found).encode())
    if arguments.picture:
        picture.save_picture(measured, arguments.picture)
    if arguments.markdown:
        folder = os.path.dirname(arguments.markdown) or "."
        link = os.path.relpath(arguments.picture, folder) if arguments.picture else ""
        page = report.markdown_text(measured, found, picture=link)
        write_atomically(arguments.markdown, page.encode())
    return 0


def _measure(arguments: argparse.Namespace) -> Iterator[Row]:
    """Measures the operators, then the networks; all names are looked up first."""
    from onnx_acts.bench.measure import run as run_plan

    plan = _plan(arguments)
    networks = _networks(arguments.networks)
    yield from run_plan(plan, progress)
    if networks:
        from onnx_acts.bench.network_rows import run_networks

        peers = {peer.name for peer in plan.peers}
        yield from run_networks(networks, plan.threads, peers, plan.seconds, progress)


def _environment() -> dict[str, Any]:
    """What the reports say of this run."""
    from onnx_acts.definition.version import version
    from onnx_acts.ort.environment import environment

    found = environment()
    found["packages"]["openvino"] = version("openvino")
    return {**found, "command": _command(sys.argv[1:])}


def _command(words: Sequence[str]) -> str:
    """The command line without the files that were written: they are the caller's own."""
    kept = ["onnx-acts"]
    is_file = False
    for word in words:
        flag, _, value = word.partition("=")
        if not is_file and flag not in _TARGETS:
            kept.append(word)
        is_file = flag in _TARGETS and not value
    return shlex.join(kept)


def _earlier(paths: Sequence[str]) -> tuple[list[Row], dict[str, Any]]:
    """Reads the rows of earlier runs, and the environment that they share.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is something else, or of another machine or version than the first; the
            message names the file.
    """
    from onnx_acts.bench.rows import from_json

    rows: list[Row] = []
    found: dict[str, Any] = {}
    commands: list[str | None] = []
    for path in paths:
        try:
            more, environment = from_json(_text(path))
        except ValueError as error:  # text that is not UTF-8 too
            raise ValueError(f"--from {path}: {error}") from error
        found = found or dict(environment)
        for key in ("cpu", "library", "packages"):
            if environment[key] != found[key]:
                raise ValueError(f"--from {path}: its {key} is not that of {paths[0]}")
        rows += more
        commands.append(environment.get("command"))
    if any(commands):
        found["command"] = "; ".join(filter(None, commands))
    return rows, found


def _text(path: str) -> str:
    """Reads a report, and no more of anything else than a report could have."""
    with open(path, "rb") as stream:
        content = stream.read(_LARGEST_REPORT + 1)
    if len(content) > _LARGEST_REPORT:
        raise ValueError(f"it has more than {_LARGEST_REPORT >> 20} MiB: no report of bench")
    return content.decode("utf-8")


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
    if arguments.seconds is not None and not 0 < arguments.seconds < math.inf:
        raise ValueError(f"--seconds must be above 0 and finite, got {arguments.seconds}")
    if arguments.ops == ["none"] and arguments.networks == ["none"]:
        raise ValueError("--ops none measures networks alone: name them, as in --networks all")
    default_peers = [peer.name for peer in PEERS if not peer.on_request]
    quick_sizes = ("16K", "1") if arguments.quick else tuple(SIZES)
    return Plan(
        operators=_chosen(arguments.ops, {spec.name: spec for spec in SPECS}, "--ops"),
        dtypes=_chosen(arguments.dtypes, {name: name for name in ELEMENT_TYPES}, "--dtypes"),
        sizes=_chosen(arguments.sizes or quick_sizes, {name: name for name in SIZES}, "--sizes"),
        threads=arguments.threads,
        peers=_chosen(
            arguments.peers or default_peers, {peer.name: peer for peer in PEERS}, "--peers"
        ),
        seconds=arguments.seconds or (0.02 if arguments.quick else 2.0),
    )


def _networks(names: Sequence[str]) -> Sequence[Network]:
    """The networks of those names.

    Raises:
        ValueError: there is no such network.
        ImportError: PyTorch is not installed.
    """
    if list(names) == ["none"]:
        return []
    from onnx_acts.exporting import require_torch

    require_torch()
    from onnx_acts.bench.networks import NETWORKS

    return _chosen(names, {network.name: network for network in NETWORKS}, "--networks")


def _chosen(names: Sequence[str] | None, known: dict[str, Item], flag: str) -> Sequence[Item]:
    """The things of those names; `all` and `none` are names too."""
    if names and list(names) == ["none"]:
        return []
    return named(None if names and list(names) == ["all"] else names, known, flag)
