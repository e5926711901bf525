"""The comparator: what an ULP is, and that it rejects wrong kernels."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from onnx_acts.conformance.case import numpy_type
from onnx_acts.conformance.compare import compare, ulp_error
from onnx_acts.conformance.values import dense_values
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, spec_of

Array = np.ndarray[Any, Any]
ALPHA = 0.1
SLOPE = 0.1

F32 = np.float32
MAX = float(np.finfo(F32).max)
TINY = 2.0**-149


@pytest.mark.parametrize(
    ("got", "exact", "error"),
    [
        (1 + 2**-23, 1.0, 1.0),
        (1 - 2**-24, 1.0, 0.5),
        (-(2 + 2**-22), -2.0, 1.0),
        (1.0, 1 + 2**-24, 0.5),
        (TINY, 0.25 * TINY, 0.75),
        (2**-126, 2**-126 + TINY, 1.0),
        (3 * TINY, TINY, 2.0),
        (np.inf, MAX, 1.0),
        (np.inf, 1e300, 0.0),
        (MAX, 1e300, 1.0),
        (np.inf, np.inf, 0.0),
    ],
)
def test_ulp(got: float, exact: float, error: float) -> None:
    """Errors in the normal range, at a power of two, below normal numbers and at overflow."""
    found = ulp_error(np.array([got], F32), np.array([exact], np.float64))
    assert found.tolist() == [error]


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_ulp_is_one_between_neighbours(dtype: str) -> None:
    """From every finite number to its neighbour away from zero the error is one ULP."""
    values = dense_values(dtype, quick=True)
    kind = numpy_type(dtype)
    with np.errstate(all="ignore"):
        values = values[np.isfinite(values.astype(np.float64)) & (values != 0)]
        next_up = np.nextafter(values, np.copysign(kind.type(np.inf), values))
    wide = values.astype(np.longdouble)
    assert np.all(ulp_error(next_up, wide) == 1)


CLASSES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0]


@pytest.mark.parametrize("got", CLASSES)
@pytest.mark.parametrize("exact", CLASSES)
def test_classes(got: float, exact: float) -> None:
    """However wide the promise, a class is not taken for another one."""
    found = compare(np.array([got], F32), np.array([exact]), np.dtype(F32), 1e300)
    same = np.array(got).tobytes() == np.array(exact).tobytes()
    # For 1.0 an infinite or zero result is very far, but its distance is a number.
    near = exact == 1.0 and got in (np.inf, 0.0) and not np.signbit(got)
    assert found.ok == (same or near)


def test_signs_of_nan_are_alike() -> None:
    """A NaN is a NaN, whatever its sign."""
    assert compare(np.array([-np.nan], F32), np.array([np.nan]), np.dtype(F32), 0.5).ok


def test_ties_go_to_even() -> None:
    """Correctly rounded means the even neighbour of a tie, though the other is as near."""
    exact = np.array([1 + 2**-24])
    assert compare(np.array([1.0], F32), exact, np.dtype(F32), 0.5).ok
    assert not compare(np.array([1 + 2**-23], F32), exact, np.dtype(F32), 0.5).ok


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_right_results_pass(dtype: str) -> None:
    """The correctly rounded result passes the strictest promise."""
    x = dense_values(dtype, quick=True)
    for name in ("ELU", "LeakyReLU"):
        with np.errstate(all="ignore"):
            (exact,) = reference.exact(spec_of(name), [x], {"alpha": ALPHA})
        assert compare(reference.rounded(exact, x.dtype), exact, x.dtype, 0.5).ok


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("name", ["ELU", "LeakyReLU"])
def test_neighbours_of_right_results_fail(name: str, dtype: str) -> None:
    """One step up or down is wrong for the strictest promise, wherever it is in a sweep."""
    with np.errstate(all="ignore"):
        x = dense_values(dtype, quick=True)
        x = x[np.abs(x.astype(np.float64)) < 1e4]
        (exact,) = reference.exact(spec_of(name), [x], {"alpha": ALPHA})
        right = reference.rounded(exact, x.dtype)
        for towards in (-np.inf, np.inf):
            stepped = np.nextafter(right, right.dtype.type(towards))
            found = compare(stepped, exact, x.dtype, 0.5)
            # Beside a tie, float64's true values have too few bits to tell which side is nearer.
            excused = 4 * 2.0**-8 * x.size if dtype == "float64" else 0
            assert x.size - found.wrong <= excused


def test_powers_of_two_are_not_excused() -> None:
    """Below a power of two numbers are twice as dense: a neighbour there is off by half a unit."""
    for exact in np.array([2.0, 0.25, 2.0**-700], np.longdouble):
        got = np.nextafter(np.array([exact], np.float64), 0)
        assert compare(got, np.array([exact]), got.dtype, 0.5).wrong == 1
        assert compare(np.array([exact], np.float64), np.array([exact]), got.dtype, 0.5).ok


def test_shape_and_type_are_compared() -> None:
    """A result of another shape or element type is wrong."""
    exact = np.ones((2, 3))
    assert "shape (3, 2)" in compare(np.ones((3, 2), F32), exact, np.dtype(F32), 9).message
    assert "float64" in compare(np.ones((2, 3)), exact, np.dtype(F32), 9).message


def leaky(x: Array) -> Array:
    """The right slope, in the compute type."""
    wide: Any = np.float64 if x.dtype == np.float64 else np.float32
    with np.errstate(all="ignore"):
        return np.where(x < 0, wide(SLOPE) * x.astype(wide), x).astype(x.dtype)


def swapped_branch(x: Array) -> Array:
    """The slope on the wrong side."""
    return np.where(x < 0, x, leaky(-np.abs(x)) * -1)


def wrong_at_zero(x: Array) -> Array:
    """X <= 0 with an addition that loses the sign of zero."""
    return np.where(x == 0, x + x.dtype.type(0), leaky(x))


def lost_nan(x: Array) -> Array:
    """max(x, slope x) as processors compute it: NaN is not kept."""
    return np.where(np.isnan(x), x.dtype.type(0), leaky(x))


def rounded_slope(x: Array) -> Array:
    """A slope that was rounded to fewer bits first: bfloat16's for 32 bits, the type's for 16."""
    early = {"float64": np.float32, "float32": ml_dtypes.bfloat16}.get(x.dtype.name, x.dtype)
    wide: Any = np.float64 if x.dtype == np.float64 else np.float32
    slope = np.asarray(SLOPE).astype(early).astype(wide)
    return np.where(x < 0, slope * x.astype(wide), x).astype(x.dtype)


def off_by_one_in_the_tail(x: Array) -> Array:
    """The last element is left as it was."""
    return np.concatenate([leaky(x)[:-1], x[-1:]])


def flushed_subnormals(x: Array) -> Array:
    """Subnormal results become zero."""
    right = leaky(x)
    small = np.abs(right.astype(np.float64)) < float(ml_dtypes.finfo(x.dtype).smallest_normal)
    return np.where(small, right * x.dtype.type(0), right)


WRONG_SLOPES = [
    swapped_branch,
    wrong_at_zero,
    lost_nan,
    rounded_slope,
    off_by_one_in_the_tail,
    flushed_subnormals,
]


def inputs_of(dtype: str) -> Array:
    """Values of both signs, specials among them, the last one negative."""
    x = dense_values(dtype, quick=True)
    return np.concatenate([x, np.array([np.nan, -0.0, 0.0, -3.0], x.dtype)])


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("kernel", WRONG_SLOPES, ids=lambda kernel: kernel.__name__)
def test_wrong_slopes_are_rejected(kernel: Callable[[Array], Array], dtype: str) -> None:
    """Each wrong kernel breaks a promise that the right one keeps."""
    x = inputs_of(dtype)
    with np.errstate(all="ignore"):
        (exact,) = reference.exact(spec_of("LeakyReLU"), [x], {"alpha": SLOPE})
        wrong = kernel(x)
    promise = spec_of("LeakyReLU").promise.body[dtype]
    assert compare(leaky(x), exact, x.dtype, promise).ok
    assert not compare(wrong, exact, x.dtype, promise).ok


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_exp_minus_one_is_rejected(dtype: str) -> None:
    """The cancelling form breaks even the function body's promise."""
    x = dense_values(dtype, quick=True)
    wide = np.float64 if dtype == "float64" else np.float32
    with np.errstate(all="ignore"):
        (exact,) = reference.exact(spec_of("ELU"), [x])
        curve = np.exp(x.astype(wide)) - 1
        wrong = np.where(x < 0, curve, x).astype(x.dtype)
    assert not compare(wrong, exact, x.dtype, spec_of("ELU").promise.body[dtype]).ok


def test_message_names_the_worst_element() -> None:
    """The report says what was got, what is true, how far, how many and where first."""
    got = np.array([1, 1 + 2**-22, 1 + 2**-21, 0.5], F32)
    found = compare(got, np.array([1, 1, 1, 0.5]), np.dtype(F32), 1.0)
    assert (found.max_ulp, found.wrong, found.worst) == (4.0, 2, 2)
    assert "4 ULP" in found.message
    assert "2 of 4 elements, first 1" in found.message
