"""The reference against MPFR, which rounds correctly by itself, on the hardest inputs."""

from typing import Any

import gmpy2
import numpy as np
import pytest

from onnx_acts.conformance.case import limits_of, numpy_type
from onnx_acts.conformance.values import boundary_values, dense_values, near_ties, odd_values
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, Spec, spec_of

Array = np.ndarray[Any, Any]
TYPES = pytest.mark.parametrize("dtype", ELEMENT_TYPES)
FIRST, OTHERS = (1.0, 0.1, 1 + 2.0**-8), (1 / 3, 1.5, -0.75, 3e-39)
ALPHAS = pytest.mark.parametrize(
    "alpha", [*FIRST, *(pytest.param(alpha, marks=pytest.mark.slow) for alpha in OTHERS)]
)

MARGIN = 8
"""Units of the working type that the judge allows the reference's ELU in float64. The C library
documents an error of at most 3 for expm1, which the product doubles at worst."""

BITS = 320
"""Of the numbers between: a product of two of the longest type is exact in half as many."""


def rounding(kind: np.dtype[Any]) -> Any:
    """MPFR's context of an element type, subnormal numbers and overflow included."""
    limits = limits_of(kind)
    precision = limits.nmant + 1
    return gmpy2.context(
        precision=precision,
        emax=limits.maxexp,
        emin=limits.minexp + 1 - precision + 1,
        subnormalize=True,
    )


def curve(x: float) -> Any:
    """expm1(x), cut off and not rounded, so that what is cut off still shows beside a tie."""
    return gmpy2.context(precision=BITS, round=gmpy2.RoundToZero).expm1(gmpy2.mpfr(x))


def oracle(x: Array, factor: float, is_product: bool) -> Array:
    """The correctly rounded results, for numbers below zero."""
    context, wide = rounding(x.dtype), gmpy2.context(precision=2 * BITS)
    scale = gmpy2.mpfr(factor, 64)
    negative = (float(value) for value in x)
    exact = (wide.mul(scale, gmpy2.mpfr(v) if is_product else curve(v)) for v in negative)
    return np.array([float(context.plus(value)) for value in exact]).astype(x.dtype)


def negatives(values: Array) -> Array:
    """Those that are finite and below zero."""
    with np.errstate(all="ignore"):
        return values[np.isfinite(values.astype(np.float64)) & (values < 0)]


def rounded_parameter(value: float, dtype: str) -> float:
    """A parameter in the compute type."""
    return value if dtype == "float64" else float(np.float32(value))


def hard(spec: Spec, dtype: str) -> Array:
    """Of a type of 16 bits a part; else edges, odd numbers, and the nearest to ties of many."""
    if numpy_type(dtype).itemsize == 2:
        return negatives(dense_values(dtype))[::5]
    parts = [boundary_values(dtype)[::3], odd_values(dtype, 500), near_ties(spec, dtype, 2**17)]
    return negatives(np.concatenate(parts))


@TYPES
@ALPHAS
def test_products_have_the_very_bits(alpha: float, dtype: str) -> None:
    """Rounded once, in float64 too, where the working type is only 11 bits longer."""
    spec = spec_of("LeakyReLU")
    x = hard(spec, dtype)
    if x.dtype == np.float64:
        random = -np.exp(np.random.default_rng(5).uniform(-5, 5, 10_000))
        x = np.concatenate([x, random])
    (got,) = reference.evaluate(spec, [x], {"alpha": alpha})
    want = oracle(x, rounded_parameter(alpha, dtype), is_product=True)
    assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@ALPHAS
def test_elu_has_the_very_bits(alpha: float, dtype: str) -> None:
    """Where the reference works in float64: ties in 16 bits are decided by what it cannot hold."""
    spec = spec_of("ELU")
    x = hard(spec, dtype)
    (got,) = reference.evaluate(spec, [x], {"alpha": alpha})
    want = oracle(x, rounded_parameter(alpha, dtype), is_product=False)
    wrong = np.flatnonzero(got != want)
    assert got.tobytes() == want.tobytes(), (x[wrong[:3]], got[wrong[:3]], want[wrong[:3]])


@ALPHAS
def test_elu_in_float64_is_within_the_judges_margin(alpha: float) -> None:
    """So much does `compare` widen a promise by; the largest error seen is 2.2 units."""
    spec = spec_of("ELU")
    x = hard(spec, "float64")
    (exact,) = reference.exact(spec, [x], {"alpha": alpha})
    wide = gmpy2.context(precision=2 * BITS)
    for value, got in zip(x, exact, strict=True):
        want = wide.mul(gmpy2.mpfr(alpha), curve(float(value)))
        high = float(got)
        have = wide.add(gmpy2.mpfr(high), gmpy2.mpfr(float(got - np.longdouble(high))))
        unit = float(np.nextafter(np.abs(got), np.longdouble(np.inf)) - np.abs(got))
        # A part that float64 cannot hold is lost in `have`, far below the smallest subnormal.
        assert abs(wide.sub(have, want)) <= MARGIN * max(unit, 2.0**-1074), value
