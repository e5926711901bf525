"""What is installed and what it says of itself: `onnx-acts info` and the header of every report."""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import os
import platform
from pathlib import Path
from typing import Any

import onnxruntime

from onnx_acts.runtime import library_info
from onnx_acts.specs import ELEMENT_TYPES, SPECS
from onnx_acts.version import version

__all__ = ["add_parser", "environment", "library_info", "run"]

_PACKAGES = ("onnx-acts", "onnx", "onnxruntime", "numpy", "torch")


def environment() -> dict[str, Any]:
    """Returns date, versions, machine, providers and native library, as JSON can hold them.

    A package that is not installed has the version None; a library that cannot be used has its
    reason under "error".
    """
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "packages": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cpu_count": os.cpu_count(),
        "providers": list(onnxruntime.get_available_providers()),
        "library": library_info(),
    }


@functools.cache
def cpu_name() -> str:
    """The processor's name, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `onnx-acts info`."""
    parser = subparsers.add_parser(
        "info", help="versions, native library and operators", description=__doc__
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints the environment and the operator table."""
    found = {**environment(), "operators": _operators()}
    print(json.dumps(found, indent=2) if arguments.json else _text(found))
    return 0


def _operators() -> list[dict[str, Any]]:
    """The operator table, as far as a user needs it."""
    return [
        {
            "name": spec.name,
            "formula": spec.formula,
            "attributes": {item.name: item.default for item in spec.attributes},
            "element_types": list(ELEMENT_TYPES),
        }
        for spec in SPECS
    ]


def _text(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{name:12} {number or 'not installed'}" for name, number in found["packages"].items()]
    lines += [f"{name:12} {found[name]}" for name in ("python", "system", "cpu")]
    lines += [f"{'providers':12} {', '.join(found['providers'])}", ""]
    lines += [f"library {key:12} {_plain(value)}" for key, value in found["library"].items()]
    for item in found["operators"]:
        lines += ["", f"{item['name']}: {item['formula']}"]
        lines += [f"  {name} = {default!r}" for name, default in item["attributes"].items()]
    return "\n".join([*lines, "", f"element types: {', '.join(ELEMENT_TYPES)}"])


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
