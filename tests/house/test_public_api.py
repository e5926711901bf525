"""The public names are those that the README promises, all documented."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import onnx_acts
from tests.building import ROOT

NAMES = {
    "ExportResult",
    "Verification",
    "VerificationError",
    "__version__",
    "accelerate",
    "accelerate_file",
    "export",
    "library_path",
    "lower",
    "lower_file",
    "make_node",
    "placement",
    "provider_error",
    "read_metadata",
    "reference",
    "reference_evaluator",
    "register",
    "register_provider",
    "session",
    "verify",
}


def test_names() -> None:
    """Nothing more and nothing less than the promise, importable."""
    assert set(onnx_acts.__all__) == NAMES
    assert all(hasattr(onnx_acts, name) for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'specs'"):
        _ = onnx_acts.specs  # type: ignore[attr-defined]  # that is the point


def test_listed() -> None:
    """`dir` shows the public names, not the modules that have been loaded."""
    assert dir(onnx_acts) == sorted(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES - {"__version__"}))
def test_documented(name: str) -> None:
    """Each has a docstring and, where it is a function, type hints for every parameter."""
    thing = getattr(onnx_acts, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        hints = inspect.signature(thing)
        assert hints.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not p.empty for p in hints.parameters.values())


def test_functions_stay_functions() -> None:
    """Importing the rooms behind them does not turn public functions into modules."""
    import onnx_acts.exporting
    import onnx_acts.graph  # imported for its effect on the package's names

    for name in ("export", "accelerate", "lower"):
        assert inspect.isfunction(getattr(onnx_acts, name))


def test_types_are_shipped() -> None:
    """The marker of PEP 561 lies in the package, so type checkers read its hints."""
    assert Path(onnx_acts.__file__).with_name("py.typed").is_file()


def test_reference_is_a_module() -> None:
    """It can be imported as one, and is the module that the package shows."""
    import onnx_acts.reference
    from onnx_acts.definition import reference
    from onnx_acts.reference import elu

    assert elu is reference.elu is onnx_acts.reference.elu
    assert onnx_acts.reference.__all__ == reference.__all__


SCRIPT = """
import onnx_acts
import onnx_acts.reference
from onnx_acts import export, session
print(session("m.onnx"), export, onnx_acts.reference.elu([1.0]), onnx_acts.__version__)
"""


WRONG = ("onnx_acts.sesion('a')", "from onnx_acts import nothing")


@pytest.mark.slow
def test_type_checkers_know_the_names(tmp_path: Path) -> None:
    """A script with the public names passes; those with another name do not."""
    for name, text in {"right": "", "first": WRONG[0], "second": WRONG[1]}.items():
        (tmp_path / f"{name}.py").write_text(SCRIPT + text)
    scripts = sorted(map(str, tmp_path.glob("*.py")))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", *scripts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    told = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted(Path(line.partition(":")[0]).stem for line in told) == ["first", "second"], told
