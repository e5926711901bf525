"""The command line's exit statuses, and its one line on stderr."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from onnx_acts.cli import main as cli
from onnx_acts.definition.specs import spec_of
from onnx_acts.definition.version import version
from tests.helpers import one_node_model


def test_done(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is done has status 0 and nothing on stderr."""
    assert cli.main(["info"]) == 0
    assert not capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints name and version."""
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"onnx-acts {version('onnx-acts') or 'unknown'}\n"


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["accelerate"], ["info", "--no"]])
def test_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The status of argparse for bad usage is 2 too."""
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    assert "onnx-acts" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["ReLU", "ELU"], ["ReLU,ELU"]])
def test_lists_of_names(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A list of names may have spaces or commas between them, in a filter too."""
    filters = ["--quick", "--dtypes", "float32", "--groups", "special", "--runtimes", "reference"]
    assert cli.main(["conform", "--ops", *words, *filters]) == 0
    printed = capsys.readouterr().out
    assert {name for name in ("ReLU", "ELU", "PReLU") if f"\n{name} " in printed} == {"ReLU", "ELU"}


def bad_file(folder: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    """A file with an `onnx_acts` node, damaged."""
    model = one_node_model(spec_of("PReLU"), "float32", bodies=False)
    change(model)
    (folder / "bad.onnx").write_bytes(model.SerializeToString())
    return folder / "bad.onnx"


def initializer_type(model: onnx.ModelProto) -> None:
    """An element type that does not exist."""
    model.graph.initializer.add(name="w", dims=[1], data_type=99, raw_data=b"1234")


def input_type(model: onnx.ModelProto) -> None:
    """The same on an input."""
    model.graph.input[0].type.tensor_type.elem_type = 77


def no_slope(model: onnx.ModelProto) -> None:
    """A PReLU without slope."""
    del model.graph.node[2].input[1]


DAMAGED: dict[Callable[[onnx.ModelProto], object], str] = {
    initializer_type: "'w' has the element type 99, which onnx",
    input_type: "'x_in' has the element type 77, which onnx",
    no_slope: "PReLU (node 'act') takes X, slope",
}


@pytest.mark.parametrize("change", DAMAGED)
def test_damaged_file(
    change: Callable[[onnx.ModelProto], object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2, one line that names what is wrong, and no output file."""
    path, out = bad_file(tmp_path, change), tmp_path / "out.onnx"
    assert cli.main(["lower", str(path), "-o", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("onnx-acts: error: ")
    assert DAMAGED[change] in line
    assert not out.exists()


def parser_of(error: BaseException) -> Callable[[list[str]], argparse.ArgumentParser]:
    """A parser whose one command raises."""

    def run(arguments: argparse.Namespace) -> int:
        raise error

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=run)
    return lambda words: parser


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("two\nlines"), 2, "onnx-acts: error: two lines"),
        (FileNotFoundError("gone"), 2, "onnx-acts: error: gone"),
        (ValueError(), 2, "onnx-acts: error: ValueError"),
        (
            KeyError(99),
            2,
            "onnx-acts: error: internal error: KeyError: 99"
            " (set ONNX_ACTS_TRACEBACK=1 to see where it comes from)",
        ),
        (KeyboardInterrupt(), 130, "onnx-acts: interrupted"),
    ],
)
def test_errors(
    error: BaseException,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No error ends with status 1, which means that a comparison failed."""
    monkeypatch.delenv("ONNX_ACTS_TRACEBACK", raising=False)
    monkeypatch.setattr(cli, "command_parser", parser_of(error))
    assert cli.main([]) == status
    assert capsys.readouterr().err == line + "\n"


def test_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """ONNX_ACTS_TRACEBACK lets the error out."""
    monkeypatch.setenv("ONNX_ACTS_TRACEBACK", "1")
    monkeypatch.setattr(cli, "command_parser", parser_of(KeyError(99)))
    with pytest.raises(KeyError):
        cli.main([])


def test_unknown_element_type_in_accelerate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A standard node on an element type that does not exist gets the same line."""
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["": 20]> g (float[N] x) => (y) { y = Elu (x) }'
    )
    model.graph.input[0].type.tensor_type.elem_type = 77
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    assert cli.main(["accelerate", str(path), "-o", str(tmp_path / "out.onnx")]) == 2
    assert "'x' has the element type 77" in capsys.readouterr().err
    assert 77 not in TensorProto.DataType.values()


def test_reader_that_stops_early() -> None:
    """A closed pipe, as `head` leaves it, is no error."""
    command = f"{sys.executable} -m onnx_acts info | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("module", ["onnx_acts", "onnx_acts.cli"])
