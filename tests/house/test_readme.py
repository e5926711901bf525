"""What the README says is true."""

import re
from pathlib import Path

import pytest

from docs.tables import operator_table, with_tables
from onnx_acts.cli.main import COMMANDS, main
from tests.building import ROOT

README = (ROOT / "README.md").read_text()


def test_operator_table_is_current() -> None:
    """The table is the one that the operator table gives."""
    assert with_tables(README) == README
    assert operator_table() in README


def test_table_needs_marks() -> None:
    """A document without marks is refused."""
    with pytest.raises(ValueError, match="no table is marked"):
        with_tables("# no marks")


def test_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example runs as it stands and has about ten lines."""
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(example.strip().splitlines()) <= 11
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert (tmp_path / "model.onnx").is_file()


def test_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Every subcommand in the README is there and has help."""
    commands = set(re.findall(r"^    onnx-acts (\w+)", README, re.MULTILINE))
    assert commands == set(COMMANDS)
    for command in commands:
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert "usage: onnx-acts" in capsys.readouterr().out
