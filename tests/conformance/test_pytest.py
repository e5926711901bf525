"""The suite as tests of another project: `pytest --pyargs onnx_acts.conformance`."""

import subprocess
import sys
from pathlib import Path

import pytest


def pytest_in(folder: Path, *words: str) -> tuple[int, str]:
    """Runs pytest as another project would; returns its status and what it printed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


SUITE = ("--pyargs", "onnx_acts.conformance", "--quick", "-k", "ELU and float32 and special")


@pytest.mark.slow
def test_runs_in_another_project(tmp_path: Path) -> None:
    """Each runtime that is named has a test for each operator, type and group."""
    (tmp_path / "conftest.py").write_text("")
    status, text = pytest_in(tmp_path, *SUITE, "--runtime", "bodies", "--runtime", "evaluator")
    assert status == 0, text
    for runtime in ("bodies", "evaluator"):
        for operator in ("ELU", "PReLU"):
            assert f"[{runtime}-{operator}-float32-special]" in text
    assert "library" not in text


@pytest.mark.slow
def test_library_is_the_default(tmp_path: Path) -> None:
    """Without --runtime our library is tested; what a runtime has no answer to is skipped."""
    status, text = pytest_in(tmp_path, *SUITE)
    assert status == 0, text
    assert "[library-ELU-float32-special]" in text
    words = ("--pyargs", "onnx_acts.conformance", "--runtime", "standard", "--quick")
    status, text = pytest_in(tmp_path, *words, "-k", "ELU and float64 and special")
    assert status == 0, text
    assert "no kernel for Elu" in text


@pytest.mark.slow
def test_failures_have_a_program(tmp_path: Path) -> None:
    """A difference that is not on record fails, with the report of the suite."""
    (tmp_path / "conftest.py").write_text(
        "from onnx_acts.conformance import suite\n"
        "suite.run.__defaults__ = ((), *suite.run.__defaults__[1:])\n"
    )
    status, text = pytest_in(tmp_path, *SUITE, "--runtime", "standard")
    assert status == 1, text
    assert "FAIL standard: ELU float32 special" in text
    assert "runtime = runtime_of('standard')" in text
    assert "*runtime.run(case))" in text


@pytest.mark.slow
def test_unknown_and_missing_runtimes(tmp_path: Path) -> None:
    """They are errors, not skipped tests."""
    status, text = pytest_in(tmp_path, *SUITE, "--runtime", "nonsense")
    assert status != 0
    assert "--runtime: unknown runtime 'nonsense'" in text
    status, text = pytest_in(tmp_path, *SUITE, "--runtime", "cuda")
    assert status == 1, text
    assert "the runtime cuda cannot be used: " in text


def test_other_projects_see_nothing_of_it(tmp_path: Path) -> None:
    """Their options may have the same names, and nothing heavy is loaded."""
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--runtime')\n"
        "    parser.addoption('--quick', action='store_true')\n"
    )
    (tmp_path / "test_mine.py").write_text(
        "import sys\n"
        "def test_mine(pytestconfig):\n"
        "    assert pytestconfig.getoption('--runtime') == 'mine'\n"
        "    assert 'onnx_acts.cli.pytest_options' in sys.modules\n"
        "    assert not {'onnx', 'onnxruntime', 'onnx_acts.conformance'} & set(sys.modules)\n"
    )
    status, text = pytest_in(tmp_path, "--runtime", "mine", "--quick")
    assert status == 0, text


@pytest.mark.slow
def test_nothing_needs_pytest() -> None:
    """The package works where pytest is not installed."""
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "import onnx_acts.conformance, onnx_acts.cli.pytest_options, onnx_acts.cli.main as m\n"
        "assert m.main(['conform', '--quick', '--ops', 'ReLU', '--dtypes', 'float32', '--groups',"
        " 'special', '--runtimes', 'evaluator']) == 0\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
