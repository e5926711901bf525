"""`onnx-acts info`: it works, and says what is wrong, with and without the native library."""

import json
from pathlib import Path

import pytest

from onnx_acts.definition.specs import SPECS
from onnx_acts.runtime import environment
from onnx_acts.runtime.sessions import library_info
from tests.cli import running


def run(*words: str) -> int:
    """Runs `onnx-acts info` in this process."""
    return running.run("info", *words)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, machine, providers, library and operators, as JSON."""
    assert run("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["packages"]["onnxruntime"]
    assert "CPUExecutionProvider" in found["providers"]
    assert [item["name"] for item in found["operators"]] == [spec.name for spec in SPECS]
    assert found["library"].get("error") or found["library"]["ops"] == [s.name for s in SPECS]


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The same for people."""
    assert run() == 0
    text = capsys.readouterr().out
    assert "onnxruntime" in text
    for spec in SPECS:
        assert f"{spec.name}: {spec.formula}" in text


def test_missing_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the library it still works, names the path and how to mend it."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "none.so"))
    assert run() == 0
    text = capsys.readouterr().out
    assert "none.so" in text
    assert "ONNX_ACTS_LIBRARY names it" in text


def test_garbage_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is no library is said to be none."""
    path = tmp_path / "garbage.so"
    path.write_bytes(b"not a library")
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(path))
    found = library_info()
    assert found["path"] == str(path)
    assert "cannot say what it is" in found["error"]


def test_missing_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package that is not installed is shown as such."""
    monkeypatch.setattr(environment, "_PACKAGES", ("no-such-package-at-all",))
    assert run() == 0
    assert "no-such-package-at-all not installed" in capsys.readouterr().out
