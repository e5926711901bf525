"""Finding the module that the command line names as `package.module:callable`."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["build_module", "check_factory", "find"]


def build_module(factory: str, arguments: Mapping[str, Any] | None = None) -> torch.nn.Module:
    """Imports what `factory` names and calls it.

    This runs the code that is named: give only code that you trust.

    Args:
        factory: `package.module:callable` or `file.py:callable`; the callable is a class or a
            function that returns a `torch.nn.Module`, and may have dots. The file's folder and
            the current one can be imported from.
        arguments: its arguments, all by keyword.

    Raises:
        ValueError: not of this form, nothing of that name, or the code fails.
        TypeError: it gives no `torch.nn.Module`.
    """
    import torch

    place, _ = check_factory(factory)
    with _importable(_folders(place)):
        found = _found(factory, "FACTORY")
        if not isinstance(found, torch.nn.Module):
            found = _call(found, factory, dict(arguments or {}))
        elif arguments:
            raise ValueError(
                f"FACTORY {factory!r} is a module already, so it takes no arguments:"
                f" {', '.join(arguments)} (--factory-arg)"
            )
    if not isinstance(found, torch.nn.Module):
        raise TypeError(
            f"FACTORY {factory!r} gives a {type(found).__name__}; it must give a torch.nn.Module"
        )
    return found


def find(text: str, what: str) -> Any:
    """Imports what a text like `package.module:name` or `file.py:name` names.

    Args:
        text: the text.
        what: what it stands for, for messages.

    Raises:
        ValueError: not of this form, nothing of that name, or the code fails.
    """
    place, _ = check_factory(text, what)
    with _importable(_folders(place)):
        return _found(text, what)


def check_factory(factory: str, what: str = "FACTORY") -> tuple[str, str]:
    """Returns the place and the name in it; needs no torch.

    Raises:
        ValueError: not of the form that `build_module` takes, or there is no such file.
    """
    place, separator, name = factory.rpartition(":")
    if not (separator and place and name):
        raise ValueError(
            f"{what} {factory!r} must have the form package.module:callable or file.py:callable"
        )
    if place.endswith(".py") and not Path(place).is_file():
        raise ValueError(f"{what}: there is no file {place}")
    return place, name


def _found(text: str, what: str) -> Any:
    place, name = check_factory(text, what)
    found: Any = _import(place, what)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{what} {text!r}: {place} has no {name!r}")
        found = getattr(found, part)
    return found


def _import(place: str, what: str) -> ModuleType:
    """Imports a Python file by its path, or a module by its dotted name."""
    try:
        return _run_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except (Exception, SystemExit) as error:  # somebody else's code may raise anything
        raise ValueError(
            f"{what}: cannot import {place}: {type(error).__name__}: {error}"
        ) from error


def _run_file(path: Path) -> ModuleType:
    """Runs a file as a module, under a name that no package can have."""
    name = f"<factory {path.resolve()}>"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # a name that ends in .py has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _call(found: Any, factory: str, arguments: dict[str, Any]) -> Any:
    if not callable(found):
        raise TypeError(f"FACTORY {factory!r} is a {type(found).__name__}; it cannot be called")
    try:
        return found(**arguments)
    except (Exception, SystemExit) as error:  # somebody else's code may raise anything
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise ValueError(
            f"FACTORY {factory!r} fails when called {f'with {given}' if given else 'without'}"
            f"{'' if given else ' arguments'}: {type(error).__name__}: {error}"
        ) from error


def _folders(place: str) -> list[str]:
    """The folders to import from: the file's, as when Python runs it, and the current one."""
    current = os.getcwd()
    if not place.endswith(".py"):
        return [current]
    return [str(Path(place).resolve().parent), current]


@contextlib.contextmanager
def _importable(folders: list[str]) -> Iterator[None]:
    """Puts folders before `sys.path`, which is as it was afterwards."""
    before = list(sys.path)
    sys.path[:0] = folders
    try:
        yield
    finally:
        sys.path[:] = before
