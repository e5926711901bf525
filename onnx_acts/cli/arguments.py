"""What subcommands share: lists of names, paths of files to write, progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from onnx_acts.definition.specs import DEFAULT_OPS, ELEMENT_TYPES, QUANTIZED_TYPES, SPECS
from onnx_acts.text.spelling import same_letters, suggestion

__all__ = ["Parser", "Steps", "add_ops", "check_targets", "named", "progress"]

Item = TypeVar("Item")

_OPS = "--ops"
_NAMES = tuple(spec.name for spec in SPECS)

_LISTS = {_OPS: _NAMES, "--op": _NAMES, "--dtypes": (*ELEMENT_TYPES, *QUANTIZED_TYPES)}
"""The flags of lists that a file may follow (one abbreviated), and the names in each."""


class Parser(argparse.ArgumentParser):
    """Reads a list of operators or types up to its last name, so that a file may follow it."""

    def parse_known_args(  # type: ignore[override]  # without the overloads
        self,
        args: Sequence[str] | None = None,
        namespace: argparse.Namespace | None = None,
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parses arguments as its base does."""
        return super().parse_known_args(
            _with_joined_lists(sys.argv[1:] if args is None else args), namespace
        )


def _with_joined_lists(words: Sequence[str]) -> list[str]:
    """Writes the names after the flag of a list as one word with commas."""
    found: list[str] = []
    names: Sequence[str] = ()
    for word in words:
        if names and _continues(found[-1], word, names):
            found[-1] += word if found[-1].endswith("=") else f",{word}"
            continue
        flag, equals, _ = word.partition("=")
        begins = flag if equals else found[-1] if found else ""
        names = _LISTS.get(begins, ())
        found.append(word)
    return found


def _continues(list_so_far: str, word: str, names: Sequence[str]) -> bool:
    """Tells whether a word belongs to the list before it rather than to the command."""
    if word.startswith("-") or os.sep in word:
        return False
    is_open = list_so_far.rstrip().endswith(",") or word.startswith(",")
    return is_open or same_letters(word.split(",", maxsplit=1)[0], names)


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
    if not chosen:
        raise ValueError(f"{flag}: there is no name; there are {', '.join(known)}")
    for name in chosen:
        if name not in known:
            meant = suggestion(name, known)
            raise ValueError(f"{flag}: there is no {name!r}{meant}; there are {', '.join(known)}")
    return [known[name] for name in chosen]


def add_ops(parser: argparse.ArgumentParser | argparse._ArgumentGroup, purpose: str) -> None:
    """Adds `--ops` to a command that puts operators into a model.

    Args:
        parser: the command's parser, or a group of it.
        purpose: what happens to the operators, for the help.
    """
    parser.add_argument(
        _OPS,
        action=_Operators,
        default=DEFAULT_OPS,
        metavar="OP[,OP]",
        help=f"{purpose}, of {', '.join(spec.name for spec in SPECS)}"
        f" (default: {','.join(DEFAULT_OPS)})",
    )


class _Operators(argparse.Action):
    """Looks the names up at once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            found = named([values], {spec.name: spec.name for spec in SPECS}, _OPS)
        except ValueError as error:
            parser.error(str(error))
        setattr(namespace, self.dest, found)


def check_targets(paths: Iterable[str | None], sources: Iterable[str | None] = ()) -> None:
    """Requires that files can be written, before the work whose results go there.

    Args:
        paths: paths of files; None is one that was not asked for.
        sources: paths of what is read, and must not be lost; None likewise.

    Raises:
        ValueError: two paths are one file, or a path is one of the sources or of their weights.
        OSError: there is no such folder, the path is a directory, or it may not be written.
    """
    from onnx_acts.files.writing import check_target

    seen: list[str] = []
    kept = [source for source in sources if source is not None]
    for path in paths:
        if path is None:
            continue
        check_target(path)
        if any(_is_same(path, other) for other in seen):
            raise ValueError(f"{path} is asked for twice: give each output a file of its own")
        for source in kept:
            if _is_same(path, source) or _has_data_at(source, path):
                raise ValueError(
                    f"cannot write {path}: {source} is read from there, and would be lost; name"
                    " another file"
                )
        seen.append(path)


def _is_same(path: str, other: str) -> bool:
    """Tells whether two paths are one file, that may not be there yet."""
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _has_data_at(source: str, path: str) -> bool:
    """Tells whether a file holds the external data of a model."""
    folder = os.path.dirname(os.path.realpath(source))
    is_below = os.path.realpath(path).startswith(os.path.join(folder, ""))
    if not source.endswith(".onnx") or not os.path.isfile(path) or not is_below:
        return False
    import onnx

    from onnx_acts.files.reading import check_model_file
    from onnx_acts.files.weights import external_tensors

    model = onnx.load(check_model_file(source), load_external_data=False)
    return any(
        entry.key == "location" and _is_same(os.path.join(folder, entry.value), path)
        for tensor in external_tensors(model)
        for entry in tensor.external_data
    )


def progress(text: str) -> None:
    """Shows what is being done, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


class Steps:
    """Shows which of a known number of steps is being done."""

    def __init__(self, total: int) -> None:
        """Expects `total` steps."""
        self._total, self._done = total, 0

    def __call__(self, text: str) -> None:
        """Begins the next step."""
        self._done += 1
        progress(f"{self._done}/{self._total} {text}")
