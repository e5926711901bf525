"""Writing folders whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

__all__ = ["check_folder", "write_folder"]


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Returns the folder that `write_folder` would fill, after a look at what is there.

    Raises:
        OSError: it is not empty or no folder, there is no folder to make it in, or one of them may
            not be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        if any(target.iterdir()):
            raise FileExistsError(
                f"{target} is not empty, and what is there might be mistaken for what is written;"
                " name a new folder"
            )
    elif target.exists():
        raise NotADirectoryError(f"cannot write to {target}: it is no folder")
    elif not target.parent.is_dir():
        raise FileNotFoundError(f"cannot make {target}: there is no folder {target.parent}")
    written = target if target.is_dir() else target.parent
    if not os.access(written, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {written} is read-only")
    return target


def write_folder(path: str | os.PathLike[str], files: Iterable[tuple[str, bytes]]) -> None:
    """Writes files into a new or empty folder, in their order; after an error nothing is left.

    A process that is killed may leave some of them; the last file is not among them.

    Args:
        path: the folder.
        files: paths in the folder, with slashes, and what to write there. They may be made one
            after another; an error in their making is like one in writing them.

    Raises:
        OSError: see `check_folder`; or the disk is full. The message names the folder.
    """
    target = check_folder(path)
    is_new = not target.exists()
    try:
        for name, data in files:
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(file, "xb") as stream:
                stream.write(data)
    except BaseException as error:
        _remove(target, is_new)
        if isinstance(error, OSError):
            raise OSError(error.errno, f"cannot write {target}: {error.strerror}") from error
        raise


def _remove(target: Path, is_new: bool) -> None:
    """Removes what has been written, and the folder where it was made for it."""
    if is_new:
        shutil.rmtree(target, ignore_errors=True)
        return
    for path in target.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
