"""What subcommands share."""

import argparse
import os
from pathlib import Path

import pytest

from onnx_acts.cli.arguments import add_ops, check_targets, named, progress
from onnx_acts.definition.specs import DEFAULT_OPS


def test_named() -> None:
    """All without names, else those named in that order; a wrong name lists the right ones."""
    known = {"a": 1, "b": 2}
    assert named(None, known, "--x") == [1, 2]
    assert named(["b", "a"], known, "--x") == [2, 1]
    with pytest.raises(ValueError, match="--x: there is no 'c'; there are a, b"):
        named(["c"], known, "--x")


@pytest.mark.parametrize(
    "words", [["b", "a c"], ["b,a c"], ["b,", "a c"], ["b, a c"], ["b", ",a c,"]]
)
def test_names_with_commas(words: list[str]) -> None:
    """Names have spaces or commas between them, or both; a space inside a name belongs to it."""
    assert named(words, {"a c": 1, "b": 2}, "--x") == [2, 1]


@pytest.mark.parametrize("words", [[""], [","], [" , "]])
def test_no_name(words: list[str]) -> None:
    """A flag without any name is a mistake, not a choice of nothing."""
    with pytest.raises(ValueError, match="--x: there is no ''; there are a"):
        named(words, {"a": 1}, "--x")


def ops_of(*words: str) -> list[str]:
    """What a command with `--ops` and a file reads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    add_ops(parser, "operators")
    return list(parser.parse_args(["in.onnx", *words]).ops)


def test_ops_of_a_command() -> None:
    """`--ops` takes both forms and has a default."""
    assert ops_of("--ops", "ELU", "PReLU") == ops_of("--ops", "ELU,PReLU") == ["ELU", "PReLU"]
    assert ops_of() == list(DEFAULT_OPS)


def test_file_after_ops(capsys: pytest.CaptureFixture[str]) -> None:
    """A file behind the operators is bad usage that is named, not a file that is missing."""
    with pytest.raises(SystemExit) as left:
        ops_of("--ops", "ELU", "other.onnx")
    assert left.value.code == 2
    assert "--ops: there is no 'other.onnx'; there are ReLU," in capsys.readouterr().err


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
