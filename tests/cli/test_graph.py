"""`onnx-acts accelerate` and `onnx-acts lower`."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from onnx_acts.files.reading import load_model
from onnx_acts.files.saving import save_model
from onnx_acts.graph import accelerate, lower
from tests.cli.running import run
from tests.graph.models import operators, parsed

MODEL = parsed(
    "a = PRelu (x, w) b = Elu (a) c = PRelu (b, w) d = LeakyRelu (c) y = Relu (d)",
    constants="T[3,1] w = {0.5, 0.25, 2}",
)


def main(arguments: list[str]) -> int:
    """What the program `onnx-acts` does with these arguments."""
    return run(*arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two PRelu and one Elu, in a folder with a space in its name."""
    folder = tmp_path / "my models"
    folder.mkdir()
    save_model(MODEL, folder / "old.onnx")
    return folder / "old.onnx"


def test_accelerate(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line tells what was replaced; the old file stays."""
    out = path.with_name("new.onnx")
    assert main(["accelerate", str(path), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 2 PRelu -> PReLU, 1 Elu -> ELU\n"
    assert load_model(out) == accelerate(MODEL)
    assert load_model(path) == MODEL


@pytest.mark.parametrize("words", [["LeakyReLU", "ReLU"], ["LeakyReLU,ReLU"]])
def test_ops(path: Path, words: list[str]) -> None:
    """`--ops` chooses the operators."""
    out = path.with_name("new.onnx")
    assert main(["accelerate", str(path), "-o", str(out), "--ops", *words]) == 0
    wanted = ["PRelu", "Elu", "PRelu", "onnx_acts::LeakyReLU", "onnx_acts::ReLU"]
    assert operators(load_model(out)) == wanted


def test_approximate(path: Path) -> None:
    """`--approximate` is handed on."""
    save_model(parsed("s = Div (x, a) y = Max (s, x)", constants="T a = {5}"), path)
    for option, found in ([], ["Div", "Max"]), (["--approximate"], ["LeakyRelu"]):
        assert main(["accelerate", str(path), "-o", str(path), *option]) == 0
        assert operators(load_model(path)) == found


def test_in_place(path: Path) -> None:
    """The output may be the input, there and back."""
    assert main(["accelerate", str(path), "-o", str(path)]) == 0
    assert load_model(path) == accelerate(MODEL)
    assert main(["lower", str(path), "-o", str(path)]) == 0
    assert operators(load_model(path)) == operators(MODEL)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("exact", [False, True])
def test_lower(path: Path, capsys: pytest.CaptureFixture[str], exact: bool) -> None:
    """One line tells what was replaced, `--exact` puts bodies in."""
    save_model(accelerate(MODEL), path)
    assert main(["lower", str(path), "-o", str(path), *(["--exact"] if exact else [])]) == 0
    elu, prelu = ("body", "body") if exact else ("Elu", "PRelu")
    assert capsys.readouterr().out == f"{path}: 2 PReLU -> {prelu}, 1 ELU -> {elu}\n"
    assert load_model(path) == lower(accelerate(MODEL), exact=exact)


def test_nothing_to_do(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model without activations is written as it is, and the line says so."""
    save_model(parsed("y = Sin (x)"), path)
    out = path.with_name("new.onnx")
    assert main(["accelerate", str(path), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: nothing to replace\n"
    assert main(["lower", str(path), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: no onnx_acts nodes\n"
    assert load_model(out) == load_model(path)


def test_what_is_left(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nodes that were asked for and could not be replaced are named, with the reason."""
    model = parsed("y = PRelu (x, w)", more_inputs=", T[C,1] w")
    save_model(model, path)
    assert main(["accelerate", str(path), "-o", str(path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("old.onnx: nothing to replace")
    assert printed[1:] == ["  left: 1 PRelu: its slope might enlarge x"]


def test_errors(path: Path) -> None:
    """Bad input is an error that names the file, and writes nothing."""
    out = path.with_name("new.onnx")
    path.write_bytes(b"no model")
    for name in ("accelerate", "lower"):
        with pytest.raises(ValueError, match="is not a valid ONNX file"):
            main([name, str(path), "-o", str(out)])
        with pytest.raises(FileNotFoundError, match="there is no ONNX file at"):
            main([name, str(path.with_name("none.onnx")), "-o", str(out)])
    assert not out.exists()


def test_old_file_survives_an_error(path: Path) -> None:
    """A model that is refused is not touched, even where it is the output."""
    model = onnx.ModelProto()
    model.CopyFrom(MODEL)
    model.opset_import[0].version = 8
    save_model(model, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="the model has opset 8"):
        main(["accelerate", str(path), "-o", str(path)])
    assert path.read_bytes() == before


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown operator or a missing output is bad usage."""
    for arguments in (["m.onnx"], ["m.onnx", "-o", "n.onnx", "--ops", "PRelu"]):
        with pytest.raises(SystemExit) as caught:
            main(["accelerate", *arguments])
        assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "--ops: there is no 'PRelu' (did you mean PReLU?); there are ReLU, LeakyReLU, PR" in told
