"""The subcommand `onnx-acts export`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from safetensors.torch import save_file

from onnx_acts.cli import export as command
from onnx_acts.definition.nodes import read_attributes
from onnx_acts.exporting import verification
from onnx_acts.exporting.examples import parse_example
from onnx_acts.exporting.factory import build_module
from onnx_acts.exporting.verification import run_model
from tests.cli import running
from tests.exporting.networks import Dense, small

FACTORY = "tests.exporting.networks:Dense"
INPUT = "2x3"


def run(*words: object) -> int:
    """Runs the subcommand in this process."""
    return running.run("export", *words)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A safetensors file with the weights of a `Dense` in float64."""
    torch.manual_seed(5)
    path = tmp_path / "w.safetensors"
    save_file(dict(Dense().double().state_dict()), path)
    return path


def test_export(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The weights' element type is kept, the module is in evaluation mode, a summary is printed."""
    out = tmp_path / "my model.onnx"
    assert run(FACTORY, "--weights", weights, "--input", INPUT, "-o", out) == 0
    torch.manual_seed(5)
    module = Dense().double().eval()
    x = torch.randn(3, 3, dtype=torch.float64)
    got = run_model(out, [x], accelerated=False)[0]
    torch.testing.assert_close(got, module(x), rtol=1e-13, atol=1e-14)
    printed = capsys.readouterr().out
    assert "my model.onnx: style acts, opset 20, onnx_acts nodes: ELU 1, PReLU 1" in printed
    assert "verification: passed" in printed
    assert "(bodies)" in printed
    assert "(library)" in printed


def test_options(weights: Path, tmp_path: Path) -> None:
    """Style, opset, element type, fixed shapes and verification reach the exporter."""
    out = tmp_path / "m.onnx"
    options = ["--style", "standard", "--opset", "21", "--dtype", "float32", "--fixed-shapes"]
    words = [FACTORY, "--weights", weights, "--input", f"{INPUT}:float32", "-o", out, *options]
    assert run(*words, "--no-verify") == 0
    model = onnx.load(out)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 21)]
    kind = model.graph.input[0].type.tensor_type
    assert kind.elem_type == onnx.TensorProto.FLOAT
    assert [d.dim_value for d in kind.shape.dim] == [2, 3]
    assert (
        "not verified" in {p.key: p.value for p in model.metadata_props}["onnx_acts.verification"]
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [(["ELU"], {"ELU"}), (["ELU,PReLU"], {"ELU", "PReLU"}), (["ELU", "PReLU"], {"ELU", "PReLU"})],
)
def test_ops(words: list[str], found: set[str], tmp_path: Path) -> None:
    """--ops is a list with spaces or commas."""
    out = tmp_path / "m.onnx"
    assert run(FACTORY, "--input", INPUT, "-o", out, "--verify", "bodies", "--ops", *words) == 0
    assert {node.op_type for node in onnx.load(out).graph.node if node.domain} == found


