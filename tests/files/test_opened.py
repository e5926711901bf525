"""`OpenFile`: parts of a file, whatever is read at once, and files that change."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from onnx_acts.files import opened
from onnx_acts.files.opened import OpenFile

DATA = bytes(range(200))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 200 different bytes."""
    (tmp_path / "f").write_bytes(DATA)
    return tmp_path / "f"


@pytest.mark.parametrize("window", [1, 7, 64, 1000])
@pytest.mark.parametrize("largest", [3, 1000])
def test_slices(window: int, largest: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice is that of the bytes, in any order, beyond the end, and empty."""
    monkeypatch.setattr(opened, "_WINDOW", window)
    monkeypatch.setattr(opened, "_LARGEST_READ", largest)
    rng = np.random.default_rng(1)
    with OpenFile(path) as file:
        assert len(file) == 200
        for start, stop in rng.integers(0, 220, (500, 2)).tolist():
            assert file[start:stop] == DATA[start:stop]
        file.check_unchanged()


def test_closed(path: Path) -> None:
    """The file is closed after the block, also after an error."""
    with OpenFile(path) as file:
        os.fstat(file.fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file.fileno())


def test_cut_off(path: Path) -> None:
    """A file that ends too early is told where it is read."""
    with OpenFile(path) as file:
        os.truncate(path, 100)
        with pytest.raises(ValueError, match=r"f has changed while it was read: try again"):
            _ = file[50:150]
        with pytest.raises(ValueError, match="has changed"):
            file.check_unchanged()


def test_small_parts_are_read_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a file from front to back in small parts takes few calls of the system."""
    calls: list[int] = []
    read = os.pread

    def counting(descriptor: int, length: int, start: int) -> bytes:
        calls.append(start)
        return read(descriptor, length, start)

    monkeypatch.setattr(os, "pread", counting)
    monkeypatch.setattr(opened, "_WINDOW", 100)
    with OpenFile(path) as file:
        for start in range(0, 200, 10):
            _ = file[start : start + 10]
    assert calls == [0, 100]
