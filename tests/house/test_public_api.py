"""The public names are those that the README promises, all documented."""

import inspect
from pathlib import Path

import pytest

import onnx_acts

NAMES = {
    "ExportResult",
    "VerificationError",
    "__version__",
    "accelerate",
    "export",
    "library_path",
    "lower",
    "make_node",
    "placement",
    "reference",
    "reference_evaluator",
    "register",
    "session",
}


def test_names() -> None:
    """Nothing more and nothing less than the promise, importable."""
    assert set(onnx_acts.__all__) == NAMES
    assert all(hasattr(onnx_acts, name) for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'specs'"):
        _ = onnx_acts.specs


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
