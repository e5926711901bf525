"""A file that is read in parts, at any time, and must stay as it is meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

__all__ = ["OpenFile"]

_WINDOW = 2**16
"""Bytes that are read at once, so that small parts need no call of the system each."""

_LARGEST_READ = 2**30
"""Bytes of one read; Linux stops at 2 GiB."""


class OpenFile:
    """A file of which parts are read; slices give bytes.

    It is not mapped into memory: a mapped file that another process cuts off kills the reader.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        """Opens a file; a symbolic link is followed.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = path
        self._stream = open(path, "rb", buffering=0)  # noqa: SIM115 - `close` closes it
        self._descriptor = self._stream.fileno()
        self._signature = self._look()
        self._window, self._window_start = b"", 0

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; nothing can be read after that."""
        self._stream.close()

    def fileno(self) -> int:
        """The descriptor of the file."""
        return self._descriptor

    def __len__(self) -> int:
        return self._signature[1]

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        offset = start - self._window_start
        if offset < 0 or stop - self._window_start > len(self._window):
            if stop - start > _WINDOW:
                return self._read(start, stop - start)
            self._window = self._read(start, min(_WINDOW, len(self) - start))
            self._window_start, offset = start, 0
        return self._window[offset : offset + max(stop - start, 0)]

    def check_unchanged(self) -> None:
        """Requires the file to be as it was when it was opened.

        Raises:
            ValueError: another program has written to it.
        """
        if self._look() != self._signature:
            raise self._changed()

    def _changed(self) -> ValueError:
        return ValueError(
            f"{self.path} has changed while it was read: try again when no program writes to it"
        )

    def _look(self) -> tuple[int, int, int]:
        """What tells whether the file has changed: its number, size and time."""
        status = os.fstat(self._descriptor)
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _read(self, start: int, length: int) -> bytes:
        parts = []
        while length:
            part = _read_at(self._descriptor, min(length, _LARGEST_READ), start)
            if not part:
                raise self._changed()
            parts.append(part)
            start += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _read_at(descriptor: int, length: int, start: int) -> bytes:
    """Reads from a place in a file; Windows has no call that leaves the file's position alone."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, start)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)
