"""`onnx-acts conform` as a command: its exit status and what it refuses."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.running import run

Run = Callable[..., int]


@pytest.fixture
def conform() -> Run:
    """Runs `onnx-acts conform` in this process."""
    return functools.partial(run, "conform")


def test_command_passes(conform: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, a table on stdout, both files, nothing on stderr."""
    files = [str(tmp_path / name) for name in ("run.json", "run.xml")]
    filters = ["--ops", "ReLU", "ELU", "--dtypes", "float32", "--groups", "special", "shapes"]
    runtimes = ["--runtimes", "bodies", "reference", "evaluator"]
    status = conform("--quick", *filters, *runtimes, "--json", files[0], "--junit", files[1])
    output = capsys.readouterr()
    assert (status, output.err) == (0, "")
    assert "ok: 0 fail" in output.out
    cells = json.loads(Path(files[0]).read_text())["cells"]
    assert {cell["runtime"] for cell in cells} == {"bodies", "reference", "evaluator"}
    assert len(cells) == len(list(ElementTree.parse(files[1]).iter("testcase"))) == 12


def test_progress(
    conform: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal sees how much is done, and in the end nothing of it."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    filters = ["--ops", "ELU", "--dtypes", "float32", "--groups", "special", "shapes"]
    assert conform("--quick", *filters, "--runtimes", "reference") == 0
    told = capsys.readouterr().err.split("\r\033[K")
    assert told == ["", "1/2 ELU float32 special", "2/2 ELU float32 shapes", ""]


def test_command_fails_on_a_difference(conform: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1 when a promise is broken: standard ELU, were it not on record."""
    from onnx_acts.conformance import suite as runner

    defaults = runner.run.__defaults__ or ()
    monkeypatch.setattr(runner.run, "__defaults__", ((), *defaults[1:]))
    filters = ["--ops", "ELU", "--dtypes", "float32", "--groups", "special"]
    assert conform("--quick", *filters, "--runtimes", "standard") == 1


@pytest.mark.parametrize("flag", ["--ops", "--dtypes", "--groups", "--runtimes"])
def test_command_refuses_unknown_names(conform: Run, flag: str) -> None:
    """A wrong name is an error that lists the right ones."""
    with pytest.raises(ValueError, match=f"{flag}: there is no 'nonsense'; there are "):
        conform(flag, "nonsense")


def test_command_refuses_a_runtime_that_is_missing(
    conform: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A runtime asked for by name must be there."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "none.so"))
    with pytest.raises(ValueError, match=r"the runtime library cannot be used: .*none\.so"):
        conform("--runtimes", "library")


def test_command_refuses_a_missing_library(
    conform: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the library all is not well, though nobody named it; leaving it out is a choice."""
    monkeypatch.setenv("ONNX_ACTS_LIBRARY", str(tmp_path / "none.so"))
    filters = ["--quick", "--ops", "ReLU", "--dtypes", "float32", "--groups", "special"]
    with pytest.raises(ValueError, match=r"library cannot be used: .*--runtimes bodies standard"):
        conform(*filters)
    assert conform(*filters, "--runtimes", "bodies", "reference") == 0


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (["--groups", "slopes"], "these --groups have no cases for these --ops"),
        (["--dtypes", "bfloat16", "--runtimes", "standard"], "no case ran: no kernel for Relu"),
    ],
)
def test_command_refuses_to_run_nothing(conform: Run, filters: list[str], message: str) -> None:
    """Where no case ran there is no verdict, and the reason is told."""
    with pytest.raises(ValueError, match=message):
        conform("--quick", "--ops", "ReLU", *filters)


@pytest.mark.parametrize("flag", ["--json", "--junit", "--markdown", "--html"])
def test_command_checks_targets_first(
    conform: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flag: str
) -> None:
    """A path that cannot be written is an error before any case runs."""
    from onnx_acts.conformance import suite as runner

    monkeypatch.setattr(runner, "run", lambda *rest, **named: pytest.fail("it ran"))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        conform(flag, str(tmp_path / "none" / "file"))
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        conform(flag, str(tmp_path))