def test_names_of_files_that_are_not_utf8(module: str, tmp_path: Path) -> None:
    """They are used as they are, and printed with escapes; both ways to start do the same."""
    model = one_node_model(spec_of("ELU"), "float32")
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    os.rename(tmp_path / "m.onnx", os.fsencode(tmp_path / "caf") + b"\xe9.onnx")

    def tell(*words: bytes) -> tuple[int, bytes, bytes]:
        command = [os.fsencode(sys.executable), b"-m", module.encode(), *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    status, said, error = tell(b"lower", b"caf\xe9.onnx", b"-o", b"plain\xe9.onnx")
    assert (status, said, error) == (0, b"plain\\udce9.onnx: 1 ELU -> Elu\n", b"")
    assert b"plain\xe9.onnx" in os.listdir(os.fsencode(tmp_path))
    status, said, error = tell(b"info", b"plain\xe9.onnx")
    assert (status, error) == (0, b"")
    assert said.startswith(b"plain\\udce9.onnx: ")
    status, said, error = tell(b"info", b"none\xe9.onnx")
    assert (status, said) == (2, b"")
    assert error == b"onnx-acts: error: there is no ONNX file at none\\udce9.onnx\n"


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell, in which `onnx-acts` is the command of this environment."""
    line = line.replace("onnx-acts", f"'{sys.executable}' -m onnx_acts")
    own = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = ["bash", "-c", line]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=own)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("onnx-acts info >&-", "standard output is closed; to run without it, add >/dev/null"),
        ("onnx-acts info > /dev/full", "[Errno 28] No space left on device"),
    ],
)
def test_output_that_goes_nowhere(line: str, message: str) -> None:
    """A closed or full standard output gets one line and the status of an error."""
    done = in_shell(line)
    assert (done.returncode, done.stderr) == (2, f"onnx-acts: error: {message}\n")


def test_no_stderr() -> None:
    """Where nobody can be told, the status tells."""
    done = in_shell("onnx-acts info none.onnx 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_exit_in_foreign_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """sys.exit in code that a command runs is an error, whatever its number."""
    monkeypatch.setattr(cli, "command_parser", parser_of(SystemExit(0)))
    assert cli.main([]) == 2
    line = "onnx-acts: error: code that was run has called sys.exit(0)\n"
    assert capsys.readouterr().err == line


INTERRUPTED = """
import importlib.abc, sys

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "onnx":
            raise KeyboardInterrupt
        return None

sys.meta_path.insert(0, Interrupt())
sys.argv = ["onnx-acts", "accelerate", "a.onnx", "-o", "b.onnx"]
from onnx_acts.cli.main import main
sys.exit(main())
"""


def test_interrupt_while_something_is_imported() -> None:
    """Ctrl-C before the command has begun is one line too."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "onnx-acts: interrupted\n")


def test_error_below_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal an error does not stand behind the progress."""
    monkeypatch.setattr(cli, "command_parser", parser_of(ValueError("no")))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert cli.main([]) == 2
    assert capsys.readouterr().err == "\r\033[Konnx-acts: error: no\n"


LOADED = """
import sys
from onnx_acts.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sorted({"numpy", "onnx", "onnxruntime", "torch"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], ""),
        (["--version"], ""),
        (["accelerate", "--help"], "numpy onnx"),
        (["accelerate", "{model}", "-o", "{out}"], "numpy onnx"),
        (["lower", "{model}", "-o", "{out}"], "numpy onnx"),
        (["export", "none.py:Net", "--input", "1", "-o", "{out}"], "numpy onnx"),
        (["conform", "--help"], ""),
    ],
)
def test_what_a_command_loads(words: list[str], loaded: str, tmp_path: Path) -> None:
    """Nothing that takes long is loaded before it is needed: ONNX Runtime and PyTorch above all."""
    model = one_node_model(spec_of("PReLU"), "float32")
    onnx.save(model, tmp_path / "m.onnx")
    places = {"model": tmp_path / "m.onnx", "out": tmp_path / "o.onnx"}
    words = [word.format(**places) for word in words]
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == loaded


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of commands leads to commands that there are."""
    for name in cli.COMMANDS:
        with pytest.raises(SystemExit) as left:
            cli.main([name, "--help"])
        assert left.value.code == 0
        assert f"usage: onnx-acts {name} [-h]" in capsys.readouterr().out


TOLD_TO_END = """
import os, signal, sys, tempfile
from onnx_acts.cli import main as cli

def run(arguments):
    with tempfile.TemporaryDirectory(dir=sys.argv[-1]):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("went on")

class Words:
    def parse_args(self, words):
        import argparse
        return argparse.Namespace(run=run)

cli.command_parser = lambda words: Words()
sys.exit(cli.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without a signal")
def test_told_to_end(tmp_path: Path) -> None:
    """SIGTERM leaves no temporary files."""
    command = [sys.executable, "-c", TOLD_TO_END, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "onnx-acts: terminated\n"
    assert list(tmp_path.iterdir()) == []
