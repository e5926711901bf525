"""Finding the module that the command line names as `package.module:callable`."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

__all__ = ["build_module"]


def build_module(factory: str) -> torch.nn.Module:
    """Imports what `factory` names and calls it without arguments.

    This runs the code that is named: give only code that you trust.

    Args:
        factory: `package.module:callable` or `file.py:callable`; the callable is a class or a
            function that returns a `torch.nn.Module`, and may have dots. The current folder can be
            imported from.

    Raises:
        ValueError: not of this form, nothing of that name, or the code fails.
        TypeError: it gives no `torch.nn.Module`.
    """
    place, separator, name = factory.rpartition(":")
    if not (separator and place and name):
        raise ValueError(
            f"FACTORY {factory!r} must have the form package.module:callable or file.py:callable"
        )
    found: Any = _import(place)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"FACTORY {factory!r}: {place} has no {name!r}")
        found = getattr(found, part)
    if not isinstance(found, torch.nn.Module):
        found = _call(found, factory)
    if not isinstance(found, torch.nn.Module):
        raise TypeError(
            f"FACTORY {factory!r} gives a {type(found).__name__}; it must give a torch.nn.Module"
        )
    return found


def _import(place: str) -> ModuleType:
    """Imports a Python file by its path, or a module by its dotted name."""
    try:
        with _current_folder_first():
            if not place.endswith(".py"):
                return importlib.import_module(place)
            path = Path(place)
            if not path.is_file():
                raise ValueError(f"FACTORY: there is no file {path}")
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None  # a name that ends in .py has a loader
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = module
            spec.loader.exec_module(module)
            return module
    except (ImportError, SyntaxError) as error:
        raise ValueError(f"FACTORY: cannot import {place}: {error}") from error


def _call(found: Any, factory: str) -> Any:
    if not callable(found):
        raise TypeError(f"FACTORY {factory!r} is a {type(found).__name__}; it cannot be called")
    try:
        return found()
    except Exception as error:  # somebody else's code may raise anything
        raise ValueError(
            f"FACTORY {factory!r} fails when called without arguments:"
            f" {type(error).__name__}: {error}"
        ) from error


@contextlib.contextmanager
def _current_folder_first() -> Iterator[None]:
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
