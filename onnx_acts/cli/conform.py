"""`onnx-acts conform`: compare what runtimes compute with what is true."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onnx_acts.cli.arguments import check_targets, named, progress
from onnx_acts.cli.outputs import add_from_outputs, check_unused, result_from_outputs
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES

if TYPE_CHECKING:
    from onnx_acts.conformance.runtimes import Runtime
    from onnx_acts.conformance.suite import Result, Selection

__all__ = ["add_conform", "run"]

_DTYPES = (*ELEMENT_TYPES, *QUANTIZED_TYPES)

_ALL = "all"

_REPORTS = {
    "json": "everything as JSON",
    "junit": "a JUnit report",
    "markdown": "a page of Markdown",
    "html": "one page of HTML with every case and drawings of the errors; needs Jinja2",
}
"""The reports, by their flags."""


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
        ("--runtimes", "runtimes, or all; one that is named and cannot be used is an error"),
    ):
        parser.add_argument(flag, nargs="+", metavar="NAME", help=f"only these {what}")
    parser.add_argument(
        "--runtime",
        action="append",
        metavar="MODULE:CALLABLE",
        help="judge this function of yours, too; may be repeated",
    )
    parser.add_argument(
        "--list-runtimes", action="store_true", help="say which runtimes there are, and stop"
    )
    parser.add_argument("--quick", action="store_true", help="fewer cases, for a first look")
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="processes to spread the cases over; by default, where joblib is installed, one for"
        " each processor, and one in all for a part of --quick",
    )
    for flag, what in _REPORTS.items():
        parser.add_argument(f"--{flag}", metavar="FILE", help=f"write {what}")
    parser.add_argument(
        "--save-failures",
        metavar="DIR",
        help="write each failing case into a new folder: model, inputs, expected and got outputs",
    )
    add_from_outputs(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the suite; returns 0 when all is as promised, else 1.

    Raises:
        ValueError: bad usage, or no case ran.
    """
    from onnx_acts.conformance import reports
    from onnx_acts.conformance.saved_failures import failure_files
    from onnx_acts.conformance.suite import run as run_selection
    from onnx_acts.files.folders import check_folder, write_folder
    from onnx_acts.files.writing import write_atomically
    from onnx_acts.ort.environment import environment

    if arguments.list_runtimes:
        print(_runtimes_text())
        return 0
    targets = {name: getattr(arguments, name) for name in _REPORTS}
    check_targets(targets.values())
    if arguments.html:
        reports.check_html()
    if arguments.save_failures:
        check_folder(arguments.save_failures)
    check_unused(arguments)
    selection = None if arguments.from_outputs is not None else _selection(arguments)
    if selection is None:
        result = result_from_outputs(arguments)
    else:
        result = run_selection(selection, progress=progress, jobs=_jobs(arguments))
    progress("")
    if not result.ran:
        raise ValueError(_nothing_ran(result))
    found, command = environment(), _command()
    print(reports.table_text(result, found))
    for name, path in targets.items():
        if path:
            text = reports.WRITERS[name](result, found, command)
            write_atomically(path, text.encode())
    failed = any(cell.status == "fail" for cell in result.cells)
    if selection is not None and arguments.save_failures and failed:
        write_folder(arguments.save_failures, failure_files(result, selection))
    return 0 if result.ok else 1


def _command() -> str:
    """The command line, as a shell takes it."""
    return shlex.join(["onnx-acts", *sys.argv[1:]])


