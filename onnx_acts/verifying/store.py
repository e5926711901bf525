"""Keeping the values of a whole run: in memory, and in a folder where they are too many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np

from onnx_acts.verifying.values import Value

__all__ = ["Store"]

_MOST = 2**30
"""Bytes that stay in memory."""

_LARGE = 2**20
"""Bytes from which an array may go to a file."""


class Store(Mapping[str, Value]):
    """The values by name. A large one that comes when there are many is a file."""

    def __init__(self) -> None:
        """Starts with none."""
        self._values: dict[str, Value] = {}
        self._bytes = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Store:
        """The store; it is empty afterwards."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes what was written."""
        self._values.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def put(self, name: str, value: Value) -> None:
        """Keeps a value."""
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            if self._bytes + value.nbytes > _MOST and value.nbytes > _LARGE:
                value = self._written(value)
            else:
                self._bytes += value.nbytes
        self._values[name] = value

    def _written(self, value: np.ndarray) -> Value:
        """The array, in a file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="onnx_acts.")
        path = Path(self._folder.name) / f"{len(self._values)}.bin"
        np.ascontiguousarray(value).reshape(-1).view(np.uint8).tofile(path)
        return np.memmap(path, np.uint8, "r").view(value.dtype).reshape(value.shape)

    def __getitem__(self, name: str) -> Value:
        """The value of that name."""
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in the order in which they came."""
        return iter(self._values)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._values)