def test_all_reports(conform: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each report is written; the page and the JSON have the records, and the command."""
    filters = ["--quick", "--ops", "ELU", "--dtypes", "float32", "--groups", "special"]
    files = {name: tmp_path / name for name in ("json", "junit", "markdown", "html")}
    flags = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    monkeypatch.setattr(sys, "argv", ["onnx-acts", "conform", "--json", "a file"])
    assert conform(*filters, "--runtimes", "evaluator,reference", *flags) == 0
    assert all(path.stat().st_size for path in files.values())
    content = json.loads(files["json"].read_text())
    assert {cell["record"]["elements"] for cell in content["cells"]} == {
        3 * 95 + 1 + 3 + 24 + 63 + 67
    }
    assert content["command"] == "onnx-acts conform --json 'a file'"
    assert "ELU-float32-evaluator" in files["html"].read_text()


def test_html_without_jinja(conform: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is refused before any case runs."""
    from onnx_acts.conformance import suite as runner

    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr(runner, "run", lambda *rest, **named: pytest.fail("it ran"))
    with pytest.raises(ImportError, match="--html needs Jinja2"):
        conform("--html", str(tmp_path / "page.html"), "--runtimes", "evaluator")


OWN = """
import numpy as np
def run(operator, arrays, attributes):
    return np.where(arrays[0] < 0, arrays[0].dtype.type(0), arrays[0])
"""


def test_own_runtime(
    conform: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By `--runtimes` alone, by `--runtime` beside others; status 1 where it is wrong."""
    (tmp_path / "own_on_the_line.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    filters = ["--quick", "--dtypes", "float32", "--groups", "special"]
    name = "own_on_the_line:run"
    assert conform(*filters, "--ops", "ReLU", "--runtimes", name) == 0
    assert "operator  type     own_on_the_line:run" in capsys.readouterr().out
    both = ["--runtimes", "reference", "--runtime", name]
    assert conform(*filters, "--ops", "ReLU", *both) == 0
    assert "operator  type     reference  own_on_the_line:run" in capsys.readouterr().out
    assert conform(*filters, "--ops", "ELU", "--runtimes", name) == 1
    out = capsys.readouterr().out
    assert f"runtime = runtime_of('{name}')" in out


@pytest.mark.parametrize("flag", ["--runtime", "--runtimes"])
def test_own_runtime_that_is_not_there(conform: Run, flag: str) -> None:
    """The message names it and the reason, and no other runtimes."""
    wanted = (
        "^the runtime no_such_module:run cannot be used: it cannot be loaded:"
        " No module named 'no_such_module'$"
    )
    with pytest.raises(ValueError, match=wanted):
        conform("--quick", flag, "no_such_module:run")


def test_list_of_runtimes(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Every runtime has a line; those of other projects are told apart; nothing runs."""
    from onnx_acts.conformance.runtimes import ALL_RUNTIMES, RUNTIMES, VARIANTS

    assert conform("--list-runtimes") == 0
    default, others = capsys.readouterr().out.split("by name, or with --runtimes all:")
    for item in ALL_RUNTIMES:
        text = default if item in (*RUNTIMES, *VARIANTS) else others
        assert f"  {item.name} " in text
    assert "not installed: pip install" in others


def test_all_runtimes(
    conform: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--runtimes all` takes every one, and those that are not installed are no error."""
    from onnx_acts.conformance import runtimes
    from onnx_acts.conformance.runtimes.foreign import Foreign

    absent = Foreign("absent", "Absent", "absent", ["no_such_module"], "pip install absent")
    some = (runtimes.runtime_of("reference"), absent)
    monkeypatch.setattr(runtimes, "ALL_RUNTIMES", some)
    filters = ["--quick", "--ops", "ELU", "--dtypes", "float32", "--groups", "special"]
    assert conform(*filters, "--runtimes", "all") == 0
    assert "absent: not installed: pip install absent" in capsys.readouterr().out
    with pytest.raises(ValueError, match="absent cannot be used: not installed: pip install"):
        conform(*filters, "--runtimes", "absent")


def test_a_plain_run_loads_no_other_project() -> None:
    """Nor does the list of runtimes."""
    code = """
import sys
from onnx_acts.cli.main import main
filters = ["--quick", "--ops", "ReLU", "--dtypes", "float32", "--groups", "special"]
assert main(["conform", *filters]) == 0
assert main(["conform", "--list-runtimes"]) == 0
names = {"jax", "tensorflow", "keras", "paddle", "executorch", "ai_edge_litert", "openvino", "tvm"}
assert not names & set(sys.modules), names & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_quick_run(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing differs but what is on record, on everything that is installed here."""
    status = conform("--quick", "--dtypes", "bfloat16", "float32")
    assert status == 0, capsys.readouterr().out


@pytest.mark.slow
def test_full_run(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for every case."""
    status = conform()
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from-outputs", "there", "--runtime", "a:b"], "--runtime is about running"),
        (["--from-outputs", "there", "--jobs", "1"], "--jobs is about running"),
        (["--from-outputs", ""], "--from-outputs needs the name of a folder"),
        (["--from-outputs", "there", "--name", "==1"], "--name must begin with a name"),
        (["--from-outputs", "there", "--name", ""], "--name must begin with a name"),
        (["--name", ""], "--name says something of --from-outputs"),
    ],
    ids=str,
)
def test_nothing_is_ignored(conform: Run, words: list[str], message: str) -> None:
    """What has no place beside files of outputs is refused, and so is an empty name."""
    with pytest.raises(ValueError, match=message):
        conform(*words)


def test_list_says_what_a_plain_run_has(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The library at other levels stands with what is run by default."""
    assert conform("--list-runtimes") == 0
    text = capsys.readouterr().out
    assert text.index("by default too") < text.index("library-v2") < text.index("by name, or")


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ([], -1),
        (["--quick"], -1),
        (["--quick", "--ops", "ELU"], 1),
        (["--quick", "--jobs", "3"], 3),
    ],
)
def test_how_many_processes(
    words: list[str], jobs: int, conform: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All processors by default, but for a part that one process does before others have begun."""
    asked = []

    def ran(*_: object, jobs: int, **__: object) -> None:
        asked.append(jobs)
        raise ValueError("enough")

    monkeypatch.setattr("onnx_acts.conformance.suite.run", ran)
    with pytest.raises(ValueError, match="enough"):
        conform(*words)
    assert asked == [jobs]
