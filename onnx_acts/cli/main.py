"""The command `onnx-acts`.

Exit status: 0 done, 1 a comparison failed, 2 bad usage or bad input (one line on stderr says what),
130 interrupted, 143 told to end (SIGTERM): temporary files are taken away.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

__all__ = ["COMMANDS", "command_parser", "main"]

COMMANDS = {
    "export": ("export", "export a trained PyTorch module to ONNX"),
    "accelerate": ("graph", "turn standard activations of an ONNX file into onnx_acts nodes"),
    "lower": ("graph", "turn onnx_acts nodes of an ONNX file into standard operators"),
    "verify": (
        "verify",
        "compare a model with another, or with PyTorch, and name the faulty node",
    ),
    "conform": ("conform", "compare runtimes with the reference, input by input"),
    "vectors": ("vectors", "write the conformance cases as files for any runtime"),
    "bench": ("bench", "time the operators against their peers"),
    "serve": ("serve", "serve models over HTTP"),
    "triton": ("triton", "write a model repository for Triton Inference Server"),
    "info": ("info", "what is installed here, or what is in an ONNX file"),
}
"""The module of each command, which has `add_<command>(parser)`, and its line in the help."""

_EXPECTED = (ImportError, OSError, RuntimeError, TypeError, ValueError)
"""What bad usage and bad input raise, with messages for people."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status.

    Args:
        argv: the arguments after the program's name; those of the process where not given.
    """
    try:
        if argv is None and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminate)
        if sys.stdout is None:  # a file that is opened next would get its number
            raise OSError("standard output is closed; to run without it, add >/dev/null")
        if isinstance(sys.stdout, io.TextIOWrapper):  # names of files need not be text
            sys.stdout.reconfigure(errors="backslashreplace")
        words = list(sys.argv[1:] if argv is None else argv)
        arguments = command_parser(words).parse_args(words)
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _drop_output()
        return 0
    except KeyboardInterrupt:
        _tell("interrupted")
        return 130
    except _Terminated:
        _tell("terminated")
        return 143
    except Exception as error:  # a status of 1 would say that a comparison failed
        _tell(f"error: {_one_line(error)}")
        if os.environ.get("ONNX_ACTS_TRACEBACK"):
            raise
        if isinstance(error, OSError):
            _flush_or_drop()
        return 2


class _Terminated(BaseException):
    """SIGTERM has come; what would end at once otherwise leaves its temporary files behind."""


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second one ends at once
    raise _Terminated


def _run(arguments: argparse.Namespace) -> int:
    try:
        return int(arguments.run(arguments))
    except SystemExit as left:  # of a module's code; argparse has done its work
        raise RuntimeError(f"code that was run has called sys.exit({left.code!r})") from left


def command_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, with all of the command that the words ask for; others take long to load."""
    from onnx_acts.cli.arguments import Parser

    parser = Parser(
        prog="onnx-acts",
        description="Activation functions for ONNX: export, accelerate, compare, measure.",
        epilog="Names in a list have spaces or commas between them: --ops PReLU ELU, or"
        " --ops PReLU,ELU. Set ONNX_ACTS_TRACEBACK=1 to see where an error comes from.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), "")
    for name, (module, line) in COMMANDS.items():
        command = subparsers.add_parser(name, help=line)
        if name == chosen:
            _complete(command, name, module)
    return parser


def _complete(parser: argparse.ArgumentParser, name: str, module: str) -> None:
    """Adds a command's arguments."""
    import importlib

    getattr(importlib.import_module(f"onnx_acts.cli.{module}"), f"add_{name}")(parser)


class _Version(argparse.Action):
    """Prints the version, which takes longer to find out than the help to print."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from onnx_acts.definition.version import version

        print(f"onnx-acts {version('onnx-acts') or 'unknown'}")
        parser.exit()


def _tell(text: str) -> None:
    """Writes a line to stderr, below the progress that may stand there."""
    if sys.stderr is not None:
        start = "\r\033[K" if sys.stderr.isatty() else ""
        print(f"{start}onnx-acts: {text}", file=sys.stderr)


def _flush_or_drop() -> None:
    """Leaves nothing that Python would try to write, and complain of, at its end."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        _drop_output()


def _drop_output() -> None:
    """Sends what is still to be printed nowhere."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: Exception) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())
    if isinstance(error, _EXPECTED):
        return text or name
    return f"internal error: {name}: {text} (set ONNX_ACTS_TRACEBACK=1 to see where it comes from)"


if __name__ == "__main__":
    sys.exit(main())
