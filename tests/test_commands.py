"""What subcommands share."""

import os
from pathlib import Path

import pytest

from onnx_acts.commands import check_targets, named, progress


def test_named() -> None:
    """All without names, else those named in that order; a wrong name lists the right ones."""
    known = {"a": 1, "b": 2}
    assert named(None, known, "--x") == [1, 2]
    assert named(["b", "a"], known, "--x") == [2, 1]
    with pytest.raises(ValueError, match="--x: there is no 'c'; there are a, b"):
        named(["c"], known, "--x")


def test_targets_that_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New files, files that exist, bare names and None pass, and nothing is touched."""
    old = tmp_path / "old"
    old.write_text("kept")
    monkeypatch.chdir(tmp_path)
    check_targets([str(tmp_path / "new"), str(old), "bare", None])
    assert (os.listdir(tmp_path), old.read_text()) == (["old"], "kept")


def test_targets_that_cannot_be_written(tmp_path: Path) -> None:
    """No folder, a directory: each is named before any work."""
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        check_targets([None, str(tmp_path / "none" / "file")])
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        check_targets([str(tmp_path)])


def test_write_protected_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without permission is refused; what root may do is left to the system."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(PermissionError, match="is read-only"):
        check_targets([str(tmp_path / "new")])


def test_progress_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written where nobody watches."""
    progress("working")
    assert capsys.readouterr().err == ""