def test_without_weights(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody ships an untrained model by accident: one line says whose weights these are."""
    words = ["--input", INPUT, "-o", tmp_path / "m.onnx", "--verify", "bodies"]
    assert run(FACTORY, *words) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("onnx-acts export: warning: no --weights: the model has the weights")
    assert run(FACTORY, "--weights", weights, *words) == 0
    assert run("torch.nn:ELU", *words) == 0  # it has none
    assert capsys.readouterr().err == ""


def test_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A module from a factory is exported for inference; --training keeps RReLU random."""
    factory, out = "tests.exporting.networks:trained_rrelu", tmp_path / "m.onnx"
    assert run(factory, "--input", "4x3", "-o", out) == 0
    assert run(factory, "--input", "4x3", "-o", out, "--training", "--seed", "3") == 0
    assert "passed with mean slopes" in capsys.readouterr().out


def test_training_leaves_the_rest(tmp_path: Path) -> None:
    """--training puts RReLU alone into training mode."""
    factory, out = "tests.exporting.networks:normalised_rrelu", tmp_path / "m.onnx"
    assert run(factory, "--input", "4x3", "-o", out, "--training") == 0
    nodes = {node.op_type: node for node in onnx.load(out).graph.node}
    assert "Dropout" not in nodes
    assert read_attributes(nodes["RReLU"])["training_mode"] == 1


def test_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is one line on stderr, without Python's file names."""
    factory, out = "tests.exporting.networks:of_two", tmp_path / "m.onnx"
    assert run(factory, "--input", "2x3", "-o", out) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("onnx-acts export: warning: input 'args_0': the module fixes")


def test_difference_gives_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed comparison is told on stderr; nothing is written."""
    monkeypatch.setattr(verification, "run_model", lambda *_, **__: [torch.full((2, 5), 9.0)])
    assert run(FACTORY, "--input", INPUT, "-o", tmp_path / "m.onnx") == 1
    assert "differs from PyTorch" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """FACTORY may be a .pt2 file, with its own inputs or others, and with its own weights."""
    torch.manual_seed(5)
    module, source, out = Dense().eval(), tmp_path / "my net.pt2", tmp_path / "m.onnx"
    torch.export.save(torch.export.export(module, (torch.zeros(2, 3),)), source)
    for words in ([], ["--input", INPUT]):
        assert run(source, "-o", out, *words) == 0
        x = torch.randn(2, 3)
        torch.testing.assert_close(run_model(out, [x], accelerated=False)[0], module(x))
    assert capsys.readouterr().err == ""
    for words in (["--weights", "w.safetensors"], ["--dtype", "float16"]):
        with pytest.raises(ValueError, match="has its weights and its element type"):
            run(source, "-o", out, *words)
    with pytest.raises(FileNotFoundError, match="there is no program at"):
        run("none.pt2", "-o", out)


def test_ops_before_the_factory(tmp_path: Path) -> None:
    """A list of operators ends where FACTORY comes."""
    out = tmp_path / "m.onnx"
    assert run("--ops", "PReLU,ELU", FACTORY, "--input", INPUT, "-o", out, "--no-verify") == 0
    assert {node.op_type for node in onnx.load(out).graph.node if node.domain} == {"PReLU", "ELU"}


@pytest.mark.parametrize("style", ["acts", "standard"])
def test_summary_of_a_style(style: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of standard operators has no bodies that could have been compared."""
    assert run(FACTORY, "--input", INPUT, "-o", tmp_path / "m.onnx", "--style", style) == 0
    printed = capsys.readouterr().out
    assert "largest difference" in printed
    assert ("(bodies)" in printed) == ("(library)" in printed) == (style == "acts")


def test_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal sees each step with its number, and in the end none."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run("torch.nn:ELU", "--input", INPUT, "-o", tmp_path / "m.onnx") == 0
    steps = capsys.readouterr().err.split("\r\033[K")
    assert [step.split()[0] for step in steps[1:-1]] == [f"{i}/6" for i in range(1, 7)]
    assert "loading PyTorch" in steps[1]
    assert "writing" in steps[-2]
    assert steps[-1] == ""


MISTAKES = {
    "there is no file none.py": ["none.py:Net", "--input", "2x3"],
    "must have the form": ["torch.nn", "--input", "2x3"],
    "no weights file at none.st": ["torch.nn:ELU", "--input", "2x3", "--weights", "none.st"],
    "is a pickle": ["torch.nn:ELU", "--input", "2x3", "--weights", "w.pt"],
    "there is no program at none.pt2": ["none.pt2"],
    "--input is missing": ["torch.nn:ELU"],
    "numbers joined by x": ["torch.nn:ELU", "--input", "2,3"],
    "--seed must be from 0": ["torch.nn:ELU", "--input", "2", "--seed", str(2**70)],
    "--seed must be from 0 to": ["torch.nn:ELU", "--input", "2", "--seed", "-1"],
    "there is no folder": ["torch.nn:ELU", "--input", "2", "-o", "none/m.onnx"],
}
"""Command lines by what is said of them."""


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_are_told_at_once(message: str, tmp_path: Path) -> None:
    """What is wrong is told without PyTorch, which takes long to load."""
    (tmp_path / "w.pt").write_bytes(b"\x80\x02" + b"x" * 20 + b".")
    without = "import sys; sys.modules['torch'] = None; from onnx_acts.cli.main import main;"
    done = subprocess.run(
        [sys.executable, "-c", f"{without} sys.exit(main())", "export", "-o", "m.onnx"]
        + MISTAKES[message],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = done.stderr.splitlines()
    assert (done.returncode, message in line) == (2, True), line


def test_largest_seed(tmp_path: Path) -> None:
    """Every seed that passes works."""
    words = ["torch.nn:ELU", "--input", INPUT, "-o", tmp_path / "m.onnx", "--no-verify"]
    assert run(*words, "--seed", 2**64 - 1) == 0


def test_no_input(tmp_path: Path) -> None:
    """A module's inputs cannot be guessed."""
    with pytest.raises(ValueError, match="--input is missing"):
        run(FACTORY, "-o", tmp_path / "m.onnx")


def test_no_optimize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--no-optimize reaches torch's exporter."""
    seen = []
    real = torch.onnx.export

    def spy(*args: Any, **options: Any) -> object:
        seen.append(options["optimize"])
        return real(*args, **options)

    monkeypatch.setattr(torch.onnx, "export", spy)
    words = ["torch.nn:ELU", "--input", INPUT, "-o", tmp_path / "m.onnx", "--no-verify"]
    assert run(*words) == run(*words, "--no-optimize") == 0
    assert seen == [True, False]


def test_prefix_is_told(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights of a DataParallel module fit; one line says so."""
    save_file({f"module.{name}": tensor for name, tensor in Dense().state_dict().items()}, weights)
    words = ["--input", INPUT, "-o", tmp_path / "m.onnx", "--verify", "bodies"]
    assert run(FACTORY, "--weights", weights, *words) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "'module.0.bias' was taken as '0.bias', and 4 more" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2,3", "numbers joined by x"),
        ("2x-3", "numbers joined by x"),
        ("2x3:complex64", "'complex64' is not one of float16"),
    ],
)
def test_bad_input(text: str, message: str, tmp_path: Path) -> None:
    """A shape or element type that cannot be read is refused."""
    with pytest.raises(ValueError, match=message):
        run(FACTORY, "--input", text, "-o", tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [
        ("1x3", (1, 3), torch.float32),
        ("4", (4,), torch.float32),
        ("", (), torch.float32),
        (":bfloat16", (), torch.bfloat16),
        ("0x3:float64", (0, 3), torch.float64),
        ("2x2:int64", (2, 2), torch.int64),
        ("2:bool", (2,), torch.bool),
    ],
)
def test_examples(text: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Example inputs have the shape and element type that was asked for."""
    x = parse_example(text).tensor(command._dtype_of(small()), torch.Generator())
    assert (tuple(x.shape), x.dtype) == (shape, dtype)


def test_factory_file(tmp_path: Path) -> None:
    """A factory may be a file, also with an odd name, and a name with dots."""
    path = tmp_path / "mein modell.py"
    path.write_text("import torch\nclass A:\n    build = torch.nn.ReLU\nmade = torch.nn.Tanh()\n")
    assert isinstance(build_module(f"{path}:A.build"), torch.nn.ReLU)
    assert isinstance(build_module(f"{path}:made"), torch.nn.Tanh)


def test_factory_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder can be imported from, and is not left in sys.path."""
    (tmp_path / "factory_of_this_test.py").write_text("from torch.nn import ReLU as build\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert isinstance(build_module("factory_of_this_test:build"), torch.nn.ReLU)
    assert sys.path == before


def test_factory_file_imports_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file imports from its folder and the current one, when it is read and when it is called."""
    (tmp_path / "project").mkdir()
    (tmp_path / "cwd").mkdir()
    (tmp_path / "project" / "neighbour_of_this_test.py").write_text("from torch.nn import ReLU\n")
    (tmp_path / "cwd" / "local_of_this_test.py").write_text("from torch.nn import ELU\n")
    path = tmp_path / "project" / "build.py"
    path.write_text(
        "import neighbour_of_this_test\n"
        "def build():\n    import local_of_this_test\n    return local_of_this_test.ELU()\n"
    )
    monkeypatch.chdir(tmp_path / "cwd")
    before = list(sys.path)
    assert isinstance(build_module(f"{path}:build"), torch.nn.ELU)
    assert sys.path == before


def test_factory_file_replaces_no_package(tmp_path: Path) -> None:
    """A file called as a package is does not take its place."""
    path = tmp_path / "torch.py"
    path.write_text("from dataclasses import dataclass\nfrom torch.nn import ReLU as build\n")
    assert isinstance(build_module(f"{path}:build"), torch.nn.ReLU)
    assert sys.modules["torch"] is torch


@pytest.mark.parametrize("code", ["1 / 0", "raise SystemExit(3)", "import no_such_thing", "("])
def test_factory_file_fails(code: str, tmp_path: Path) -> None:
    """Code that fails when it is read is refused with the file and the reason."""
    path, before = tmp_path / "net.py", set(sys.modules)
    path.write_text(code)
    with pytest.raises(ValueError, match=r"cannot import .*net.py: [A-Z]\w+: "):
        build_module(f"{path}:build")
    assert set(sys.modules) <= before


@pytest.mark.parametrize(
    ("factory", "kind", "message"),
    [
        ("tests.exporting.networks", ValueError, "must have the form"),
        (":small", ValueError, "must have the form"),
        ("tests.exporting.networks:none", ValueError, "has no 'none'"),
        ("no_such_package.module:build", ValueError, "cannot import no_such_package.module"),
        ("no_such_file.py:build", ValueError, "there is no file no_such_file.py"),
        ("tests.exporting.networks:FORMS", TypeError, "is a dict; it cannot be called"),
        ("builtins:dict", TypeError, "gives a dict; it must give a torch.nn.Module"),
        ("torch.nn:Linear", ValueError, "fails when called without arguments: TypeError"),
    ],
)
def test_bad_factory(factory: str, kind: type[Exception], message: str) -> None:
    """What does not lead to a module is refused by name."""
    with pytest.raises(kind, match=message):
        build_module(factory)


def in_process(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line as a user runs it, in a process and a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "onnx_acts", "export", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_process(tmp_path: Path) -> None:
    """The command line as a user runs it, with a factory in a file; bad input gives status 2."""
    (tmp_path / "net.py").write_text("import torch\ndef build():\n    return torch.nn.ELU(0.1)\n")
    words = ["net.py:build", "--input", "2x3:float64", "-o", "out.onnx", "--verify", "bodies"]
    done = in_process(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    onnx.checker.check_model(onnx.load(tmp_path / "out.onnx"), full_check=True)
    done = in_process(tmp_path, *words, "--opset", "12")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "opset 12 is not supported" in done.stderr


@pytest.mark.slow
def test_process_with_a_wrong_shape(tmp_path: Path) -> None:
    """Where the input does not fit, stderr has one line, without the logs of torch's exporter."""
    (tmp_path / "net.py").write_text(
        "import torch\ndef build():\n    return torch.nn.Linear(4, 2)\n"
    )
    done = in_process(tmp_path, "net.py:build", "--input", "2x3", "-o", "out.onnx")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("onnx-acts: error: the module cannot run on these inputs: RuntimeError")
    assert line.endswith("(input is float32 (2, 3))")
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["net.py:Net", "-o", "net.py"],
        ["net:Net", "-o", "net.py"],
        ["net.py:Net", "--weights", "w.safetensors", "-o", "w.safetensors"],
        ["net.py:Net", "--inputs", "x.npz", "-o", "x.npz"],
        ["net.py:Net", "--metadata-file", "m.json", "-o", "m.json"],
        ["net.py:Net", "--metadata-file", "m.card.json", "--card", "-o", "m.onnx"],
        ["net.py:Net", "--translations", "t.py:T", "-o", "t.py"],
        ["p.pt2", "-o", "p.pt2"],
    ],
)
def test_output_that_is_an_input(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is not overwritten, whatever it is read for."""
    monkeypatch.chdir(tmp_path)
    for name in ("net.py", "w.safetensors", "x.npz", "m.json", "m.card.json", "t.py", "p.pt2"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(ValueError, match="is read from there"):
        run(*words, *([] if "--inputs" in words else ["--input", INPUT]))
    assert {path.read_text() for path in tmp_path.iterdir()} == {"mine"}


@pytest.mark.parametrize("words", [["--verify=none", "--atol=1"], ["--no-verify", "--rtol=1"]])
def test_tolerance_of_no_comparison(words: list[str], tmp_path: Path) -> None:
    """A tolerance that nothing would look at is refused."""
    with pytest.raises(ValueError, match="atol and rtol are of the comparison"):
        run(FACTORY, "--input", INPUT, "-o", tmp_path / "m.onnx", *words)


def test_verify_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--no-verify and --verify say opposite things."""
    with pytest.raises(SystemExit):
        run(FACTORY, "--input", INPUT, "-o", tmp_path / "m.onnx", "--no-verify", "--verify", "all")
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("bounds", ["0..1e400", "-1e400..0", "-1e308..1e308"])
def test_range_without_end(bounds: str) -> None:
    """A range has two finite numbers, and a finite width."""
    with pytest.raises(ValueError, match="must be of finite numbers"):
        parse_example(f"2x4:float64:{bounds}")


@pytest.mark.parametrize("text", ["2:float32:0..1e39", "2:float16:-70000..0"])
def test_range_beyond_the_type(text: str) -> None:
    """No example is infinite by being rounded."""
    with pytest.raises(ValueError, match=r"float[0-9]+ ends at"):
        parse_example(text).tensor(torch.float32, torch.Generator())
