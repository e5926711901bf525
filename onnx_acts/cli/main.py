"""The command `onnx-acts`.

Exit status: 0 done, 1 a comparison failed, 2 bad usage or bad input (one line on stderr says what),
130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from onnx_acts.definition.version import version

__all__ = ["command_parser", "main"]

_COMMANDS = (
    "onnx_acts.cli.export",
    "onnx_acts.cli.graph",
    "onnx_acts.cli.conform",
    "onnx_acts.cli.bench",
    "onnx_acts.cli.info",
)
"""Modules that add subcommands; each has `add_parser(subparsers)`."""

_EXPECTED = (ImportError, OSError, RuntimeError, TypeError, ValueError)
"""What bad usage and bad input raise, with messages for people."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status.

    Args:
        argv: the arguments after the program's name; those of the process where not given.
    """
    try:
        arguments = command_parser().parse_args(argv)
        status = int(arguments.run(arguments))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("onnx-acts: interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # a status of 1 would say that a comparison failed
        print(f"onnx-acts: error: {_one_line(error)}", file=sys.stderr)
        if os.environ.get("ONNX_ACTS_TRACEBACK"):
            raise
        return 2


def command_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line, from which the documentation is made too."""
    parser = argparse.ArgumentParser(
        prog="onnx-acts",
        description="Activation functions for ONNX: export, accelerate, compare, measure.",
        epilog="Names in a list have spaces or commas between them: --ops PReLU ELU, or"
        " --ops PReLU,ELU. Set ONNX_ACTS_TRACEBACK=1 to see where an error comes from.",
    )
    number = version("onnx-acts") or "unknown"
    parser.add_argument("--version", action="version", version=f"onnx-acts {number}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        importlib.import_module(module).add_parser(subparsers)
    return parser


def _one_line(error: Exception) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, _EXPECTED):
        return text or name
    return f"internal error: {name}: {text} (set ONNX_ACTS_TRACEBACK=1 to see where it comes from)"


if __name__ == "__main__":
    sys.exit(main())
