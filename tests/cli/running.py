"""Running a command in the process of the tests."""

from __future__ import annotations

from onnx_acts.cli.main import command_parser

__all__ = ["run"]


def run(*words: object) -> int:
    """What `onnx-acts` does with these words; its exceptions are not turned into lines."""
    texts = [str(word) for word in words]
    arguments = command_parser(texts).parse_args(texts)
    return int(arguments.run(arguments))
