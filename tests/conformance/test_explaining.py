"""Records of known differences: each explains elements of its kind, and no other fault."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.compare import Comparison
from onnx_acts.conformance.explaining import DRAWN_AT_ZERO, REFUSAL, TOO_LARGE, explaining
from onnx_acts.conformance.kinds import KINDS
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES
from onnx_acts.conformance.runtimes import runtime_of
from onnx_acts.conformance.saved_failures import failure_files
from onnx_acts.conformance.seeds import SEED_BITS
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.conformance.surroundings import SURROUNDINGS
from onnx_acts.definition.specs import Difference, spec_of

Array = np.ndarray[Any, Any]


class Spoilt:
    """A real runtime that gives 42 wherever x < 0."""

    def __init__(self, name: str) -> None:
        self._real = runtime_of(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def run(self, case: Case) -> list[Array]:
        """Computes, then spoils."""
        x = case.inputs[0]
        return [np.where(x < 0, y.dtype.type(42), y) for y in self._real.run(case)]


def chosen(name: str, operator: str, *groups: str) -> Selection:
    """Some groups of an operator on a runtime that is spoilt."""
    return Selection([spec_of(operator)], ["float32"], groups, [Spoilt(name)], quick=True)


def negative(selection: Selection) -> int:
    """How many of its cases have a negative x, and are computed and not refused."""
    from onnx_acts.conformance.cases import cases

    (spec,), (runtime,) = selection.operators, selection.runtimes
    found = (case for group in selection.groups for case in cases(spec, "float32", group, True))
    return sum(bool((case.inputs[0] < 0).any()) for case in found if not runtime.unsupported(case))


def test_records_excuse_no_other_fault() -> None:
    """The record of exp(x) - 1 leaves no place for 42; every case with a negative x fails."""
    selection = chosen("standard", "ELU", "special", "dense", "boundaries", "shapes", "attributes")
    result = run(selection)
    assert sum(cell.failed for cell in result.cells) == negative(selection) > 30
    assert sum(cell.known for cell in result.cells) == 0


def test_failures_are_saved_one_by_one() -> None:
    """As many folders as failures, where a record is about other elements of the same cases."""
    selection = chosen("pytorch", "LeakyReLU", "dense", "boundaries", "attributes")
    result = run(selection)
    failed = sum(cell.failed for cell in result.cells)
    saved = {path.split("/")[0] for path, _ in failure_files(result, selection)} - {"vectors.json"}
    assert len(saved) == failed > 10


@pytest.mark.parametrize(
    "record", [one for one in KNOWN_DIFFERENCES if one.groups], ids=lambda one: one.reason[:40]
)
def test_every_record_says_what_it_explains(record: Difference) -> None:
    """A kind, or an error; nothing is excused whatever it is."""
    assert record.explains in (*KINDS, REFUSAL, DRAWN_AT_ZERO, SEED_BITS, TOO_LARGE)


LOST_SIGN = Difference("standard", "the sign of zero", "today", explains="zero sign")


TOO_LARGE_IS_0 = Difference("reference", "integers overflow", "today", explains=TOO_LARGE)


@pytest.mark.parametrize(
    ("got", "is_explained"),
    [
        ([0, 255, 0, 0], True),
        ([0, 255, 1, 0], False),
        ([0, 0, 0, 0], False),
        ([0, 255, 0, 1], False),
        ([0, 255, 0, 0, 0], True),
        ([0, 255, 0, 0, 7], False),
    ],
)
def test_too_large_for_8_bits(got: list[int], is_explained: bool) -> None:
    """0 for what 32 bits cannot hold is explained; another number, or what they hold, is not."""
    scales = (np.array(0.5, np.float32), np.array(1e-8, np.float32))
    zeros = (np.array(100, np.uint8), np.array(180, np.uint8))
    slope = np.full(len(got), 2.0, np.float32)
    x = np.array([0, 110, 255, 20, 100][: len(got)], np.uint8)
    slope[4:] = np.inf  # times zero
    inputs = (x, scales[0], zeros[0], scales[1], zeros[1], slope)
    case = Case("QLinearPReLU", "uint8", [np.asarray(one) for one in inputs])
    assert case.exact()[0].tolist() == [0, 255, 255, 0, 180][: len(got)]
    found = explaining([TOO_LARGE_IS_0], case, outcome_of(case, [np.array(got, np.uint8)]), 0)
    assert found == ([TOO_LARGE_IS_0] if is_explained else [])


def outcome_of(case: Case, outputs: Sequence[Array]) -> Comparison:
    """A verdict that the case differs."""
    return Comparison(1.0, 1, 0, "differs", outputs=tuple(outputs))


@pytest.mark.parametrize("within", [name for name in SURROUNDINGS if SURROUNDINGS[name].hides < 2])
def test_what_follows_the_operator(within: str) -> None:
    """An element is explained wherever later nodes put it; another one or a size is not."""
    x = np.array([[-0.0, 1.0, -2.0], [3.0, -0.0, -5.0]], np.float32)
    case = Case("LeakyReLU", "float32", [x], {"alpha": 0.5}, within=within)
    right = [true.astype(case.type_of(true)) for true in case.exact()]
    assert len(right) == {"X written over": 1, "inside subgraphs": 4}.get(within, 2)
    lost = [np.where(one == 0, one.dtype.type(0), one) for one in right]
    assert explaining([LOST_SIGN], case, outcome_of(case, lost), 0.5) == [LOST_SIGN]
    for number, one in enumerate(lost):
        changed = one.copy()
        changed.flat[-1] += 1
        for wrong in (changed, one[:-1]):
            outputs = [*lost[:number], wrong, *lost[number + 1 :]]
            assert explaining([LOST_SIGN], case, outcome_of(case, outputs), 0.5) == []
