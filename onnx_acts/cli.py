"""The command `onnx-acts`.

Exit status: 0 done, 1 a comparison failed, 2 bad usage or bad input (one line on stderr says what).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = (
    "onnx_acts.exporting.command",
    "onnx_acts.graph.command",
    "onnx_acts.conformance.command",
    "onnx_acts.bench.command",
    "onnx_acts.info",
)
"""Modules that add subcommands; each has `add_parser(subparsers)`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status.

    Args:
        argv: the arguments after the program's name; those of the process where not given.
    """
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"onnx-acts: error: {_one_line(error)}", file=sys.stderr)
        if os.environ.get("ONNX_ACTS_TRACEBACK"):
            raise
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="onnx-acts",
        description="Activation functions for ONNX: export, accelerate, compare, measure.",
        epilog="Set ONNX_ACTS_TRACEBACK=1 to see where an error comes from.",
    )
    parser.add_argument("--version", action="version", version=f"onnx-acts {_version()}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        importlib.import_module(module).add_parser(subparsers)
    return parser


def _version() -> str:
    try:
        return importlib.metadata.version("onnx-acts")
    except importlib.metadata.PackageNotFoundError:  # a checkout on the path, not installed
        return "unknown"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
