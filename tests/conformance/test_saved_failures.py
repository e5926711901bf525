"""Failing cases as folders, and back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnx_acts.conformance import saved_failures
from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.runtimes import runtime_of
from onnx_acts.conformance.saved_failures import failure_files
from onnx_acts.conformance.suite import Result, Selection, run
from onnx_acts.conformance.vectors.folders import DATA_SET, case_of
from onnx_acts.conformance.vectors.judging import judge_folder
from onnx_acts.conformance.vectors.outputs import check_outputs
from onnx_acts.conformance.vectors.reading import vectors_in
from onnx_acts.conformance.vectors.tensors import read_tensor
from onnx_acts.definition import reference
from onnx_acts.definition.specs import Difference, spec_of
from onnx_acts.files.folders import write_folder
from tests.cli.running import run as command

Array = np.ndarray[Any, Any]


class Spoiled:
    """A runtime that spoils the last element of results of three elements and more."""

    name, title, package, promise = "my runtime:1", "fake", "onnx", "exact"

    def unavailable(self) -> str:
        """Never."""
        return ""

    def unsupported(self, case: Case) -> str:
        """Nothing."""
        return ""

    def run(self, case: Case) -> list[Array]:
        """Rounds what is true."""
        exact = [np.array(y, order="C") for y in case.exact()]
        results = [reference.rounded(y, numpy_type(case.dtype)) for y in exact]
        if results[0].size >= 3:
            results[0].reshape(-1)[-1] = 77
        return results


class Raising(Spoiled):
    """A runtime that raises."""

    def run(self, case: Case) -> list[Array]:
        """Fails."""
        raise RuntimeError("no memory")


def saved(
    runtime: Spoiled, folder: Path, operator: str = "PReLU", group: str = "slopes"
) -> tuple[Result, Path]:
    """Runs a group on a runtime and writes what fails."""
    chosen = Selection([spec_of(operator)], ["bfloat16"], [group], [runtime], quick=True)
    result = run(chosen, ())
    write_folder(folder, failure_files(result, chosen))
    return result, folder


def test_each_failing_case_is_a_folder(tmp_path: Path) -> None:
    """With the model, inputs, what is expected, what came, the message and a program."""
    result, folder = saved(Spoiled(), tmp_path / "failures")
    (cell,) = result.cells
    tests = vectors_in(folder).index.tests
    assert len(tests) == cell.failed > 3
    for test in tests:
        place = folder / test.name
        assert re.fullmatch(r"test_my_runtime_1_acts_prelu_bfloat16_slopes_\w+", test.name)
        onnx.checker.check_model(str(place / "model.onnx"))
        got, want = (
            read_tensor((place / DATA_SET / f"{name}_0.pb").read_bytes())
            for name in ("got", "output")
        )
        assert got.reshape(-1)[-1] == 77
        assert np.array_equal(got.reshape(-1)[:-1], want.reshape(-1)[:-1], equal_nan=True)
        assert "got 77, exact " in (place / "message.txt").read_text()
        assert "runtime_of('my runtime:1')" in (place / "program.py").read_text()
        assert test.outputs[0].ulp == cell.promise == 0.5


def test_read_back(tmp_path: Path) -> None:
    """What was saved is judged like other vectors: right outputs pass, those that came do not."""
    _, folder = saved(Spoiled(), tmp_path / "failures")
    vectors = vectors_in(folder)

    def right(case: Case, outputs: list[Array]) -> list[Array]:
        return [reference.rounded(case.exact()[0], numpy_type(case.dtype))]

    def theirs(case: Case, outputs: list[Array]) -> list[Array]:
        return Spoiled().run(case)

    for number, (compute, is_ok) in enumerate(((right, True), (theirs, False))):
        outputs = tmp_path / str(number)
        for test in vectors.index.tests:
            place = outputs / test.name / DATA_SET
            place.mkdir(parents=True)
            (array,) = compute(case_of(test, vectors.files(test)), [])
            np.save(place / "output_0.npy", array)
        check_outputs(outputs, vectors.index, [test.name for test in vectors.index.tests])
        result = judge_folder(vectors, outputs, "mine")
        assert all(cell.failed == (0 if is_ok else cell.cases) for cell in result.cells)


def test_a_runtime_that_raises(tmp_path: Path) -> None:
    """There is nothing that came, and the message says why."""
    _, folder = saved(Raising(), tmp_path / "failures", "ELU", "special")
    for test in vectors_in(folder).index.tests:
        assert not list((folder / test.name).glob("*/got_*"))
        assert "raised RuntimeError: no memory" in (folder / test.name / "message.txt").read_text()
        assert [(one.ulp, one.steps) for one in test.outputs] == [(0.5, 0)], "the runtime's promise"


def test_a_case_that_is_no_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be a folder of the vectors, the message and the program are kept."""

    def refuse(case: Case, form: str) -> dict[str, bytes]:
        raise ValueError("no single node")

    monkeypatch.setattr(saved_failures, "files_of", refuse)
    result, folder = saved(Spoiled(), tmp_path / "failures")
    assert not vectors_in(folder).index.tests
    assert len(list(folder.glob("*/message.txt"))) == result.cells[0].failed
    assert len(list(folder.glob("*/program.py"))) == result.cells[0].failed


