"""The law of draws: a right generator of another kind passes, wrong ones do not."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.cases import find_case
from onnx_acts.conformance.judging import judge
from onnx_acts.conformance.law import judge_law, kolmogorov_smirnov
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES
from tests.mutants.wrong_kernels import Wrong, exactly

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, int, float, float], Array]


def computed(case: Case, draw: Draw) -> list[Array]:
    """Y and the noise, with slopes from a generator."""
    (x,), (low, high), kind = case.inputs, case.real_values, numpy_type(case.dtype)
    slopes = draw(np.random.default_rng(3), x.size, low, high).reshape(x.shape)
    noise = np.where(x < 0, reference.rounded(slopes, kind), kind.type(1))
    wide = x.astype(np.longdouble)
    y = np.where(x < 0, noise.astype(np.longdouble) * wide, wide)
    return [reference.rounded(y, kind), noise]


@np.errstate(all="ignore")
def verdict(dtype: str, draw: Draw, bounds: str = "0.125 and 0.3333") -> str:
    """What the judge says, empty where all is right."""
    case = find_case("RReLU", dtype, "training", f"law between {bounds}")
    return judge_law(computed(case, draw), case, 0.5).message


def test_bits_where_they_are_asked_for() -> None:
    """Who has the reference's generator must have its bits, where many are drawn, too."""
    case = find_case("RReLU", "float32", "training", "law between 0.125 and 0.3333")
    assert judge(Wrong(exactly), case, 0.5).ok
    other = Wrong(lambda kernel, case: computed(case, uniform))
    assert re.search("got .* exact .* ULP", judge(other, case, 0.5).message)


def uniform(random: np.random.Generator, count: int, low: float, high: float) -> Array:
    """As it should be."""
    return random.uniform(low, high, count)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("bounds", ["0.125 and 0.3333", "-1 and 1", "0 and 0.7"])
def test_another_generator_passes(dtype: str, bounds: str) -> None:
    """The bits are not the reference's, the law is."""
    assert verdict(dtype, uniform, bounds) == ""


WRONG: dict[str, tuple[Draw, str]] = {
    "beyond the upper bound": (lambda r, n, a, b: r.uniform(a, b + 0.01, n), "not within"),
    "below the lower bound": (lambda r, n, a, b: r.uniform(a - 0.01, b, n), "not within"),
    "the mean for all": (lambda r, n, a, b: np.full(n, (a + b) / 2), "not uniform"),
    "the lower half": (lambda r, n, a, b: r.uniform(a, (a + b) / 2, n), "the mean is off"),
    "a triangle": (lambda r, n, a, b: r.triangular(a, (a + b) / 2, b, n), "not uniform"),
    "two halves": (
        lambda r, n, a, b: a + (b - a) * (r.integers(0, 2, n) + r.random(n) ** 1.3) / 2,
        "the mean is off|not uniform",
    ),
    "NaN": (lambda r, n, a, b: np.full(n, np.nan), "not within"),
    "one NaN": (lambda r, n, a, b: np.append(r.uniform(a, b, n - 1), np.nan), "not within"),
    "a ramp": (lambda r, n, a, b: np.linspace(a, b, n), "more even|depend on"),
    "sorted": (lambda r, n, a, b: np.sort(r.uniform(a, b, n)), "depend on"),
    "falling": (lambda r, n, a, b: -np.sort(-r.uniform(a, b, n)), "depend on"),
    "each twice": (lambda r, n, a, b: np.repeat(r.uniform(a, b, n), 2)[:n], "depend on"),
    "one draw for 8 elements": (
        lambda r, n, a, b: np.round(r.uniform(0, 7, n)) * (b - a) / 7 + a,
        "not uniform",
    ),
}


def threads(count: int) -> Draw:
    """Each of some threads starts the same stream, for its part of the elements."""

    def draw(random: np.random.Generator, size: int, low: float, high: float) -> Array:
        return np.tile(random.uniform(low, high, -(-size // count)), count)[:size]

    return draw


def mirrored(random: np.random.Generator, size: int, low: float, high: float) -> Array:
    """The second half mirrors the first one."""
    half = random.uniform(low, high, -(-size // 2))
    return np.append(half, low + high - half)[:size]


def one_of_four(random: np.random.Generator, size: int, low: float, high: float) -> Array:
    """The last of four threads has the stream of the first one."""
    draws, part = random.uniform(low, high, size), size // 4
    draws[-part:] = draws[:part]
    return draws


FAR: dict[str, Draw] = {
    **{f"{count} threads": threads(count) for count in (2, 3, 4, 7, 8)},
    "mirrored": mirrored,
    "one of four": one_of_four,
}


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("name", FAR)
def test_streams_that_threads_share_are_seen(name: str, dtype: str) -> None:
    """Draws are independent of those far before them as well."""
    assert "draws depend on those" in verdict(dtype, FAR[name])


def some_again(first: int, again: int, count: int) -> Draw:
    """A few draws come again elsewhere, as when two of many threads have one stream."""

    def draw(random: np.random.Generator, size: int, low: float, high: float) -> Array:
        draws = random.uniform(low, high, size)
        draws[again : again + count] = draws[first : first + count]
        return draws

    return draw


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize(
    "draw", [some_again(0, 1000, 1000), some_again(123_456, 654, 90), some_again(7, 199_900, 99)]
)
def test_draws_that_come_again_are_seen(draw: Draw, dtype: str) -> None:
    """However few: no covariance shows them."""
    assert "draws repeat" in verdict(dtype, draw)


@pytest.mark.parametrize(
    ("bits", "dtype"),
    [(15, "bfloat16"), (15, "float16"), (23, "float32"), (23, "float64"), (32, "float64")],
)
def test_generators_of_few_bits_pass(bits: int, dtype: str) -> None:
    """Their steps may be coarser than the element type."""

    def draw(random: np.random.Generator, size: int, low: float, high: float) -> Array:
        return low + (high - low) * random.integers(0, 2**bits, size) / 2**bits

    assert verdict(dtype, draw) == ""


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_draws_are_seen(name: str, dtype: str) -> None:
    """Each breaks the support, the mean or the distance."""
    draw, reason = WRONG[name]
    assert any(part in verdict(dtype, draw) for part in reason.split("|"))


def test_noise_elsewhere_and_product() -> None:
    """Noise is 1 where nothing is drawn, and Y is the product with what was drawn."""
    case = find_case("RReLU", "float32", "training", "law between 0.125 and 0.3333")

    def other_product(kernel: Wrong, case: Case) -> list[Array]:
        y, noise = computed(case, uniform)
        return [np.nextafter(y, np.float32(-np.inf)), noise]

    def noise_of_zero(kernel: Wrong, case: Case) -> list[Array]:
        y, noise = computed(case, uniform)
        return [y, np.where(case.inputs[0] < 0, noise, np.float32(0))]

    assert "ULP" in judge(Wrong(other_product), case, 0.5).message
    assert "noise is not 1" in judge(Wrong(noise_of_zero), case, 0.5).message


def test_kolmogorov_smirnov_is_scipys() -> None:
    """The same distance, on uniform numbers and on others."""
    random = np.random.default_rng(1)
    for values in (random.uniform(2, 5, 999), random.normal(3, 1, 500).clip(2, 5)):
        want = scipy.stats.kstest(values, scipy.stats.uniform(2, 3).cdf).statistic
        assert kolmogorov_smirnov(values, 2, 5) == pytest.approx(want, rel=1e-12)
