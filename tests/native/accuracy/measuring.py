"""Measures the accuracy of the native loops at every instruction-set level.

    python -m tests.native.accuracy                           a thin sweep, seconds
    python -m tests.native.accuracy --full --json FILE        every float32 number, minutes

The loops are built from the sources and called directly, without ONNX Runtime. The exit status is 1
if a promise is broken. `accuracy_page` makes a page of the JSON files.

A record, one line of the report, has the fields
    op, dtype, parameter   the operator, or several that share a loop; its type; the slope or alpha
    inputs, oracle         how many x, and what they were held against
    level                  the instruction-set levels, which give the same bits
    wrong                  results without the bits that they must have, those of the correctly
                           rounded value or, for ELU in float32 and float64, those of the best level
    worst, at              the largest error in units in the last place (ULP) and its x; null where
                           every result is demanded to the bit
    limit                  the promise in ULP; 0.5 means correctly rounded
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mpmath

from onnx_acts.definition.specs import spec_of
from onnx_acts.definition.version import version
from onnx_acts.files.writing import write_atomically
from onnx_acts.ort.environment import cpu_name
from tests.building import CMAKE, ROOT
from tests.native.accuracy import applying, curves
from tests.native.accuracy import float64 as accuracy_float64

Record = dict[str, Any]


THIN, FULL = 64, 1
"""One of so many float32 numbers."""
THIN_FLOAT64, FULL_FLOAT64 = 4_000, 1_000_000
"""Inputs of ELU in float64."""
PLAIN_ELU_LIMIT = 0.75
"""ELU in float32 with alpha = 1 promises more than with others."""


def build(folder: Path) -> Path:
    """Builds the program that sweeps, or brings it up to date; its path."""
    where, python = str(ROOT / "custom_ops"), f"-DPython_EXECUTABLE={sys.executable}"
    options = ["-DONNX_ACTS_TESTS=ON", "-DONNX_ACTS_CUDA=OFF", python]
    configure = ["-S", where, "-B", str(folder), *options]
    compile_it = ["--build", str(folder), "--parallel", "2", "--target", "accuracy_sweep"]
    for arguments in (configure, compile_it):
        done = subprocess.run([str(CMAKE), *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"the sweep does not build:\n{(done.stdout + done.stderr)[-4000:]}")
    return folder / "tests" / "accuracy_sweep"


def sweep(program: Path, *arguments: str) -> list[Record]:
    """Runs one sweep; its records, each with its limit."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise OSError(f"{program.name} {shlex.join(arguments)}: {done.stderr}")
    return [with_limit(json.loads(line)) for line in done.stdout.splitlines()]


def with_limit(record: Record) -> Record:
    """The record with the promise of its operators."""
    promises = (spec_of(op).promise.kernel[record["dtype"]] for op in record["op"].split(", "))
    limit = min(promises)
    if (record["op"], record["dtype"], record["parameter"]) == ("ELU", "float32", "1"):
        limit = min(limit, PLAIN_ELU_LIMIT)
    return {**record, "limit": limit}


def kept(record: Record) -> bool:
    """Whether the promise was kept, on inputs that there were."""
    worst = 0.0 if record["worst"] is None else record["worst"]
    return bool(record["inputs"] > 0 and record["wrong"] == 0 and worst <= record["limit"])


def text(record: Record) -> str:
    """One line about a record."""
    name = " ".join(filter(None, (record["op"], record["dtype"], record["parameter"])))
    found = f"{record['wrong']} wrong of {record['inputs']}"
    if record["worst"] is not None:
        found += f", at most {record['worst']:.6f} ULP (limit {record['limit']:g})"
    if record["at"] is not None:
        found += f" at x = {record['at']}"
    return f"{name}: {found} [{record['level']}]"


def measure(program: Path, stride: int, float64_inputs: int) -> Iterator[Record]:
    """Every record, as soon as it is there."""
    for arguments in (["16bit"], ["leaky", str(stride)], ["elu", str(stride)]):
        yield from sweep(program, *arguments)
    families = applying.families(program)
    yield from map(with_limit, accuracy_float64.leaky(program, " ".join(families)))
    for levels in families:
        yield from map(with_limit, accuracy_float64.elu(program, levels, float64_inputs))
        for spec in curves.others():
            found = curves.sweep(program, levels, spec, stride, float64_inputs)
            yield from map(with_limit, found)


def compiler(folder: Path) -> str:
    """The compiler's name and version."""
    cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8")
    found = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)
    asked = [found[1] if found else "c++", "--version"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def environment(folder: Path, levels: str) -> dict[str, str]:
    """Where and how the measurement was made."""
    own = f"onnx-acts {version('onnx-acts') or 'from source'}"
    libraries = f"C library {' '.join(platform.libc_ver())}, mpmath {mpmath.__version__}"
    return {
        "title": "CPU",
        "machine": f"{cpu_name()}, {os.cpu_count()} CPUs, levels {levels}",
        "versions": f"{own}, {compiler(folder)}, {libraries}",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
    }


def json_text(found: dict[str, str], records: Iterable[Record]) -> str:
    """The report as JSON, a line for each record."""
    lines = ",\n".join(json.dumps(record) for record in records)
    return f'{{"environment": {json.dumps(found, indent=1)},\n"records": [\n{lines}\n]}}\n'


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.native.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="every float32 number")
    parser.add_argument("--build", metavar="FOLDER", help="keep the build there and use it again")
    parser.add_argument("--json", metavar="FILE", help="write the records")
    arguments = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(arguments.build or scratch).absolute()
        sizes = (FULL, FULL_FLOAT64) if arguments.full else (THIN, THIN_FLOAT64)
        records = []
        for record in measure(build(folder), *sizes):
            records.append(record)
            if record["worst"] is not None or not kept(record):
                print(text(record), flush=True)
        found = environment(folder, records[0]["level"])
    found["command"] = "python -m tests.native.accuracy" + " --full" * arguments.full
    found["time"] = f"{time.monotonic() - start:.0f} s with the build"
    broken = [record for record in records if not kept(record)]
    print(f"{len(records)} records, {len(broken)} broken promises, {found['time']}")
    for record in broken:
        print(f"BROKEN {text(record)}")
    if arguments.json:
        write_atomically(arguments.json, json_text(found, records).encode())
    return 1 if broken else 0
