"""The programs of docs/guides/vectors.md, word for word: they read the vectors without us."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from onnx_acts.conformance.vectors.frozen import frozen
from tests.building import ROOT
from tests.cli.running import run
from tests.conformance.vectors.folders import part, write_vectors

GUIDE = (ROOT / "docs" / "guides" / "vectors.md").read_text("utf-8")
WEB = "onnxruntime-web@1.30.0"
OUT_OF_REACH = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")
WITHOUT_US = "import sys; sys.modules['onnx_acts'] = None\n"


def program(language: str) -> str:
    """The guide's one program in a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(text)


def call(*command: str | Path, folder: Path) -> str:
    """Runs a command; returns what it printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wrong_tests(printed: str) -> set[str]:
    """The tests that a runner reported."""
    return {line.split()[0] for line in printed.splitlines()}


def failed_tests(words: Sequence[object], capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The tests that the command reported, of cells with few failures."""
    capsys.readouterr()
    assert run("conform", "--from-outputs", *words) == 1
    return set(re.findall(r"^  (test_\w+): ", capsys.readouterr().out, re.MULTILINE))


def test_runner_is_short() -> None:
    """At most 30 lines, of NumPy, onnx and onnxruntime."""
    lines = program("python").splitlines()
    assert len(lines) <= 30
    imported = re.findall(r"^(?:import|from) (.*)$", program("python"), re.MULTILINE)
    assert imported == ["json, sys", "pathlib import Path", "numpy as np, onnx, onnxruntime"]


def test_runner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It finds ONNX Runtime's ELU, and nothing else in float32; the verdict is the same."""
    vectors = part(["ELU", "PReLU", "RReLU"], ["float32", "bfloat16"], quick=True)
    folder = write_vectors(vectors, tmp_path / "vectors")
    (tmp_path / "run.py").write_text(WITHOUT_US + program("python"))
    printed = call(sys.executable, "run.py", folder, tmp_path / "outputs", folder=tmp_path)
    found = wrong_tests(printed)
    assert found
    assert {re.sub("_float32_.*", "", name) for name in found} == {"test_standard_elu"}
    said = tmp_path / "outputs" / "test_standard_elu_bfloat16_dense_defaults"
    assert "NOT_IMPLEMENTED" in (said / "not_implemented.txt").read_text()
    words = (tmp_path / "outputs", "--vectors", folder)
    assert failed_tests(words, capsys) == found
    # The records of the suite are about whole groups; the first of each need not differ.
    assert run("conform", "--from-outputs", *words, "--name", "onnxruntime==1.31.1") == 0


def test_runner_finds_what_is_wrong(tmp_path: Path) -> None:
    """A wrong bit, a wrong shape and a wrong type in expected outputs are seen."""
    vectors = part(["ReLU"], ["float32"], ["special"])
    folder = write_vectors(vectors, tmp_path / "vectors")
    (tmp_path / "run.py").write_text(WITHOUT_US + program("python"))
    assert not call(sys.executable, "run.py", folder, tmp_path / "right", folder=tmp_path)
    first, second, third, *_ = (test.name for test in vectors.index.tests)
    paths = [folder / n / "test_data_set_0" / "output_0.pb" for n in (first, second, third)]
    paths[0].write_bytes(paths[0].read_bytes()[:-1] + b"\x41")
    other = part(["ReLU"], ["float64"], ["special"])
    paths[1].write_bytes(other.files(other.index.tests[0])["test_data_set_0/output_0.pb"])
    shapes = part(["ReLU"], ["float32"], ["shapes"])
    paths[2].write_bytes(shapes.files(shapes.index.tests[0])["test_data_set_0/output_0.pb"])
    printed = call(sys.executable, "run.py", folder, tmp_path / "wrong", folder=tmp_path)
    assert printed.splitlines() == [
        f"{first} Y 1 elements are wrong",
        f"{second} Y all elements are wrong",
        f"{third} Y all elements are wrong",
    ]


@pytest.mark.slow
def test_runner_on_all(tmp_path: Path) -> None:
    """The whole set: ONNX Runtime differs where the suite knows it, and nowhere else."""
    write_vectors(frozen(), tmp_path / "vectors")
    (tmp_path / "run.py").write_text(WITHOUT_US + program("python"))
    call(sys.executable, "run.py", tmp_path / "vectors", tmp_path / "outputs", folder=tmp_path)
    words = ("conform", "--from-outputs", tmp_path / "outputs")
    assert run(*words) == 1
    assert run(*words, "--name", "onnxruntime==1.31.1") == 0


def web_runtime() -> Path:
    """A folder with onnxruntime-web, made once; else the test is skipped."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("there is no node, or no npm")
    folder = ROOT / "build" / "packages" / WEB
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", WEB]
        done = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(unfinished)
            assert any(word in done.stderr for word in OUT_OF_REACH), done.stderr
            pytest.skip(f"no package index: {done.stderr.strip().splitlines()[0]}")
        unfinished.rename(folder)
    return folder


@pytest.mark.slow
def test_web(tmp_path: Path) -> None:
    """onnxruntime-web, by the guide's program: as on record in the whole set."""
    write_vectors(frozen(), tmp_path / "vectors")
    (tmp_path / "node_modules").symlink_to(web_runtime() / "node_modules")
    (tmp_path / "run.mjs").write_text(program("js"))
    call("node", "run.mjs", tmp_path / "vectors", tmp_path / "outputs", folder=tmp_path)
    words = ("conform", "--from-outputs", tmp_path / "outputs")
    assert run(*words, "--name", "onnxruntime-web==1.30.0") == 0
    assert run(*words, "--name", "onnxruntime-web") == 1
