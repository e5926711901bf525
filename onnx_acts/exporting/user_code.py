"""Which line of the user's code an error comes from."""

from __future__ import annotations

import linecache
import os
import re
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx_ir
import onnxscript
import torch

import onnx_acts

__all__ = ["chain", "failed_node", "user_place"]

_LIBRARIES = tuple(
    os.path.join(os.path.dirname(os.path.abspath(str(package.__file__))), "")
    for package in (onnx_acts, onnx_ir, onnxscript, torch)
)
_STANDARD = os.path.join(sysconfig.get_paths()["stdlib"], "")
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')


def chain(error: BaseException) -> list[BaseException]:
    """An error and its causes, the first cause first."""
    found = [error]
    while found[0].__cause__ is not None:
        found.insert(0, found[0].__cause__)
    return found


def user_place(error: BaseException) -> str:
    """The last line outside torch and this package that led to an error; "" where there is none.

    Where the error comes from a node of a captured graph, this is the line that made the node.
    """
    for cause in chain(error):
        frames = traceback.extract_tb(cause.__traceback__)
        place = _last((item.filename, item.lineno or 0, item.name) for item in frames)
        if place:
            return place
    node = failed_node(error)
    return "" if node is None else _last(_recorded(node))


def failed_node(error: BaseException) -> torch.fx.Node | None:
    """The node of a captured graph that torch was translating; its frames alone know it."""
    for cause in chain(error):
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            node = frame.f_locals.get("node")
            if isinstance(node, torch.fx.Node):
                return node
    return None


def _recorded(node: torch.fx.Node) -> Iterator[tuple[str, int, str]]:
    """The frames that torch noted when it captured a node."""
    for name, line, function in _FRAME.findall(node.meta.get("stack_trace") or ""):
        yield name, int(line), function


def _last(frames: Iterable[tuple[str, int, str]]) -> str:
    users = [frame for frame in frames if _is_user(frame[0])]
    if not users:
        return ""
    # A function of an installed package fails where the user's code calls it.
    models = [item for item in users if not _is_installed(item[0]) or item[2] == "forward"]
    name, number, function = (models or users)[-1]
    code = linecache.getline(name, number).strip()
    return f"{_short(name)}:{number}, in {function}" + (f": `{code}`" if code else "")


def _is_user(name: str) -> bool:
    path = os.path.abspath(name)
    is_standard = path.startswith(_STANDARD) and not _is_installed(path)
    return os.path.isfile(path) and not (path.startswith(_LIBRARIES) or is_standard)


def _is_installed(name: str) -> bool:
    return "site-packages" in name or "dist-packages" in name


def _short(name: str) -> str:
    """A path from the current folder where the file is in it."""
    path, here = Path(name).resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
