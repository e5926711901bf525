"""RReLU: the bits of its draws, its noise output and its inference slope."""

from __future__ import annotations

import numpy as np
import pytest

from tests.native import oracle
from tests.native.running import run

LOWER, UPPER = 1 / 8, 1 / 3


def in_type(values: object, dtype: str) -> oracle.Array:
    """float64 rounded to the compute type and then to the element type."""
    single = np.asarray(values, np.float64).astype(oracle.compute_type(dtype))
    return oracle.rounded(single.astype(np.longdouble), dtype)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", oracle.DTYPES)
@pytest.mark.parametrize("seed", [0, 1, -1, 2**40 + 17, -(2**63)])
def test_draws_have_the_bits_of_philox(seed: int, dtype: str, threads: int) -> None:
    """The noise is lower + (upper - lower) * u rounded to the type, y is noise * x."""
    count = 1031
    x = np.random.default_rng(3).standard_normal(count).astype(oracle.DTYPES[dtype])
    x = x.astype(np.float64)
    slopes = in_type(LOWER + (UPPER - LOWER) * (oracle.draws(seed, count) * 2.0**-32), dtype)
    y, noise = run("RReLU", dtype, x, outputs=2, threads=threads, training_mode=1, seed=seed)
    oracle.assert_same(noise, np.where(x < 0, slopes, 1.0), x)
    oracle.assert_same(y, oracle.leaky(x, slopes, dtype), x)
    oracle.assert_same(run("RReLU", dtype, x, training_mode=1, seed=seed), y, x)


def test_threads_do_not_change_draws() -> None:
    """A tensor of many chunks, far into the counter, with one thread and with two."""
    x = np.full(300_001, -1.0)
    one, two = (run("RReLU", "float32", x, threads=n, training_mode=1, seed=9) for n in (1, 2))
    assert one.tobytes() == two.tobytes()
    last = oracle.draws(9, len(x))[-5:] * 2.0**-32
    np.testing.assert_array_equal(-one[-5:], in_type(LOWER + (UPPER - LOWER) * last, "float32"))
    assert (-one >= np.float32(LOWER)).all()
    assert (-one <= np.float32(UPPER)).all()
    assert abs(-one.mean() - (LOWER + UPPER) / 2) < 1e-3


@pytest.mark.parametrize("dtype", oracle.DTYPES)
def test_inference_uses_the_mean(dtype: str) -> None:
    """The slope is the mean in the compute type, the noise the mean in the element type."""
    x = np.random.default_rng(4).standard_normal(600).astype(oracle.DTYPES[dtype])
    x = x.astype(np.float64)
    mean = float(oracle.compute_type(dtype)((0.2 + 0.7) / 2))
    y, noise = run("RReLU", dtype, x, outputs=2, lower=0.2, upper=0.7)
    oracle.assert_same(y, oracle.leaky(x, mean, dtype), x)
    oracle.assert_same(noise, np.where(x < 0, in_type((0.2 + 0.7) / 2, dtype), 1.0), x)


def test_equal_bounds() -> None:
    """With lower = upper it draws that number."""
    x = np.array([-2.0, 3.0])
    got = run("RReLU", "float64", x, lower=0.3, upper=0.3, training_mode=1)
    np.testing.assert_array_equal(got, [-0.6, 3.0])
