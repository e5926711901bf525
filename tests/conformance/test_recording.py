"""What a cell keeps of its elements: curves, histograms, worst inputs."""

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.recording import HALF, STEPS, Record, merged
from onnx_acts.conformance.suite import Selection, run
from onnx_acts.definition.specs import spec_of
from tests.conformance.test_suite import Fake


def noted(x: list[float], got: list[float], **attributes: float) -> Record:
    """A record of one LeakyReLU."""
    record = Record()
    case = Case("LeakyReLU", "float32", [np.array(x, np.float32)], attributes, name="this")
    record.note(case, "fail", 1.0, "words", [np.array(got, np.float32)])
    return record


def test_histogram() -> None:
    """Each error is in its step: none, one ULP, three, a wrong class."""
    unit = 2.0**-23
    x = [1.0, 1.0, 1.0, np.nan]
    record = noted(x, [1.0, 1.0 + unit, 1.0 + 3 * unit, 0.0])
    wanted = dict.fromkeys(range(len(STEPS) + 2), 0)
    wanted |= {0: 1, STEPS.index(1.0): 1, STEPS.index(4.0): 1, len(STEPS) + 1: 1}
    assert record.histogram == list(wanted.values())
    assert (record.elements, record.outcomes[0].message) == (4, "words")


def test_curve_is_signed_and_in_order() -> None:
    """Errors stand in columns from large negative inputs to large positive ones, signed."""
    unit = 2.0**-23
    record = noted([-1e30, -1.0, 0.0, 1e-30, 1.0, 1e30], [-1e28, -0.01, 0.0, 1e-30, 1 - unit, 1e30])
    columns = sorted(record.curve)
    assert (columns[0], columns[-1]) == (-HALF - 1, HALF + 1)
    assert 0 in columns
    (at_one,) = [c for c in columns if 0 < c <= HALF]
    assert record.curve[at_one] == pytest.approx((-1.0, -1.0))
    assert -at_one in columns


def test_wrong_classes_have_columns_of_their_own() -> None:
    """They are counted, and no part of the curve."""
    record = noted([-1.0, -1.0], [np.nan, -0.01])
    ((column, count),) = record.wrong.items()
    assert (count, record.curve[column][1] < 1) == (1, True)


def test_only_calls_with_default_attributes_are_in_the_curve() -> None:
    """Others would hide its form; their errors are in the histogram."""
    record = noted([-1.0], [-0.6], alpha=0.5)
    assert not record.curve
    assert record.histogram[len(STEPS)] == 1


def test_worst_inputs() -> None:
    """The worst first, with bits of x, of the result and of the right one; zeros by their sign."""
    record = noted([1.0, -0.0, 2.0], [1.5, 0.0, 2.0])
    wrong, far = record.worst
    assert (wrong.ulp, wrong.x_bits, wrong.got_bits, wrong.right_bits) == (
        None, "0x80000000", "0x00000000", "0x80000000",
    )  # fmt: skip
    assert (far.x, far.x_bits, far.got_bits, far.right_bits) == (
        "1.0", "0x3f800000", "0x3fc00000", "0x3f800000",
    )  # fmt: skip
    assert far.ulp == pytest.approx(0.5 * 2**23)


def test_many_wrong_classes_leave_room() -> None:
    """Of a thousand lost NaNs a few are kept, beside the largest errors."""
    record = noted([np.nan] * 1000 + [1.0], [0.0] * 1000 + [2.0])
    assert [worst.ulp is None for worst in record.worst] == [True, False]


def test_merged() -> None:
    """Of several groups the extremes, the sums, and the worst of all."""
    first, second = noted([1.0], [1.5]), noted([1.0], [0.5])
    whole = merged([first, second])
    assert whole.elements == 2
    ((low, high),) = whole.curve.values()
    assert low < 0 < high
    assert sum(whole.histogram) == 2


def test_outputs_that_cannot_be_compared() -> None:
    """A wrong shape or type is an outcome without elements."""
    record = Record()
    case = Case("ReLU", "float32", [np.ones(3, np.float32)], name="this")
    for outputs in ([], [np.ones(2, np.float32)], [np.ones(3)]):
        record.note(case, "fail", 0.0, "", outputs)
    assert (record.elements, len(record.outcomes), sum(record.histogram)) == (0, 3, 0)


def test_a_run_records_where_it_is_asked() -> None:
    """Every case of the group is an outcome; without being asked there is nothing."""
    chosen = Selection([spec_of("ELU")], ["float32"], ["special"], [Fake()], quick=True)
    assert run(chosen).cells[0].record is None
    chosen = Selection([spec_of("ELU")], ["float32"], ["special"], [Fake()], True, recorded=True)
    (cell,) = run(chosen).cells
    assert cell.record is not None
    assert [outcome.status for outcome in cell.record.outcomes] == ["pass"] * cell.cases
    assert cell.record.elements == sum(cell.record.histogram) == 3 * 95 + 1 + 3 + 24 + 63 + 67