def test_what_is_right_the_second_time(tmp_path: Path) -> None:
    """A failure that does not come again is no folder."""
    chosen = Selection([spec_of("ELU")], ["float32"], ["shapes"], [Right()], quick=True)
    result = run(chosen, ())
    result.cells[0].failed = 1
    assert [path for path, _ in failure_files(result, chosen)] == ["vectors.json"]


class Right(Spoiled):
    """A runtime that is right."""

    def run(self, case: Case) -> list[Array]:
        """Rounds what is true."""
        return [reference.rounded(y, numpy_type(case.dtype)) for y in case.exact()]


def test_known_differences_are_no_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases on record are left out of a cell that has failures besides."""
    record = Difference(
        "my runtime:1", "because", "today", ("PReLU",), groups=("slopes",), cases="slope values*"
    )
    monkeypatch.setattr(saved_failures, "KNOWN_DIFFERENCES", (record,))
    _, folder = saved(Spoiled(), tmp_path / "failures")
    names = [test.name for test in vectors_in(folder).index.tests]
    assert names
    assert not [name for name in names if "slope_values" in name]


def test_standard_runtime_gets_its_model() -> None:
    """The model is the one that the runtime was given, with the promise of the runtime."""
    chosen = Selection([spec_of("ELU")], ["float32"], ["special"], [runtime_of("standard")], True)
    result = run(chosen, ())
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(saved_failures, "KNOWN_DIFFERENCES", ())
        files = dict(failure_files(result, chosen))
    (first, *_) = [data for path, data in files.items() if path.endswith("model.onnx")]
    assert [node.op_type for node in onnx.load_model_from_string(first).graph.node] == ["Elu"]


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1, the folder is there, and its programs run; without failures there is none."""
    from onnx_acts.conformance import suite

    filters = ("--quick", "--ops", "ELU", "--dtypes", "float32", "--groups", "special")
    words = ("conform", *filters, "--runtimes", "standard", "--save-failures")
    assert command(*words, tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()
    defaults = suite.run.__defaults__ or ()
    monkeypatch.setattr(suite.run, "__defaults__", ((), *defaults[1:]))
    monkeypatch.setattr(saved_failures, "KNOWN_DIFFERENCES", ())
    assert command(*words, tmp_path / "failures") == 1
    capsys.readouterr()
    (program, *_) = sorted((tmp_path / "failures").glob("*/program.py"))
    exec(program.read_text(), {})
    assert capsys.readouterr().out.startswith("exact: [-")


def test_command_refuses_a_full_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is run."""
    from onnx_acts.conformance import suite

    ran: Callable[..., None] = lambda *rest, **named: pytest.fail("it ran")  # noqa: E731
    monkeypatch.setattr(suite, "run", ran)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        command("conform", "--save-failures", tmp_path)
