"""`onnx-acts info`: it works, and says what is wrong, with and without the native library."""

import json
from pathlib import Path

import onnx
import onnxruntime
import pytest

from onnx_acts.definition.specs import SPECS
from onnx_acts.graph import accelerate
from onnx_acts.ort import environment
from onnx_acts.ort.provider import PROVIDER
from onnx_acts.ort.sessions import library_info
from onnx_acts.text.tables import WIDTH
from tests.cli import running
from tests.graph.models import parsed


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
    """The same for people: aligned, not too wide, without the words of drivers and sources."""
    assert run() == 0
    text = capsys.readouterr().out
    assert "onnxruntime" in text
    words = " ".join(text.split())
    for spec in SPECS:
        assert f"{spec.name} {spec.formula}" in words
    for jargon in ("None", "cudaError", "isa", "ort_api"):
        assert jargon not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    facts = [line for line in text.splitlines() if line and not line.startswith(("native", "oper"))]
    assert {line[15] for line in facts} == {" "}
    assert " " not in {line[16] for line in facts}


@pytest.mark.parametrize("version", ["1.23.2", "1.31.1"])
def test_provider(
    version: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The execution provider's name, or from which version of ONNX Runtime on there is one."""
    monkeypatch.setattr(onnxruntime, "__version__", version)
    assert run() == 0
    words = " ".join(capsys.readouterr().out.split())
    if version == "1.23.2":
        assert "provider not here: it needs ONNX Runtime 1.24 or newer, this is 1.23.2" in words
    else:
        assert f"provider {PROVIDER}, for standard nodes" in words
    assert run("--json") == 0
    own = json.loads(capsys.readouterr().out)["own_provider"]
    assert own["name"] == PROVIDER
    assert bool(own["error"]) == (version == "1.23.2")


def test_missing_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the library it still works, names the path and how to mend it."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "none.so"))
    assert run() == 0
    text = " ".join(capsys.readouterr().out.split())
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
    assert "no-such-package-at-all not installed\n" in capsys.readouterr().out


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with a node of ours, one to replace and one to leave."""
    path = tmp_path / "my model.onnx"
    onnx.save(accelerate(parsed("y = Elu (x)")), path)
    made = onnx.load(path)
    made.graph.node.extend(parsed("z = PRelu (y, w) r = Relu (z)").graph.node)
    made.graph.initializer.extend(parsed("", constants="T[3,1] w = {1, 2, 3}").graph.initializer)
    onnx.save(made, path)
    return path


def test_model(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model's activations, bodies and places, and what accelerate would change and leave."""
    assert run(str(model)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{model}: operators of ai.onnx 20, onnx_acts 1"
    rows = [line.split() for line in lines]
    assert ["onnx_acts::ELU", "float32", "1", "present", "yes", "no"] in rows
    assert ["PRelu", "float32", "1", "-", "-", "-"] in rows
    assert any(line.startswith("not natively on CUDA: ") for line in lines)
    at = lines.index("accelerate would change:")
    assert lines[at:] == [
        "accelerate would change:",
        "  1 PRelu -> PReLU",
        "accelerate would leave:",
        "  1 Relu: ReLU is not among the operators that were asked for",
    ]


def test_model_and_options(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The options are those of accelerate, before or after the file."""
    assert run("--ops", "ReLU,ELU", str(model)) == run(str(model), "--ops", "ReLU", "ELU") == 0
    printed = capsys.readouterr().out
    first, second = printed[: len(printed) // 2], printed[len(printed) // 2 :]
    assert "  1 Relu -> ReLU\n" in first
    assert "  1 PRelu: PReLU is not among" in first
    assert first == second


def test_model_as_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON."""
    assert run(str(model), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["model"], found["opsets"]) == (str(model), {"ai.onnx": 20, "onnx_acts": 1})
    assert found["activations"][-1]["operator"] == "onnx_acts::ELU"
    assert found["accelerate"]["replaces"] == {"PRelu -> PReLU": 1}
    (left,) = found["accelerate"]["leaves"]
    assert (left["form"], left["operator"], left["count"]) == ("Relu", "ReLU", 1)


def test_models_of_other_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No activations, no bodies, an opset that accelerate refuses: each is told."""
    path = tmp_path / "m.onnx"
    onnx.save(parsed("y = Sin (x)"), path)
    assert run(str(path)) == 0
    assert "no activations\n\naccelerate would change:\n  nothing" in capsys.readouterr().out
    bare = accelerate(parsed("y = Elu (x)"))
    del bare.functions[:]
    onnx.save(bare, path)
    assert run(str(path)) == 0
    assert "without a body a node needs the native library" in capsys.readouterr().out
    onnx.save(parsed("y = Elu (x)", opset=8), path)
    assert run(str(path)) == 0
    assert "accelerate refuses the model: the model has opset 8" in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match="there is no ONNX file at"):
        run(str(tmp_path / "none.onnx"))


def test_names_that_a_terminal_would_obey(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names in a file can be anything; they are printed, not obeyed."""
    model = accelerate(parsed("y = Elu (x)"))
    model.graph.node[0].op_type = "A\x1b[2J\nB"
    path = tmp_path / "m.onnx"
    onnx.save(model, path)
    assert run(str(path)) == 0
    printed = capsys.readouterr().out
    assert "onnx_acts::A\\x1b[2J\\nB" in printed
    assert "\x1b" not in printed
