"""`onnx-acts vectors` and `conform --from-outputs` as commands."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from onnx_acts.conformance.vectors import frozen
from tests.cli.running import run
from tests.conformance.vectors.folders import part, write_outputs

PART = ("--ops", "ELU", "PReLU", "--dtypes", "float16,float32", "--quick")


def digest(folder: Path) -> str:
    """A hash over a folder's files and their names."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def test_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, the folders and the index, and a line that says how much it is."""
    assert run("vectors", *PART, tmp_path / "new") == 0
    index = json.loads((tmp_path / "new" / "vectors.json").read_text())
    names = {test["name"] for test in index["tests"]}
    assert names == {path.name for path in (tmp_path / "new").iterdir() if path.is_dir()}
    assert {(test["operator"], test["dtype"]) for test in index["tests"]} == {
        (operator, dtype) for operator in ("ELU", "PReLU") for dtype in ("float16", "float32")
    }
    assert f"vectors 1: {len(names)} tests, " in capsys.readouterr().out
    for name in names:
        files = {p.name for p in (tmp_path / "new" / name / "test_data_set_0").iterdir()}
        assert {"input_0.pb", "output_0.pb"} <= files
        assert (tmp_path / "new" / name / "model.onnx").is_file()


def test_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    """Another process, locale, time zone and folder make no difference."""
    run("vectors", *PART, tmp_path / "one")
    command = [sys.executable, "-m", "onnx_acts", "vectors", *PART, str(tmp_path / "two")]
    changed = {**os.environ, "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    subprocess.run(command, check=True, env=changed, stdout=subprocess.DEVNULL)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ops", "Nonsense"], "there is no 'Nonsense'"),
        (["--dtypes", "int4"], "there is no 'int4'; there are float16"),
        (["--ops", "ELU", "--dtypes", "uint8"], "vectors 1 has no test of ELU in uint8"),
    ],
)
def test_names_that_there_are_not(words: list[str], message: str, tmp_path: Path) -> None:
    """A name that is wrong is told, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        run("vectors", *words, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_lists_end_at_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may follow a list of operators or types."""
    monkeypatch.chdir(tmp_path)
    assert run("vectors", "--quick", "--dtypes", "float32", "float64", "--ops", "ELU", "one") == 0
    assert run("vectors", "--quick", "--ops", "ELU", "--dtypes", "float32,", "float64", "two") == 0
    assert run("vectors", "--quick", "--ops=ELU", "--dtypes=float32,float64", "three") == 0
    assert digest(tmp_path / "one") == digest(tmp_path / "three")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_folder_that_is_not_empty(tmp_path: Path) -> None:
    """It is refused, and stays as it is."""
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        run("vectors", tmp_path)
    assert os.listdir(tmp_path) == ["mine"]


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written is left."""
    whole = frozen.vectors_files

    def short(vectors: frozen.Vectors) -> dict[str, bytes]:
        files = dict(list(whole(vectors).items())[:20])
        return {**files, "x" * 300: b""}  # a name that no file system takes

    monkeypatch.setattr(frozen, "vectors_files", short)
    with pytest.raises(OSError, match=r"cannot write .*new"):
        run("vectors", *PART, tmp_path / "new")
    assert not os.listdir(tmp_path)


def test_from_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Right outputs give status 0, a table, JSON and JUnit; one wrong bit gives status 1."""
    vectors = part(["ReLU"], ["float32"])
    outputs = write_outputs(vectors, tmp_path / "outputs")
    files = [str(tmp_path / name) for name in ("run.json", "run.xml")]
    filters = ("--ops", "ReLU", "--dtypes", "float32")
    words = ("conform", "--from-outputs", outputs, "--name", "mine", *filters)
    page = tmp_path / "run.html"
    assert run(*words, "--json", files[0], "--junit", files[1], "--html", page) == 0
    assert "orrectly rounded in every case:" in page.read_text()
    output = capsys.readouterr().out
    assert "mine/standard: its outputs of models with the standard operator" in output
    assert "ok: 0 fail" in output
    cells = json.loads(Path(files[0]).read_text())["cells"]
    assert {cell["runtime"] for cell in cells} == {"mine/acts", "mine/standard"}
    assert len(cells) == len(list(ElementTree.parse(files[1]).iter("testcase")))
    path = outputs / vectors.index.tests[-1].name / "test_data_set_0" / "output_0.pb"
    path.write_bytes(path.read_bytes()[:-1] + b"\x41")
    assert run(*words) == 1
    assert vectors.index.tests[-1].name in capsys.readouterr().out


def test_from_outputs_of_a_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word about the part, what was not written is missing; `--vectors` says what was."""
    run("vectors", *PART, tmp_path / "vectors")
    vectors = part(["ELU", "PReLU"], ["float16", "float32"], quick=True)
    outputs = write_outputs(vectors, tmp_path / "outputs")
    words = ("conform", "--from-outputs", outputs)
    assert run(*words) == 1
    assert "missing file output_0.pb" in capsys.readouterr().out
    assert run(*words, *PART) == 0
    assert run(*words, "--vectors", tmp_path / "vectors") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--runtimes", "bodies"], "--runtimes is about running"),
        (["--save-failures", "x"], "--save-failures is about running"),
        (["--vectors", "."], "holds no vectors, or not all of them: there is no vectors.json"),
        (["--groups", "nonsense"], "--groups: there is no 'nonsense'"),
        ([], "there is no output in"),
    ],
)
def test_from_outputs_refuses(words: list[str], message: str, tmp_path: Path) -> None:
    """Options that make no sense, and folders that hold something else."""
    (tmp_path / "o").mkdir()
    words = [str(tmp_path) if word == "." else word for word in words]
    with pytest.raises(ValueError, match=message):
        run("conform", "--from-outputs", tmp_path / "o", *words)


@pytest.mark.parametrize("flag", ["--name", "--vectors"])
def test_options_about_files_alone(flag: str) -> None:
    """They are refused where no files are judged."""
    with pytest.raises(ValueError, match=f"{flag} says something of --from-outputs"):
        run("conform", flag, "x")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (b"{", "is no index of test vectors"),
        (b"[]", "is no index of test vectors"),
        (b'{"format": 2, "vectors": "vectors 9"}', "has format 2; this onnx-acts reads format 1"),
        (b'{"format": 1, "vectors": "v", "tests": [{}]}', "is no index of test vectors"),
    ],
)
def test_damaged_index(index: bytes, message: str, tmp_path: Path) -> None:
    """A damaged or newer index is named."""
    (tmp_path / "vectors.json").write_bytes(index)
    with pytest.raises(ValueError, match=message):
        run("conform", "--from-outputs", tmp_path, "--vectors", tmp_path)
