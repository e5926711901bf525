"""What subcommands share: names of things, paths of files to write, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from onnx_acts.files import check_target

__all__ = ["check_targets", "named", "progress"]

Item = TypeVar("Item")


def named(names: Iterable[str] | None, known: dict[str, Item], flag: str) -> Sequence[Item]:
    """Returns the things of those names, all where no names are given.

    Args:
        names: the names.
        known: what there is, by name.
        flag: the command line's flag, for the message.

    Raises:
        ValueError: there is no such thing; the message lists those there are.
    """
    if names is None:
        return list(known.values())
    for name in names:
        if name not in known:
            raise ValueError(f"{flag}: there is no {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names]


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
