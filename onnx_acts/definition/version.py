"""Versions of installed packages."""

from __future__ import annotations

import functools
import importlib.metadata
import sys

__all__ = ["version"]


def version(package: str) -> str | None:
    """Returns the version of an installed package, None where it is not installed.

    `onnx-acts` itself is not installed where a checkout is merely on the path. ONNX Runtime comes
    as onnxruntime, onnxruntime-gpu and others, of which more than one may lie there: once it is
    imported, the module tells.
    """
    if package == "onnxruntime" and package in sys.modules:
        return str(sys.modules[package].__version__)
    return _installed(package)


@functools.cache
def _installed(package: str) -> str | None:
    """What the package's files say, read once: a conformance run asks for every case."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