def _runtimes_text() -> str:
    """The runtimes, those of a plain run first, and what those that are not here need."""
    from onnx_acts.conformance.runtimes import ALL_RUNTIMES, RUNTIMES, VARIANTS, version_of
    from onnx_acts.conformance.runtimes.foreign import Foreign

    lines = ["by default:"]
    for number, item in enumerate(ALL_RUNTIMES):
        if number == len(RUNTIMES):
            lines += ["", "by default too, but with --quick by name:"]
        if number == len(RUNTIMES) + len(VARIANTS):
            lines += ["", "by name, or with --runtimes all:"]
        # A foreign runtime tells without being loaded.
        missing = item.missing() if isinstance(item, Foreign) else item.unavailable()
        lines.append(f"  {item.name:<17} {version_of(item) or '-':<14} {item.title}")
        lines += [f"{'':20}{missing}"] if missing else []
    lines += ["", "your own: --runtime MODULE:CALLABLE"]
    return "\n".join(lines)


def _jobs(arguments: argparse.Namespace) -> int:
    """How many processes to use: a process takes longer to start than a short run gains."""
    from onnx_acts.conformance.jobs import can_spread

    if arguments.jobs is not None:
        return int(arguments.jobs)
    is_part = any((arguments.ops, arguments.dtypes, arguments.groups, arguments.runtimes))
    return 1 if (arguments.quick and is_part) or not can_spread() else -1


def _selection(arguments: argparse.Namespace) -> Selection:
    """Turns the filters into a selection.

    Raises:
        ValueError: a name that there is not, or a runtime that was asked for and cannot be used;
            the native library is always asked for unless `--runtimes` leaves it out.
    """
    from onnx_acts.conformance.cases import GROUPS
    from onnx_acts.conformance.runtimes import RUNTIMES
    from onnx_acts.conformance.suite import Selection

    runtimes = _runtimes(arguments)
    for runtime in runtimes:
        asked = [*(arguments.runtimes or ["library"]), *(arguments.runtime or [])]
        if _is_named(runtime.name, asked) and runtime.unavailable():
            why = f"the runtime {runtime.name} cannot be used: {runtime.unavailable()}"
            if ":" in runtime.name:
                raise ValueError(why)
            others = " ".join(r.name for r in RUNTIMES if not r.unavailable())
            raise ValueError(f"{why}; or leave it out: --runtimes {others}")
    return Selection(
        operators=named(arguments.ops, {spec.name: spec for spec in OPERATORS}, "--ops"),
        dtypes=named(arguments.dtypes, {name: name for name in _DTYPES}, "--dtypes"),
        groups=named(arguments.groups, {name: name for name in GROUPS}, "--groups"),
        runtimes=runtimes,
        quick=arguments.quick,
        recorded=bool(arguments.html),
    )


def _is_named(name: str, words: Sequence[str]) -> bool:
    return any(name in (part.strip() for part in word.split(",")) for word in words)


def _runtimes(arguments: argparse.Namespace) -> Sequence[Runtime]:
    """The runtimes of `--runtimes`, then those of `--runtime`, each once.

    Raises:
        ValueError: there is no such runtime.
    """
    from onnx_acts.conformance.runtimes import ALL_RUNTIMES, RUNTIMES, VARIANTS, runtime_of

    known = {item.name: item for item in ALL_RUNTIMES}
    words = [part.strip() for word in arguments.runtimes or [] for part in word.split(",")]
    own = {word: runtime_of(word) for word in [*words, *(arguments.runtime or [])] if ":" in word}
    # The library in other environments is not for a first look.
    chosen: Sequence[Runtime] = RUNTIMES if arguments.quick else [*RUNTIMES, *VARIANTS]
    if _ALL in words:
        chosen = ALL_RUNTIMES
    elif arguments.runtimes is not None:
        chosen = named([",".join(words)], known | own, "--runtimes")
    more = [runtime_of(name) for name in arguments.runtime or []]
    return list({item.name: item for item in [*chosen, *own.values(), *more]}.values())


def _nothing_ran(result: Result) -> str:
    """Why a run has nothing to say."""
    reasons = dict.fromkeys(reason for cell in result.cells for reason in cell.reasons)
    if reasons:
        return f"no case ran: {'; '.join(reasons)}"
    return "no case ran: these --groups have no cases for these --ops; drop one of the filters"
