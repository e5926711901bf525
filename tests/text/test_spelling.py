"""Names that are nearly right."""

import pytest

from onnx_acts.text.spelling import same_letters, suggestion

NAMES = ["ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Prelu", "PReLU"),
        ("PRelu", "PReLU"),
        ("Elu", "ELU"),
        ("Relu", "ReLU"),
        ("leaky_relu", "LeakyReLU"),
        ("LeakyRelu", "LeakyReLU"),
        ("prlu", "PReLU"),
    ],
)
def test_suggestion(name: str, meant: str) -> None:
    """A name of the standard's, or one with a slip, leads to ours."""
    assert suggestion(name, NAMES) == f" (did you mean {meant}?)"


@pytest.mark.parametrize("name", ["Gelu", "Celu", "Swish", "other.onnx", ""])
def test_no_suggestion(name: str) -> None:
    """Another function is none of ours, however close its name."""
    assert suggestion(name, NAMES) == ""


def test_same_letters() -> None:
    """Case, hyphens and underscores do not count; a slip does."""
    assert same_letters("leaky-RELU", NAMES)
    assert not same_letters("prlu", NAMES)
