"""Versions of installed packages."""

from __future__ import annotations

import importlib.metadata

__all__ = ["version"]


def version(package: str) -> str | None:
    """Returns the version of an installed package, None where it is not installed.

    `onnx-acts` itself is not installed where a checkout is merely on the path.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
