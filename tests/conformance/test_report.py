"""Reports and the command: what they contain, and the exit status."""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from onnx_acts.cli import conform as command
from onnx_acts.conformance import report
from onnx_acts.conformance.suite import Cell, Failure, Result
from onnx_acts.runtime.environment import environment

Run = Callable[..., int]


@pytest.fixture
def conform() -> Run:
    """Runs `onnx-acts conform` in this process."""

    def run(*arguments: str) -> int:
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(["conform", *arguments])
        return int(parsed.run(parsed))

    return run


RESULT = Result(
    cells=[
        Cell("ELU", "float32", "dense", "library", 1.0, max_ulp=0.77, cases=2),
        Cell(
            "ELU",
            "float32",
            "dense",
            "standard",
            1.0,
            max_ulp=1.4e7,
            cases=2,
            failed=1,
            known=1,
            failures=[Failure("defaults", "got <1>\x00, exact 2", "import numpy")],
        ),
        Cell("ELU", "float32", "dense", "pytorch", 1.0, cases=2, skipped=2, reasons=["none here"]),
        Cell("ELU", "float32", "shapes", "library", 1.0, max_ulp=0.5, cases=3, known=1),
    ],
    stale=["pytorch, ELU: no longer differs: remove the record (x)"],
)


def test_table() -> None:
    """Rows, columns, figures, reasons, failures with their program, stale records, verdict."""
    text = report.table_text(RESULT, environment())
    (row,) = [line for line in text.splitlines() if line.startswith("ELU")]
    assert re.split(r"\s{2,}", row)[2:] == ["0.77 known", "FAIL 1.4e+07", "n/a"]
    for part in ("onnxruntime ", "pytorch: none here", "1 of 2 cases", "    import numpy"):
        assert part in text
    assert text.endswith("NOT OK: 1 fail, 1 known, 1 pass, 1 n/a, 1 stale records")


def test_json() -> None:
    """The JSON has the environment and every cell with its status."""
    content = json.loads(report.json_text(RESULT, environment()))
    assert set(content) == {"environment", "ok", "stale", "cells"}
    assert [cell["status"] for cell in content["cells"]] == ["pass", "fail", "n/a", "known"]
    assert content["cells"][0]["max_ulp"] == 0.77
    assert content["ok"] is False
    assert set(content["environment"]) >= {"packages", "cpu", "library", "python", "system"}


def test_junit() -> None:
    """One test case for each cell and stale record, with counts that agree; any text is valid."""
    root = ElementTree.fromstring(report.junit_text(RESULT))
    (suite,) = root.findall("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "1")
    assert len(suite.findall("testcase")) == 5
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "got <1>?, exact 2" in str(failure.text)


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


def test_command_fails_on_a_difference(conform: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 1 when a promise is broken: standard ELU, were it not on record."""
    from onnx_acts.conformance import suite as runner

    monkeypatch.setattr(runner.run, "__defaults__", ((), *runner.run.__defaults__[1:]))
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


@pytest.mark.parametrize("flag", ["--json", "--junit"])
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


def test_quick_run(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing differs but what is on record, on everything that is installed here."""
    status = conform("--quick", "--dtypes", "bfloat16", "float32")
    assert status == 0, capsys.readouterr().out


@pytest.mark.slow
def test_full_run(conform: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for every case."""
    status = conform()
    assert status == 0, capsys.readouterr().out
