"""What subcommands share: names of things, paths of files to write, progress."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from onnx_acts.definition.specs import DEFAULT_OPS, SPECS
from onnx_acts.files.reading import check_target

__all__ = ["add_ops", "check_targets", "named", "progress"]

Item = TypeVar("Item")


def named(names: Iterable[str] | None, known: dict[str, Item], flag: str) -> Sequence[Item]:
    """Returns the things of those names, all where no names are given.

    Args:
        names: the words after the flag: a name each, or several with commas between.
        known: what there is, by name.
        flag: the command line's flag, for the message.

    Raises:
        ValueError: there is no such thing, or no name; the message lists those there are.
    """
    if names is None:
        return list(known.values())
    words = [word.strip() for name in names for word in name.split(",")]
    chosen = [word for word in words if word]  # "PReLU, ELU" on a command line is "PReLU," "ELU"
    for name in chosen or [""]:
        if name not in known:
            raise ValueError(f"{flag}: there is no {name!r}; there are {', '.join(known)}")
    return [known[name] for name in chosen]


def add_ops(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Adds `--ops` to a command that puts operators into a model.

    Args:
        parser: the command's parser.
        purpose: what happens to the operators, for the help.
    """
    parser.add_argument(
        "--ops",
        nargs="+",
        action=_Operators,
        default=DEFAULT_OPS,
        metavar="OP",
        help=f"{purpose}, of {', '.join(spec.name for spec in SPECS)}"
        f" (default: {' '.join(DEFAULT_OPS)})",
    )


class _Operators(argparse.Action):
    """Looks the names up at once: a file name after `--ops` would count as one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            found = named(values, {spec.name: spec.name for spec in SPECS}, "--ops")
        except ValueError as error:
            parser.error(f"{error} (other arguments go before --ops)")
        setattr(namespace, self.dest, found)


def check_targets(paths: Iterable[str | None]) -> None:
    """Requires that files can be written, before the work whose results go there.

    Args:
        paths: paths of files; None is one that was not asked for.

    Raises:
        OSError: there is no such folder, the path is a directory, or it may not be written.
    """
    for path in paths:
        if path is not None:
            check_target(path)


def progress(text: str) -> None:
    """Shows what is being done, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
