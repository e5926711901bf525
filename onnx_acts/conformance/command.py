"""`onnx-acts conform`: compare what runtimes compute with what is true."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from onnx_acts.specs import ELEMENT_TYPES, SPECS

if TYPE_CHECKING:
    from onnx_acts.conformance.runner import Selection

__all__ = ["add_parser", "named", "progress", "run"]

Item = TypeVar("Item")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `onnx-acts conform`."""
    parser = subparsers.add_parser(
        "conform",
        help="compare runtimes with the reference, input by input",
        description="Compare what runtimes compute with what is true. Exit status 1 when something"
        " differs that is not on record, or when a difference on record no longer shows.",
    )
    for flag, what in (
        ("--ops", "operators"),
        ("--dtypes", "element types"),
        ("--groups", "groups of cases"),
        ("--runtimes", "runtimes; one that cannot be used is then an error"),
    ):
        parser.add_argument(flag, nargs="+", metavar="NAME", help=f"only these {what}")
    parser.add_argument("--quick", action="store_true", help="fewer cases, for a first look")
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the suite; returns 0 when all is as promised, else 1."""
    from onnx_acts.conformance import report
    from onnx_acts.conformance.runner import run as run_selection
    from onnx_acts.files import write_atomically
    from onnx_acts.info import environment

    result = run_selection(_selection(arguments), progress=progress)
    progress("")
    found = environment()
    print(report.table_text(result, found))
    if arguments.json:
        write_atomically(arguments.json, report.json_text(result, found).encode())
    if arguments.junit:
        write_atomically(arguments.junit, report.junit_text(result).encode())
    return 0 if result.ok else 1


def _selection(arguments: argparse.Namespace) -> Selection:
    """Turns the filters into a selection.

    Raises:
        ValueError: a name that there is not, or a runtime that was asked for and cannot be used.
    """
    from onnx_acts.conformance.cases import GROUPS
    from onnx_acts.conformance.runner import Selection
    from onnx_acts.conformance.runtimes import RUNTIMES

    runtimes = named(arguments.runtimes, {item.name: item for item in RUNTIMES}, "--runtimes")
    for runtime in runtimes if arguments.runtimes else ():
        if runtime.unavailable():
            raise ValueError(f"the runtime {runtime.name} cannot be used: {runtime.unavailable()}")
    return Selection(
        operators=named(arguments.ops, {spec.name: spec for spec in SPECS}, "--ops"),
        dtypes=named(arguments.dtypes, {name: name for name in ELEMENT_TYPES}, "--dtypes"),
        groups=named(arguments.groups, {name: name for name in GROUPS}, "--groups"),
        runtimes=runtimes,
        quick=arguments.quick,
    )


def named(names: Iterable[str] | None, known: dict[str, Item], flag: str) -> Sequence[Item]:
    """Returns the things of those names, all where no names are given.

    Args:
        names: the names.
        known: what there is, by name.
        flag: the command line's flag, for the message.

    Raises:
        ValueError: there is no such thing; the message lists those there are.
    """
    if names is None:
        return list(known.values())
    for name in names:
        if name not in known:
            raise ValueError(f"{flag}: there is no {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names]


def progress(text: str) -> None:
    """Shows what is being done, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
