"""What the words of `onnx-acts export` mean: dimensions, sizes, arguments, metadata."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = [
    "command_line",
    "parse_dynamic",
    "parse_factory_arguments",
    "parse_metadata",
    "parse_names",
    "parse_size",
]

_UNITS = {"": 1, "B": 1}
_UNITS |= {f"{letter}B": 1000**i for i, letter in enumerate("kMGT", start=1)}
_UNITS |= {f"{letter}iB": 1024**i for i, letter in enumerate("KMGT", start=1)}


def parse_dynamic(texts: Iterable[str]) -> dict[str, dict[int, str]]:
    """Reads `NAME:AXIS=DIMENSION[,AXIS=DIMENSION...]`, once for each input.

    Raises:
        ValueError: not of this form, or an input or an axis stands twice.
    """
    shapes: dict[str, dict[int, str]] = {}
    for text in texts:
        name, _, rest = text.rpartition(":")
        pairs = [re.fullmatch(r"\s*(-?\d+)\s*=\s*([^=\s]+)\s*", part) for part in rest.split(",")]
        if not name or not all(pairs):
            raise ValueError(
                f"--dynamic {text!r} must have the form NAME:AXIS=DIMENSION, as in"
                " image:0=batch,2=height,3=width"
            )
        axes = shapes.setdefault(name, {})
        for pair in filter(None, pairs):
            if int(pair[1]) in axes:
                raise ValueError(f"--dynamic {text!r}: axis {pair[1]} of {name!r} stands twice")
            axes[int(pair[1])] = pair[2]
    return shapes


def parse_factory_arguments(texts: Iterable[str]) -> dict[str, Any]:
    """Reads `NAME=VALUE`; a value that is no Python literal is a text.

    Raises:
        ValueError: not of this form, or a name stands twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise ValueError(
                f"--factory-arg {text!r} must have the form NAME=VALUE, as in width=0.5"
            )
        if name in found:
            raise ValueError(f"--factory-arg: {name!r} is given twice")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found


def parse_metadata(texts: Iterable[str], path: str | None) -> dict[str, Any]:
    """Reads a JSON file, and `KEY=VALUE`; a value that is no JSON is a text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: not of this form, a key stands twice, or the file holds no JSON object.
    """
    found = _from_file(Path(path)) if path else {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise ValueError(f"--metadata {text!r} must have the form KEY=VALUE, as in stride=32")
        if key in found:
            raise ValueError(f"--metadata: {key!r} is given twice")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"--metadata-file: there is no file {path}")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"--metadata-file {path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"--metadata-file {path} must hold a JSON object, like {{'stride': 32}}")
    return found


def parse_names(texts: Iterable[str] | None) -> list[str] | None:
    """Reads names with spaces or commas between them; None stays."""
    if texts is None:
        return None
    return [name for text in texts for name in text.split(",") if name]


def parse_size(text: str) -> bool | int | None:
    """Reads when weights go to a file of their own: auto, always, never, or a size like 100MB.

    Raises:
        ValueError: something else.
    """
    words: dict[str, bool | None] = {"auto": None, "always": True, "never": False}
    if text in words:
        return words[text]
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    unit = {name.casefold(): size for name, size in _UNITS.items()}.get(
        found[2].casefold() if found else "?"
    )
    if found is None or unit is None:
        raise ValueError(
            f"--external-data {text!r} must be auto, always, never or a size, as in 100MB or 1GiB"
        )
    return int(float(found[1]) * unit)


def command_line(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, output: str
) -> str:
    """The command that does the same again: what is not as by default, in the parser's order.

    Args:
        parser: the subcommand's parser.
        arguments: what it has read.
        output: the file to write, which stands without its folder.
    """
    words, told = ["onnx-acts", "export"], set[str]()
    for action in parser._actions:
        value = getattr(arguments, action.dest, action.default)
        if not action.option_strings:
            words.append(str(value))
        elif action.dest == "output":
            words += ["-o", output]
        elif value != action.default and action.dest not in told:
            words += _option(action, value)
        told.add(action.dest)
    return shlex.join(words)


def _option(action: argparse.Action, value: Any) -> list[str]:
    flag = action.option_strings[-1]
    if action.nargs == 0:
        return [flag]
    if isinstance(action, argparse._AppendAction):
        return [word for item in value for word in (flag, str(item))]
    if isinstance(value, list | tuple):
        return [flag, ",".join(map(str, value))]
    return [flag, str(value)]
