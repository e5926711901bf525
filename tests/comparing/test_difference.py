"""Arrays are compared element by element, each against its own limit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from onnx_acts.comparing.difference import Classes, difference_of
from onnx_acts.comparing.limits import Limits
from onnx_acts.comparing.tolerance import spacing


def test_worst_element() -> None:
    """The element with the largest share of its limit is named, not the largest difference."""
    want = np.array([[100.0, 1.0], [2.0, 3.0]], np.float32)
    got = want + np.array([[0.5, 0.25], [0, 0]], np.float32)
    found = difference_of(want, got, np.array([[1.0, 0.1], [1.0, 1.0]]))
    assert not found.same
    assert (found.where, found.beyond, found.elements) == ((0, 1), 1, 4)
    assert (found.distance, found.max_abs) == (0.25, 0.5)
    assert found.share == pytest.approx(2.5)
    assert found.ulp == 0.25 / 2**-23


def test_classes() -> None:
    """What is no matter of distance is infinitely far, but for the sign of zero."""
    want = np.array([math.nan, 1, math.inf, 0.0])
    got = np.array([1, math.nan, -math.inf, -0.0])
    found = difference_of(want, got, np.full(4, 1e300))
    assert found.classes == Classes(nan=2, infinity=1, zero_sign=1)
    assert found.beyond == 3
    assert found.max_abs == math.inf


def test_integers() -> None:
    """Integers that float64 cannot tell apart differ all the same."""
    want = np.array([2**62, 5], np.int64)
    found = difference_of(want, want + np.array([1, 0]), np.zeros(2))
    assert (found.same, found.beyond, found.max_abs) == (False, 1, 1.0)
    assert difference_of(want, want, np.zeros(2)).same


def test_user_tolerance() -> None:
    """It is atol + rtol * |want|."""
    limit = Limits(0.5, 0.25).allowed(np.array([-2.0, math.inf]))
    assert limit.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("want", "got"), [((1, 33), (1, 0)), ((1, 0), (1, 33)), ((2,), (3,)), ((0, 3), (0, 4))]
)
def test_other_shapes(want: tuple[int, ...], got: tuple[int, ...]) -> None:
    """Arrays of two shapes differ; that is a result, also where one of them is empty."""
    found = difference_of(np.zeros(want), np.zeros(got), np.zeros(want))
    assert not found.same
    assert str(list(want)) in found.reason
    assert str(list(got)) in found.reason
    assert found.is_compared
    assert found.elements == found.compared  # the rest would be NaN in both


def test_units_of_a_coarser_type() -> None:
    """A float32 value has the units of the type that it is compared in."""
    want = np.array([1.0], np.float32)
    assert spacing(want).tolist() == [2.0**-23]
    assert spacing(want, np.dtype("float16")).tolist() == [2.0**-10]
