"""What subcommands share."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from onnx_acts.cli.arguments import Parser, Steps, add_ops, check_targets, named, progress
from onnx_acts.definition.specs import DEFAULT_OPS, spec_of
from tests.helpers import one_node_model


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
    with pytest.raises(ValueError, match="--x: there is no name; there are a"):
        named(words, {"a": 1}, "--x")


def ops_of(*words: str) -> tuple[list[str], str]:
    """What a command with `--ops` and a file reads."""
    parser = Parser()
    parser.add_argument("file")
    parser.add_argument("--other", action="store_true")
    add_ops(parser, "operators")
    found = parser.parse_args(words)
    return list(found.ops), found.file


@pytest.mark.parametrize(
    "words",
    [
        ["in.onnx", "--ops", "ELU", "PReLU"],
        ["in.onnx", "--ops", "ELU,PReLU"],
        ["in.onnx", "--ops=ELU,PReLU", "--other"],
        ["--ops", "ELU,PReLU", "in.onnx"],
        ["--ops", "ELU", "PReLU", "in.onnx"],
        ["--ops", "ELU,", "PReLU", "in.onnx"],
        ["--ops", "ELU", ",PReLU", "in.onnx"],
        ["--ops", "ELU", ",", "PReLU", "in.onnx"],
        ["--ops=ELU", "PReLU", "in.onnx"],
        ["--ops", "ELU", "PReLU", "--other", "in.onnx"],
        ["--op", "ELU", "PReLU", "in.onnx"],
    ],
)
def test_ops_of_a_command(words: list[str]) -> None:
    """`--ops` takes both forms, and ends where a file comes."""
    assert ops_of(*words) == (["ELU", "PReLU"], "in.onnx")


def test_file_called_like_an_operator() -> None:
    """A path with a folder is a file, whatever it is called."""
    assert ops_of("--ops", "PReLU", "./elu") == (["PReLU"], "./elu")


def test_default_of_ops() -> None:
    """Without `--ops` there is a default."""
    assert ops_of("in.onnx") == (list(DEFAULT_OPS), "in.onnx")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["in.onnx", "--ops", "ELU", "other.onnx"], "unrecognized arguments: other.onnx"),
        (["--ops", "in.onnx"], "--ops: there is no 'in.onnx'; there are ReLU,"),
        (["in.onnx", "--ops", "ELU", "Prelu"], "no 'Prelu' (did you mean PReLU?); there are"),
        (["in.onnx", "--ops", ""], "--ops: there is no name; there are"),
        (["in.onnx", "--ops"], "argument --ops: expected one argument"),
    ],
)
def test_ops_that_are_none(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name and a second file are bad usage that is named."""
    with pytest.raises(SystemExit) as left:
        ops_of(*words)
    assert left.value.code == 2
    assert message in capsys.readouterr().err


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


def test_steps_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal sees which of the steps is being done, each over the one before."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    step = Steps(2)
    step("one")
    step("two")
    progress("")
    assert capsys.readouterr().err == "\r\033[K1/2 one\r\033[K2/2 two\r\033[K"


def test_outputs_that_are_inputs(tmp_path: Path) -> None:
    """No output may be an input, or another output, whatever the paths are called."""
    source, other = tmp_path / "in.npz", tmp_path / "other.json"
    source.write_bytes(b"a")
    (tmp_path / "link").symlink_to(source)
    os.link(source, tmp_path / "hard")
    for path in (source, tmp_path / "link", tmp_path / "hard", tmp_path / "x" / ".." / "in.npz"):
        with pytest.raises(ValueError, match="is read from there"):
            check_targets([os.path.normpath(path)], [None, str(source)])
    with pytest.raises(ValueError, match="asked for twice"):
        check_targets([str(other), None, os.path.relpath(other)])
    check_targets([str(other), None], [str(source)])
    assert source.read_bytes() == b"a"


def test_outputs_that_are_weights_of_inputs(tmp_path: Path) -> None:
    """The external data of a model is part of it."""
    model = one_node_model(spec_of("PReLU"), "float32")
    (path, data), beside = (tmp_path / "m.onnx", tmp_path / "m.data"), tmp_path / "beside"
    value = model.graph.input.pop()
    array = np.ones(1, np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
    onnx.save_model(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    with pytest.raises(ValueError, match="is read from there"):
        check_targets([str(data)], [str(path)])
    beside.write_bytes(b"")
    check_targets([str(beside)], [str(path)])
