"""Folders are written whole or not at all, and only where nothing is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from onnx_acts.files.folders import check_folder, write_folder

FILES = {"a/b/c.txt": b"1", "d.txt": b"2"}


@pytest.mark.parametrize("exists", [False, True])
def test_written(exists: bool, tmp_path: Path) -> None:
    """A new folder and an empty one are filled."""
    folder = tmp_path / "größe x"
    if exists:
        folder.mkdir()
    write_folder(folder, FILES.items())
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.txt")} == FILES


def test_link_to_an_empty_folder(tmp_path: Path) -> None:
    """A symbolic link is followed."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    write_folder(tmp_path / "link", FILES.items())
    assert (tmp_path / "there" / "d.txt").read_bytes() == b"2"


def test_refused(tmp_path: Path) -> None:
    """What is there stays as it is."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, error, message in (
        ("full", FileExistsError, "full is not empty"),
        ("file", NotADirectoryError, "file: it is no folder"),
        ("none/new", FileNotFoundError, "there is no folder .*none"),
        ("file/new", FileNotFoundError, "there is no folder .*file"),
    ):
        with pytest.raises(error, match=message):
            check_folder(tmp_path / name)
        with pytest.raises(error, match=message):
            write_folder(tmp_path / name, FILES.items())
    assert sorted(os.listdir(tmp_path)) == ["file", "full"]
    assert os.listdir(tmp_path / "full") == ["mine"]


def test_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that may not be written is told before anything is made."""
    monkeypatch.setattr("onnx_acts.files.folders.os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="is read-only"):
        write_folder(tmp_path / "new", FILES.items())
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left(error: BaseException, exists: bool, tmp_path: Path) -> None:
    """After an error the folder is as it was: empty, or not there."""
    folder = tmp_path / "new"
    if exists:
        folder.mkdir()

    def files() -> Iterator[tuple[str, bytes]]:
        yield from FILES.items()
        raise error

    match = "cannot write .*new: No space left" if isinstance(error, OSError) else None
    with pytest.raises(type(error), match=match):
        write_folder(folder, files())
    assert folder.exists() == exists
    assert not exists or not os.listdir(folder)
