"""Files of weights that a model leaves behind when it is replaced."""

from __future__ import annotations

import contextlib
import mmap
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["remove_unused", "sidecar_of", "sidecars_used"]

_NAME = 50
"""Characters of a model's name that are in its sidecar's: file systems end at 255 bytes."""


def sidecar_of(target: Path, digits: str) -> Path:
    """The sidecar of a model; the digits tell it from others."""
    return target.with_name(f"{target.name[:_NAME]}.{digits}.data")


def sidecars_used(target: Path) -> list[Path]:
    """The sidecars that were written for the model at a path, and that it still names."""
    form = re.compile(re.escape(target.name[:_NAME]) + r"\.[0-9a-f]{16}\.data")
    found = [path for path in target.parent.iterdir() if form.fullmatch(path.name)]
    return [path for path in found if target.exists() and _may_name(target, path)]


def remove_unused(sidecars: Iterable[Path]) -> None:
    """Removes sidecars that no file of their folder, and no model of the one above, names.

    What cannot be read may name them: they stay. A process that is killed before this leaves files
    that are not needed, never a model without its weights.
    """
    for sidecar in sidecars:
        with contextlib.suppress(OSError):
            folder = sidecar.parent
            others = [path for path in folder.iterdir() if path != sidecar and path.is_file()]
            models = folder.parent.glob("*.onnx")
            if not any(_may_name(path, sidecar) for path in (*others, *models)):
                sidecar.unlink()


def _may_name(path: Path, sidecar: Path) -> bool:
    """Tells whether a file has the name of a sidecar in it, or cannot be read."""
    try:
        with (
            open(path, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return data.find(sidecar.name.encode()) >= 0
    except ValueError:  # it is empty
        return False
    except OSError:
        return True
