"""PReLU's slope: every broadcast that ONNX allows, and a refusal of every other."""

from __future__ import annotations

import numpy as np
import pytest

from tests.native import oracle
from tests.native.running import hand_made, open_hand_made, run

# x, slope: each way of serving slopes, and the corners.
SHAPES = [
    ((2, 3, 4, 5), (3, 1, 1)), ((2, 3, 4, 5), (1,)), ((2, 3, 4, 5), ()), ((2, 3, 4, 5), (5,)),
    ((2, 3, 4, 5), (2, 3, 4, 5)), ((2, 3, 4, 5), (2, 1, 4, 1)), ((2, 3, 4, 5), (1, 3, 1, 5)),
    ((4, 96, 14, 14), (96, 1, 1)), ((2, 512, 7, 7), (512, 1, 1)), ((2, 1500, 2, 2), (1500, 1, 1)),
    ((30000, 3), (3,)), ((100, 1030), (1030,)), ((70, 64), (64,)), ((1, 7, 1), (7, 1)),
    ((), ()), ((5,), (5,)), ((2,) * 10, (2, 1) * 5), ((2,) * 12, (1, 2, 2, 1, 1, 2)),
    ((0, 3), (3,)), ((0, 3), (1,)), ((3, 0), (3, 1)), ((3, 0), (0,)),
]  # fmt: skip


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", oracle.DTYPES)
@pytest.mark.parametrize(("x_shape", "slope_shape"), SHAPES)
def test_broadcast(
    x_shape: tuple[int, ...], slope_shape: tuple[int, ...], dtype: str, threads: int
) -> None:
    """The values of NumPy's broadcasting."""
    generator = np.random.default_rng(1)
    x, slope = (
        generator.standard_normal(shape).astype(oracle.DTYPES[dtype]).astype(np.float64)
        for shape in (x_shape, slope_shape)
    )
    got = run("PReLU", dtype, np.asarray(x), np.asarray(slope), threads=threads)
    assert got.shape == x_shape
    want = oracle.leaky(np.asarray(x), np.broadcast_to(slope, x_shape), dtype)
    oracle.assert_same(got.reshape(-1), want.reshape(-1), np.reshape(x, -1))


def test_random_broadcasts() -> None:
    """Random shapes of up to six dimensions in one session."""
    generator = np.random.default_rng(2)
    for _ in range(60):
        x_shape = tuple(generator.choice([1, 2, 3, 5, 8], size=generator.integers(0, 7)))
        rank = generator.integers(0, len(x_shape) + 1)
        slope_shape = tuple(
            1 if generator.random() < 0.5 else size for size in x_shape[len(x_shape) - rank :]
        )
        x, slope = np.asarray(generator.standard_normal(x_shape)), generator.random(slope_shape)
        got = run("PReLU", "float64", x, np.asarray(slope))
        np.testing.assert_array_equal(got, np.where(x < 0, slope * x, x))


REFUSED = [((3,), (2, 3)), ((2, 3), (2,)), ((2, 1), (3,)), ((2, 3), (0,)), ((2, 3), (1, 1, 1))]


@pytest.mark.parametrize(("x_shape", "slope_shape"), REFUSED)
def test_refused_when_run(x_shape: tuple[int, ...], slope_shape: tuple[int, ...]) -> None:
    """A slope that does not fit names the operator, the node and both shapes."""
    session = open_hand_made(hand_made("PReLU", {}, x_shape=None, slope_shape=None))
    fed = {"x": np.ones(x_shape, np.float32), "slope": np.ones(slope_shape, np.float32)}
    with pytest.raises(Exception, match="does not broadcast") as caught:
        session.run(None, fed)
    for part in ("onnx_acts::PReLU", "act7", str(x_shape), str(slope_shape)):
        assert part in str(caught.value)


@pytest.mark.parametrize(("x_shape", "slope_shape"), REFUSED)
def test_refused_when_loaded(x_shape: tuple[int, ...], slope_shape: tuple[int, ...]) -> None:
    """Where the model declares the sizes, it does not even load."""
    with pytest.raises(Exception, match="does not broadcast") as caught:
        open_hand_made(hand_made("PReLU", {}, x_shape, slope_shape))
    for part in ("onnx_acts::PReLU", "act7", str(x_shape), str(slope_shape)):
        assert part in str(caught.value)
