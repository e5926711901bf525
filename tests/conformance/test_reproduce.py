"""The program of a failure: as short as the failure allows, and about the same case."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.reproduce import program
from onnx_acts.definition.specs import spec_of

_LIMIT = 6000
"""Characters of the longest program: 64 numbers of float64, and as many slopes, written out."""


def always(case: Case) -> bool:
    """Fails whatever is left of the case."""
    return True


def never(case: Case) -> bool:
    """Fails as a whole only."""
    return False


def found(
    case: Case, worst: int | None = None, fails: Callable[[Case], bool] = never
) -> tuple[str, Case]:
    """The program of a case, and the case that it makes."""
    text = program("reference", case, worst, fails)
    names: dict[str, Case] = {}
    exec(text.partition("\nruntime = ")[0], names)
    return text, names["case"]


def long_case(operator: str, shape: tuple[int, ...], *slope_shape: int) -> Case:
    """A case of more elements than anybody wants to read."""
    x = np.linspace(-3, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    slope = np.arange(np.prod(slope_shape), dtype=np.float32).reshape(slope_shape)
    return Case(operator, "float32", [x, slope] if slope_shape else [x])


def test_one_element_where_it_fails_alone() -> None:
    """The worst one."""
    _, small = found(long_case("ELU", (20, 5)), 37, always)
    assert small.inputs[0].tolist() == long_case("ELU", (20, 5)).inputs[0].reshape(-1)[37:38]


def test_one_element_after_an_error() -> None:
    """Without a worst one the first stands for all."""
    _, small = found(long_case("ELU", (20, 5)), None, always)
    assert small.inputs[0].tolist() == [-3]


@pytest.mark.parametrize("slope_shape", [(5, 1), (1,), (1, 20), (20,), (5, 20)], ids=str)
def test_neighbours_where_one_element_is_not_enough(slope_shape: tuple[int, ...]) -> None:
    """As few as fail, the worst among them, each with its own slope."""
    case = long_case("PReLU", (5, 20), *slope_shape)
    _, small = found(case, 37, lambda part: part.inputs[0].size >= 12)
    slopes = np.broadcast_to(case.inputs[1], (5, 20)).reshape(-1)[32:48]
    assert small.inputs[0].tolist() == case.inputs[0].reshape(-1)[32:48].tolist()
    assert np.broadcast_to(small.inputs[1], (16,)).tolist() == slopes.tolist()


def test_the_last_neighbours() -> None:
    """Those of a tail are fewer."""
    case = long_case("ELU", (70,))
    _, small = found(case, 69, lambda part: part.inputs[0].size == 6)
    assert small.inputs[0].tolist() == case.inputs[0][64:].tolist()


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("place", [("ELU", "float32"), ("PReLU", "float32"), ("RReLU", "float64")])
def test_what_fails_as_a_whole_is_found(place: tuple[str, str], quick: bool) -> None:
    """A long case is found by its name, also one of a first look; every program is short."""
    seen = set()
    for group in ("dense", "boundaries", "shapes", "slopes", "attributes"):
        for case in list(cases(spec_of(place[0]), place[1], group, quick))[:4]:
            text, again = found(case)
            assert len(text) < _LIMIT
            assert [a.tobytes() for a in again.inputs] == [a.tobytes() for a in case.inputs]
            assert again.attributes == case.attributes
            seen |= {word for word in ("find_case(", "quick=True") if word in text}
    assert seen >= ({"find_case(", "quick=True"} if quick else {"find_case("})


def test_small_input_is_written_out() -> None:
    """What fails only as a whole, and is short, is written out."""
    case = Case("ELU", "bfloat16", [np.array([[np.nan, -0.0]], numpy_type("bfloat16"))])
    text = program("evaluator", case, None, never)
    assert "import ml_dtypes\n" in text
    assert ", -0.0], ml_dtypes.bfloat16).reshape((1, 2))" in text


def test_threads_are_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The program of a case that threads share runs it in threads, and prints what differs."""
    (case,) = (one for one in cases(spec_of("ELU"), "float32", "shapes", True) if one.shared)
    text = program("library", case, None, never)
    assert "results_of(runtime, case)" in text
    exec(text, {})
    assert "got:" in capsys.readouterr().out
    plain, _ = found(long_case("ELU", (8,)))
    assert "results_of" not in plain


def test_outputs_without_a_name_stay_so() -> None:
    """What a written-out case has beside its numbers is written out, too."""
    case = Case("RReLU", "float32", [np.array([-1.0, 2.0], np.float32)], {}, 1, blank=True)
    _, again = found(case)
    assert again.blank
