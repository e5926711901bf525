"""Branch coverage of the library's own C++: a build with counters, the native tests, a table.

python -m tests.native.builds.coverage [FOLDER]

gcov counts a branch for every outcome of a condition. The way into an exception's handler is not
counted. A line that is compiled several times (for the instances of a template, for each
instruction-set level) counts once: an outcome is covered if any of them had it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.native.builds.building import (
    LIBRARY,
    SOURCES,
    build,
    call,
    compiler,
    ctest,
    python_tests,
)

# The tests share one process with the runtime's threads: counters are atomic.
# Functions that are always inlined would count once for each of their callers.
FLAGS = "--coverage -fprofile-update=atomic -O0 -Dalways_inline=noinline"
PYTHON_TESTS = ("slopes", "attributes", "draws", "sessions")
# They compare many values, which takes long without optimisation; others take the same branches.
LONG_CASES = "accuracy|RandomShapes"
# The library itself, and what CUDA would compute, on the host.
LIBRARIES = (LIBRARY, "tests/libemulated_ops.so")


@dataclasses.dataclass(frozen=True)
class Coverage:
    """The branches of one file."""

    name: str
    branches: int
    taken: int
    missing: tuple[int, ...]
    """Lines with an outcome that never was."""


def gcov() -> str:
    """The gcov that reads the compiler's counters; OSError where there is none."""
    if "clang" in call(*compiler(), "--version").lower():
        raise OSError("gcov may not read the counters of Clang; set CXX=g++")
    major = call(*compiler(), "-dumpversion").strip().split(".")[0]
    found = shutil.which(f"gcov-{major}") or shutil.which("gcov")
    if not found:
        raise OSError(f"there is no gcov here; install that of GCC {major}")
    printed = call(found, "--version").splitlines()[0]
    if not re.search(rf"\) {major}\b", printed):
        raise OSError(f"the compiler is GCC {major}, but gcov is: {printed}")
    return found


def measure(folder: Path) -> list[Coverage]:
    """Builds in `folder`, runs the tests there and reads the counters."""
    reader = gcov()
    build(folder, flags=FLAGS)
    ctest(folder, "--exclude-regex", LONG_CASES)
    for library in LIBRARIES:
        python_tests(folder / library, *PYTHON_TESTS)
    return merged(reports(folder, reader))


def reports(folder: Path, reader: str) -> Iterable[dict[str, Any]]:
    """What gcov (`reader`) says about each object."""
    objects = sorted(folder.rglob("*.gcno"))  # also of what never ran
    printed = call(reader, "--json-format", "--branch-probabilities", "--stdout", *objects)
    decoder, at = json.JSONDecoder(), printed.find("{")
    while at >= 0:
        report, end = decoder.raw_decode(printed, at)
        yield report
        at = printed.find("{", end)


def merged(found: Iterable[dict[str, Any]]) -> list[Coverage]:
    """One row for each of the library's files that has a branch."""
    outcomes: dict[tuple[str, int, int], bool] = defaultdict(bool)
    for report in found:
        for file in report["files"]:
            path = Path(report["current_working_directory"], file["file"]).resolve()
            if SOURCES not in path.parents:
                continue
            for line in file["lines"]:
                ordinary = [branch for branch in line["branches"] if not branch["throw"]]
                for index, branch in enumerate(ordinary):
                    outcomes[path.name, line["line_number"], index] |= branch["count"] > 0
    return [row(name, outcomes) for name in sorted({name for name, _, _ in outcomes})]


def row(name: str, outcomes: dict[tuple[str, int, int], bool]) -> Coverage:
    """The row of one file."""
    own = {key: taken for key, taken in outcomes.items() if key[0] == name}
    missing = sorted({line for (_, line, _), taken in own.items() if not taken})
    return Coverage(name, len(own), sum(own.values()), tuple(missing))


def total(rows: Iterable[Coverage]) -> Coverage:
    """The sum of all rows."""
    found = list(rows)
    return Coverage("total", sum(r.branches for r in found), sum(r.taken for r in found), ())


def table(rows: list[Coverage]) -> str:
    """The rows and their sum as text."""
    lines = [f"{'file':24}{'branches':>9}{'taken':>7}{'':>8}  lines with a branch not taken"]
    for one in [*rows, total(rows)]:
        share = f"{one.taken / one.branches:.1%}"
        where = " ".join(map(str, one.missing))
        lines.append(f"{one.name:24}{one.branches:9}{one.taken:7}{share:>8}  {where}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(table(measure(Path(sys.argv[1]))))
    else:
        with tempfile.TemporaryDirectory() as made:
            print(table(measure(Path(made))))
