"""Values through ONNX Runtime, against the oracle: whole 16-bit types, sweeps of others.

`test_accuracy` sweeps the kernels' loops themselves, with other oracles and at every level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition.specs import spec_of
from tests.helpers import ALL, in_type
from tests.native import oracle
from tests.native.running import run

ONE_16_BIT = ["float16", "bfloat16"]
# Beside everyday values: half-way cases of both 16-bit types (1 + 3/256, 1 + 3/2048), slopes whose
# products are subnormal or overflow, and the special numbers.
PARAMETERS = [
    0.01, 1.0, 0.3, 11 / 48, -0.7, 1 + 3 / 256, 1 + 3 / 2048, 1.6732632423543772,
    1e-6, 1e-38, 1e-44, 7e4, 1e38, 0.0, -0.0, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip


def rounded_parameter(value: float, dtype: str) -> float:
    """The parameter in the compute type."""
    with np.errstate(over="ignore"):
        return float(oracle.compute_type(dtype)(value))


@pytest.mark.parametrize("dtype", ONE_16_BIT)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_leaky_16_bit_is_correctly_rounded(parameter: float, dtype: str) -> None:
    """All numbers of the type: the exact product, rounded once."""
    x = oracle.all_16_bit(dtype)
    want = oracle.leaky(x, rounded_parameter(parameter, dtype), dtype)
    oracle.assert_same(run("LeakyReLU", dtype, x, alpha=parameter), want, x)


@pytest.mark.parametrize("dtype", ONE_16_BIT)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_elu_16_bit_is_correctly_rounded(parameter: float, dtype: str) -> None:
    """All numbers of the type."""
    x = oracle.all_16_bit(dtype)
    want = oracle.nearest(oracle.elu(x, rounded_parameter(parameter, dtype)), dtype)
    oracle.assert_same(run("ELU", dtype, x, alpha=parameter), want, x)


@pytest.mark.parametrize("dtype", ONE_16_BIT)
def test_prelu_16_bit_is_correctly_rounded(dtype: str) -> None:
    """All numbers of the type times slopes from all over the type."""
    x = oracle.all_16_bit(dtype)
    slopes = oracle.all_16_bit(dtype)[::1499][:, None]
    got = run("PReLU", dtype, np.broadcast_to(x, (len(slopes), len(x))), slopes)
    for slope, row in zip(slopes[:, 0], got, strict=True):
        oracle.assert_same(row, oracle.leaky(x, slope, dtype), x)


@pytest.mark.parametrize("dtype", ONE_16_BIT)
def test_relu_16_bit(dtype: str) -> None:
    """All numbers of the type."""
    x = oracle.all_16_bit(dtype)
    oracle.assert_same(run("ReLU", dtype, x), np.where(x < 0, 0.0, x), x)


def float32_sweep(step: int) -> np.ndarray[Any, Any]:
    """Numbers of every magnitude and sign, evenly spread over the bit patterns, without NaN."""
    x = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    return x[~np.isnan(x)].astype(np.float64)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_leaky_float32_is_correctly_rounded(parameter: float) -> None:
    """A sweep over all magnitudes."""
    x = float32_sweep(20011)
    want = oracle.leaky(x, rounded_parameter(parameter, "float32"), "float32")
    oracle.assert_same(run("LeakyReLU", "float32", x, alpha=parameter), want, x)


ELU_LIMITS = [(1.0, 0.70), (0.5, 0.70), (1.6732632423543772, 1.0), (0.1, 1.0), (-0.7, 1.0),
              (1e-38, 1.0), (1e-44, 1.0), (3e38, 1.0)]  # fmt: skip


def worst_elu(x: np.ndarray[Any, Any], alpha: float, dtype: str) -> float:
    """The largest error over x in ULP; checks signs on the way."""
    got = run("ELU", dtype, x, alpha=alpha)
    exact = oracle.elu(x, rounded_parameter(alpha, dtype))
    assert (np.signbit(got) == np.signbit(exact)).all()
    finite = np.isfinite(exact)
    return float(ulp_error(in_type(got[finite], dtype), exact[finite]).max())


@pytest.mark.parametrize(("alpha", "limit"), ELU_LIMITS)
def test_elu_float32_error(alpha: float, limit: float) -> None:
    """The promise, over a sweep of all magnitudes."""
    x = float32_sweep(2003)
    worst = worst_elu(x[x < 0], alpha, "float32")
    print(f"ELU float32 alpha {alpha}: at most {worst:.4f} ULP")
    assert worst <= limit


@pytest.mark.parametrize(("alpha", "limit"), [(1.0, 1.0), (0.1, 1.0), (1.6732632423543772, 1.0),
                                              (-0.7, 1.0), (1e-310, 1.0)])  # fmt: skip
def test_elu_float64_error(alpha: float, limit: float) -> None:
    """Random numbers of every magnitude that matters, against long double."""
    generator = np.random.default_rng(7)
    x = -np.concatenate([
        np.exp2(generator.uniform(-1074, 6, 300_000)),
        generator.uniform(0, 3, 300_000),
        generator.uniform(0, 45, 300_000),
    ])  # fmt: skip
    worst = worst_elu(x, alpha, "float64")
    print(f"ELU float64 alpha {alpha}: at most {worst:.4f} ULP")
    assert worst <= limit


@pytest.mark.parametrize("parameter", [0.1, 0.01, -3.0, 1e-310])
def test_leaky_float64_is_exact(parameter: float) -> None:
    """The bits of float64 arithmetic: the parameter went through no float32."""
    x = np.random.default_rng(8).standard_normal(10_000) * 1e3
    oracle.assert_same(
        run("LeakyReLU", "float64", x, alpha=parameter), oracle.leaky(x, parameter, "float64"), x
    )


SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, -1e-25, 1e-25, -1.0, 1.0, -5e-324, -1e300]


@pytest.mark.parametrize("dtype", oracle.DTYPES)
@pytest.mark.parametrize("op", ALL)
def test_special_values_in_every_position(op: str, dtype: str) -> None:
    """The same bits in the vector body and in every tail: lengths 1 to 70, each element in turn."""
    with np.errstate(over="ignore"):
        values = np.array(SPECIAL).astype(oracle.DTYPES[dtype]).astype(np.float64)
    slope = [np.array([0.25]) for _ in spec_of(op).inputs[1:]]
    one_by_one = np.concatenate([run(op, dtype, values[i : i + 1], *slope) for i in range(11)])
    for shift in range(11):
        x = np.roll(np.resize(values, 77), shift)[:70]
        want = np.roll(np.resize(one_by_one, 77), shift)[:70]
        for length in range(1, 71) if shift == 0 else [70, 63 - shift]:
            oracle.assert_same(run(op, dtype, x[:length], *slope), want[:length], x[:length])
