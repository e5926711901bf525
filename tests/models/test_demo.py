"""The demo's verdict: wrong outputs are caught, whatever the score says."""

import dataclasses
import math

import numpy as np
import pytest

from models import demo
from models.data import FloatArray
from models.recipes import RECIPES

NAN = math.nan
GOOD = demo.Difference(3.0, 1e-6)
ROW = demo.Row(
    model="network",
    metric="accuracy",
    scores={"PyTorch": 0.97, "bodies": 0.97, "library": 0.97},
    differences={"bodies": GOOD, "library": GOOD},
    scale=10.0,
    milliseconds={"bodies": 1.0},
)


def with_difference(ulp: float, absolute: float, runtime: str = "library") -> demo.Row:
    """The row with another difference in one runtime."""
    found = {**ROW.differences, runtime: demo.Difference(ulp, absolute)}
    return dataclasses.replace(ROW, differences=found)


@pytest.mark.parametrize("runtime", ["bodies", "library"])
@pytest.mark.parametrize(
    ("absolute", "agrees"), [(0.0, True), (0.9e-3, True), (1.1e-3, False), (NAN, False)]
)
def test_differences_decide(runtime: str, absolute: float, agrees: bool) -> None:
    """Above 1e-4 of the largest output, or NaN, in any runtime is wrong, at the same score."""
    assert demo.agrees(with_difference(0.0, absolute, runtime)) == agrees


def test_ulp_does_not_decide() -> None:
    """Sums that cancel are many ULP off without being wrong."""
    assert demo.agrees(with_difference(1e6, 1e-6))


@pytest.mark.parametrize(
    ("metric", "score", "agrees"),
    [
        ("accuracy", 0.971, False),
        ("accuracy", NAN, False),
        ("psnr_db", 0.9705, True),
        ("psnr_db", 0.972, False),
    ],
)
def test_scores_decide(metric: str, score: float, agrees: bool) -> None:
    """Accuracy must be the same, PSNR to a thousandth of a decibel."""
    changed = dataclasses.replace(ROW, metric=metric, scores={**ROW.scores, "library": score})
    assert demo.agrees(changed) == agrees


def batches(*values: float) -> list[FloatArray]:
    """Outputs of several batches of one number."""
    return [np.array([[value]], np.float32) for value in values]


def test_difference() -> None:
    """The largest one over all batches, in ULP of the expected value and absolute."""
    found = demo.difference(batches(1.0, 4.0, -2.0), batches(1.0 + 2**-22, 4.0 + 2**-21, -2.0))
    assert found == (2.0, 2**-21)


@pytest.mark.parametrize("where", range(3))
def test_difference_keeps_nan(where: int) -> None:
    """NaN in any batch, first or last, is the largest difference."""
    values = [1.0, 2.0, 3.0]
    values[where] = NAN
    found = demo.difference(batches(1.0, 2.0, 3.0), batches(*values))
    assert all(map(math.isnan, found))


def test_difference_compares_shapes() -> None:
    """An output that would broadcast is not taken for the right one."""
    with pytest.raises(ValueError, match=r"gave the shape \(1, 1\), PyTorch \(2, 3\)"):
        demo.difference([np.ones((2, 3), np.float32)], [np.ones((1, 1), np.float32)])


def test_table_names_the_worst_runtime() -> None:
    """The largest difference is shown with the runtime that has it; NaN before any number."""
    assert "5e-04 library" in demo.table([with_difference(7.0, 5e-4)]).replace("5.0e", "5e")
    assert "nan bodies" in demo.table([with_difference(NAN, NAN, "bodies")])


def test_table_is_not_wide() -> None:
    """The longest name and the largest figures fit in 150 columns."""
    runtimes = ("bodies", "library", "reference")
    row = demo.Row(
        max(RECIPES, key=len),
        "psnr_db",
        dict.fromkeys(("PyTorch", *runtimes), 33.333),
        dict.fromkeys(runtimes, demo.Difference(1e9, 1e-6)),
        1.0,
        dict.fromkeys(("standard", "bodies", "library"), 1234.56),
    )
    lines = (demo.table([row]) + "\n" + demo.LEGEND).splitlines()
    assert max(map(len, lines)) <= 150


@pytest.mark.parametrize("arguments", [["--models"], ["--models", "nonsense"]])
def test_wrong_names_are_bad_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No name, or an unknown one, is exit status 2 with the names there are."""
    with pytest.raises(SystemExit, match="2"):
        demo.parse(arguments)
    assert "--models" in capsys.readouterr().err


def test_all_models_by_default() -> None:
    """Without names the demo runs every model."""
    assert demo.parse([]).models == list(RECIPES)
