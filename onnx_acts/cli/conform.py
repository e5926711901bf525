"""`onnx-acts conform`: compare what runtimes compute with what is true."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from onnx_acts.cli.arguments import check_targets, named, progress
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES

if TYPE_CHECKING:
    from onnx_acts.conformance.suite import Result, Selection

__all__ = ["add_conform", "run"]

_DTYPES = (*ELEMENT_TYPES, *QUANTIZED_TYPES)


def add_conform(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts conform`."""
    parser.description = (
        "Compare what runtimes compute with what is true. Exit status 1 when something differs that"
        " is not on record, or when a difference on record no longer shows; 2 when no case ran, or"
        " when the native library is missing and --runtimes does not leave it out."
    )
    for flag, what in (
        ("--ops", "operators"),
        ("--dtypes", "element types"),
        ("--groups", "groups of cases"),
        ("--runtimes", "runtimes; one that cannot be used is then an error"),
    ):
        parser.add_argument(flag, nargs="+", metavar="NAME", help=f"only these {what}")
    parser.add_argument("--quick", action="store_true", help="fewer cases, for a first look")
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="processes to spread the cases over; by default, where joblib is installed, one for"
        " each processor, and one in all with --quick",
    )
    parser.add_argument("--json", metavar="FILE", help="write everything as JSON")
    parser.add_argument("--junit", metavar="FILE", help="write a JUnit report")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the suite; returns 0 when all is as promised, else 1.

    Raises:
        ValueError: bad usage, or no case ran.
    """
    from onnx_acts.conformance import report
    from onnx_acts.conformance.suite import run as run_selection
    from onnx_acts.files.writing import write_atomically
    from onnx_acts.ort.environment import environment

    selection = _selection(arguments)
    check_targets((arguments.json, arguments.junit))
    jobs = _jobs(arguments)
    result = run_selection(selection, progress=progress, jobs=jobs)
    progress("")
    if not result.ran:
        raise ValueError(_nothing_ran(result))
    found = environment()
    print(report.table_text(result, found))
    if arguments.json:
        write_atomically(arguments.json, report.json_text(result, found).encode())
    if arguments.junit:
        write_atomically(arguments.junit, report.junit_text(result).encode())
    return 0 if result.ok else 1


def _jobs(arguments: argparse.Namespace) -> int:
    """How many processes to use: a process takes longer to start than a short run gains."""
    from onnx_acts.conformance.jobs import can_spread

    if arguments.jobs is not None:
        return int(arguments.jobs)
    return 1 if arguments.quick or not can_spread() else -1


def _selection(arguments: argparse.Namespace) -> Selection:
    """Turns the filters into a selection.

    Raises:
        ValueError: a name that there is not, or a runtime that was asked for and cannot be used;
            the native library is always asked for unless `--runtimes` leaves it out.
    """
    from onnx_acts.conformance.cases import GROUPS
    from onnx_acts.conformance.runtimes import ALL_RUNTIMES, RUNTIMES, VARIANTS
    from onnx_acts.conformance.suite import Selection

    runtimes = named(arguments.runtimes, {item.name: item for item in ALL_RUNTIMES}, "--runtimes")
    if not arguments.runtimes:  # the library in other environments: not at a first look
        runtimes = list(RUNTIMES) if arguments.quick else [*RUNTIMES, *VARIANTS]
    for runtime in runtimes:
        needed = arguments.runtimes or runtime.name == "library"
        if needed and runtime.unavailable():
            raise ValueError(
                f"the runtime {runtime.name} cannot be used: {runtime.unavailable()}; or leave it"
                f" out: --runtimes {' '.join(r.name for r in RUNTIMES if not r.unavailable())}"
            )
    return Selection(
        operators=named(arguments.ops, {spec.name: spec for spec in OPERATORS}, "--ops"),
        dtypes=named(arguments.dtypes, {name: name for name in _DTYPES}, "--dtypes"),
        groups=named(arguments.groups, {name: name for name in GROUPS}, "--groups"),
        runtimes=runtimes,
        quick=arguments.quick,
    )


def _nothing_ran(result: Result) -> str:
    """Why a run has nothing to say."""
    reasons = dict.fromkeys(reason for cell in result.cells for reason in cell.reasons)
    if reasons:
        return f"no case ran: {'; '.join(reasons)}"
    return "no case ran: these --groups have no cases for these --ops; drop one of the filters"
