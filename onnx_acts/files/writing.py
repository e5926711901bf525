"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from onnx_acts.files.opened import OpenFile
from onnx_acts.files.stored import Stored
from onnx_acts.files.wire import Data, Piece, Range

__all__ = ["check_target", "copy_range", "replacing", "write_atomically", "write_pieces"]

_CHUNK = 2**22
"""Bytes that are copied at once where the operating system does not do it."""


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` to a temporary file beside `path`, flushes it to disk and renames it.

    A symbolic link is followed: the file that it names is replaced. A process that is killed leaves
    the old file, and may leave a temporary one, `.onnx_acts-*.tmp`.

    Raises:
        OSError: the folder is missing, read-only or full, the file is write-protected, or `path`
            is no plain file; the message names `path`.
    """
    with replacing(check_target(path)) as stream:
        stream.write(data)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file that replaces `target` when the block ends well."""
    scratch = target.with_name(f".onnx_acts-{secrets.token_hex(8)}.tmp")
    try:
        with open(scratch, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            os.chmod(scratch, stat.S_IMODE(target.stat().st_mode))
        os.replace(scratch, target)
        _flush_folder(target.parent)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {target}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def write_pieces(stream: BinaryIO, pieces: Sequence[Piece], source: Data | None) -> None:
    """Writes bytes, and ranges of a source of more."""
    for piece in pieces:
        if isinstance(piece, Range):
            assert source is not None  # there are no ranges of nothing
            copy_range(source, piece, stream)
        else:
            stream.write(piece)


def copy_range(source: Data, place: Range, stream: BinaryIO) -> None:
    """Copies part of a source to the end of a file; the operating system does it if it can.

    Raises:
        ValueError: the source's file has been cut off.
    """
    start, stop = place.start, place.start + place.length
    if isinstance(source, OpenFile):
        start += _copied_by_system(source, place, stream)
    chunk = place.length if isinstance(source, Stored) else _CHUNK  # it has the whole in memory
    while start < stop:
        part = source[start : min(start + chunk, stop)]
        stream.write(part)
        start += len(part)


def _copied_by_system(source: OpenFile, place: Range, stream: BinaryIO) -> int:
    """Copies without taking the bytes into this process; returns how many it could."""
    stream.flush()
    copy = getattr(os, "copy_file_range", None)  # of Linux
    if copy is None:
        return 0
    done = 0
    with contextlib.suppress(OSError):  # not between these file systems, or not in this one
        while done < place.length:
            step = copy(source.fileno(), stream.fileno(), place.length - done, place.start + done)
            if not step:
                break  # the file ends, as reading on will show
            done += step
    stream.seek(0, os.SEEK_END)
    return done


def _flush_folder(folder: Path) -> None:
    """Makes a rename last through a power failure, on file systems that can."""
    with contextlib.suppress(OSError):  # the file is in its place and whole already
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_target(path: str | os.PathLike[str]) -> Path:
    """Returns the file that `save_model` would write, after a look at what is there.

    Raises:
        OSError: the folder is missing or read-only, or `path` is a directory, write-protected or no
            plain file.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {target}: it is a directory")
    if target.exists() and not target.is_file():
        raise OSError(f"cannot write {target}: it is not a plain file")
    if target.exists() and not target.stat().st_mode & 0o222:
        raise PermissionError(f"cannot write {target}: it is write-protected (chmod +w mends it)")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {target.parent} is read-only")
    return target
