"""Writing files: a file is whole whatever happens."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import onnx_acts
from onnx_acts.files import writing
from onnx_acts.files.reading import load_model
from onnx_acts.files.saving import save_model
from onnx_acts.files.writing import write_atomically
from tests.files.models import listing, model_of

STEPS = ("fsync", "chmod", "replace")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_interrupted(
    step: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C or a full disk at any step leaves the old file whole and no temporary file."""
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        save_model(model_of([1.0]), path)
    if isinstance(error, OSError):
        assert caught.match(rf"cannot write {path}: No space left")
        assert caught.value.errno == errno.ENOSPC  # type: ignore[attr-defined]  # an OSError
    assert listing(tmp_path) == ["m.onnx"]
    assert load_model(path) == model_of()


KILLED = """
import os, signal, sys
from onnx_acts.files.writing import write_atomically
step, path = sys.argv[1:]
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, step, die)
write_atomically(path, b"new")
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed(step: str, tmp_path: Path) -> None:
    """Kill -9 at any step leaves the old file whole; the next save works."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", KILLED, step, str(path)]
    done = subprocess.run(command, check=False, cwd=Path(onnx_acts.__file__).parents[1])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_atomically(path, b"newer")
    assert path.read_bytes() == b"newer"
    left = [name for name in listing(tmp_path) if name != "m.onnx"]
    assert all(name.startswith(".onnx_acts-") and name.endswith(".tmp") for name in left)


def write_often(path: Path, letter: str) -> None:
    """Writes a long file many times."""
    for _ in range(60):
        write_atomically(path, letter.encode() * 300_000)


def test_two_writers(tmp_path: Path) -> None:
    """Two processes that write one file leave one of the two, and a reader sees only whole ones."""
    path = tmp_path / "m.onnx"
    write_atomically(path, b"a" * 300_000)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        data = path.read_bytes()
        assert data in (b"a" * 300_000, b"b" * 300_000)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert listing(tmp_path) == ["m.onnx"]


def test_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which nothing can be made is told with the target's path, not a scratch name."""

    def refused(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(arguments[0]))

    monkeypatch.setattr(writing, "open", refused, raising=False)
    with pytest.raises(PermissionError) as caught:
        save_model(model_of(), tmp_path / "m.onnx")
    assert str(caught.value) == f"[Errno 13] cannot write {tmp_path / 'm.onnx'}: Permission denied"


def test_bad_targets(tmp_path: Path) -> None:
    """Targets that are no files, or that somebody protected, are refused and left alone."""
    with pytest.raises(FileNotFoundError, match=r"cannot write .*m\.onnx: there is no folder"):
        save_model(model_of(), tmp_path / "none" / "m.onnx")
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        save_model(model_of(), tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe: it is not a plain file"):
        save_model(model_of(), tmp_path / "pipe")
    protected = tmp_path / "protected.onnx"
    protected.write_bytes(b"old")
    protected.chmod(0o444)
    with pytest.raises(PermissionError, match="it is write-protected"):
        save_model(model_of(), protected)
    assert protected.read_bytes() == b"old"
    assert listing(tmp_path) == ["pipe", "protected.onnx"]


def test_device(tmp_path: Path) -> None:
    """A device is not replaced by a file."""
    with pytest.raises(OSError, match="/dev/null: it is not a plain file"):
        write_atomically("/dev/null", b"x")


def test_symbolic_link(tmp_path: Path) -> None:
    """A link stays a link: the file that it names is replaced."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "m.onnx").write_bytes(b"old")
    (tmp_path / "link.onnx").symlink_to("real/m.onnx")
    save_model(model_of(), tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink()
    assert load_model(tmp_path / "real" / "m.onnx") == model_of()
    assert load_model(tmp_path / "link.onnx") == model_of()


def test_permissions(tmp_path: Path) -> None:
    """A file keeps its permissions; a new one has those of any new file."""
    path, other = tmp_path / "m.onnx", tmp_path / "plain"
    other.write_bytes(b"")
    save_model(model_of(), path)
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o640)
    save_model(model_of(), path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_folder_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rename the folder is flushed; a file system that cannot do that is no error."""
    flushed: list[bool] = []
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        flushed.append(is_folder)
        assert not is_folder or listing(tmp_path) == ["m.onnx"]
        if is_folder and len(flushed) > 2:
            raise OSError(errno.EINVAL, "not here")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "m.onnx", b"one")
    write_atomically(tmp_path / "m.onnx", b"two")
    assert flushed == [False, True, False, True]
    assert (tmp_path / "m.onnx").read_bytes() == b"two"
