"""A generator of another kind in a live run: the law decides, the seed, and the product."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.cases import cases
from onnx_acts.conformance.judging import judge
from onnx_acts.conformance.known_differences import KNOWN_DIFFERENCES
from onnx_acts.conformance.own_draws import OWN_DRAWS, judge_own_draws
from onnx_acts.conformance.runtimes import RUNTIMES, VARIANTS, Runtime, runtime_of
from onnx_acts.conformance.suite import Cell, Selection, run
from onnx_acts.definition import reference
from onnx_acts.definition.specs import spec_of
from tests.mutants.wrong_kernels import Wrong, exactly, right

Array = np.ndarray[Any, Any]
Slopes = Callable[[int, tuple[int, ...], float, float], Array]

MASK = 2**64 - 1


class Own(Wrong):
    """A runtime with a generator of its own."""

    own_draws = True


def cell_of(runtime: Runtime, dtype: str = "float32") -> Cell:
    """What becomes of the random draws of a first look."""
    chosen = Selection([spec_of("RReLU")], [dtype], ["training"], [runtime], quick=True)
    (cell,) = run(chosen).cells
    return cell


def drawing(slopes: Slopes) -> Own:
    """A runtime that is right but for its slopes, if these are wrong."""

    def spoil(kernel: Wrong, case: Case) -> list[Array]:
        shape, seed = case.inputs[0].shape, int(case.values["seed"])
        return product(case, slopes(seed, shape, *case.real_values))

    return Own(spoil)


def product(case: Case, slopes: Array) -> list[Array]:
    """Y and the noise of slopes, of each element one."""
    x, kind = case.inputs[0], numpy_type(case.dtype)
    noise = np.where(x < 0, reference.rounded(slopes, kind), kind.type(1))
    wide = x.astype(np.longdouble)
    y = np.where(x < 0, noise.astype(np.longdouble) * wide, wide)
    return [reference.rounded(y, kind), noise][: case.outputs]


def uniform(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """As it should be."""
    return np.random.default_rng(seed & MASK).uniform(low, high, shape)


def old(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """The Mersenne Twister, with the low 32 bits of the seed."""
    return np.random.RandomState(seed & 0xFFFFFFFF).uniform(low, high, shape)


@np.errstate(all="ignore")
def unrounded(kernel: Wrong, case: Case) -> list[Array]:
    """Y is the product with slopes that have more digits than the noise shows, as in PyTorch."""
    x, kind = case.inputs[0], numpy_type(case.dtype)
    slopes = uniform(int(case.values["seed"]), x.shape, *case.real_values)
    y = np.where(x < 0, slopes * x.astype(np.float64), x.astype(np.float64))
    noise = reference.rounded(np.where(x < 0, slopes, 1.0), kind)
    return [reference.rounded(y, kind), noise][: case.outputs]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("runtime", [drawing(uniform), Own(unrounded)])
def test_right_generators_of_another_kind(runtime: Own, dtype: str) -> None:
    """None of their cases fails: short ones are left open, the one about the law passes."""
    cell = cell_of(runtime, dtype)
    assert (cell.status, cell.failed, cell.known) == ("pass", 0, 0)
    assert 0 < cell.skipped < cell.cases
    assert cell.reasons == [OWN_DRAWS]


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_the_references_bits_pass_everywhere(dtype: str) -> None:
    """They are never taken for another generator's."""
    cell = cell_of(Own(exactly), dtype)
    assert (cell.status, cell.skipped, cell.max_ulp) == ("pass", 0, 0.5)


STREAM = np.random.default_rng(1)

WRONG: dict[str, tuple[Slopes, str]] = {
    "the same for every seed": (
        lambda seed, shape, low, high: uniform(5, shape, low, high),
        "draws do not depend on the seed",
    ),
    "mirrored for another seed": (
        lambda seed, shape, low, high: (
            uniform(5, shape, low, high) if seed % 2 else low + high - uniform(5, shape, low, high)
        ),
        "draws do not depend on the seed",
    ),
    "a place in one stream": (
        lambda seed, shape, low, high: uniform(5, (math.prod(shape) + 99,), low, high)[
            seed % 50 : seed % 50 + math.prod(shape)
        ].reshape(shape),
        "has the same noise, moved",
    ),
    "new ones for the same seed": (
        lambda seed, shape, low, high: STREAM.uniform(low, high, shape),
        "the same seed gave other draws",
    ),
    "one number": (
        lambda seed, shape, low, high: np.full(shape, low + 0.4 * (high - low)),
        "not uniform",
    ),
    "the mean, as in inference": (
        lambda seed, shape, low, high: np.full(shape, (low + high) / 2),
        "not uniform",
    ),
    "sorted": (
        lambda seed, shape, low, high: np.sort(uniform(seed, shape, low, high), axis=None).reshape(
            shape
        ),
        "draws depend on those 1 before",
    ),
    "two threads with one stream": (
        lambda seed, shape, low, high: np.resize(
            uniform(seed, (-(-math.prod(shape) // 2),), low, high), shape
        ),
        "draws repeat",
    ),
    "NaN": (lambda seed, shape, low, high: np.full(shape, np.nan), "not within"),
    "too wide": (
        lambda seed, shape, low, high: uniform(seed, shape, low, high + 0.01),
        "not within",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_generators(name: str) -> None:
    """Each is found by the case about the law."""
    slopes, reason = WRONG[name]
    cell = cell_of(drawing(slopes))
    assert cell.status == "fail"
    assert any(reason in failure.message for failure in cell.failures), cell.failures


def y_alone(runtime: Own) -> Own:
    """The same without the noise."""
    return Own(lambda kernel, case: runtime.run(case)[:1])


def test_y_without_noise() -> None:
    """The slopes are those in Y: right ones are left open, inference in place of training fails."""
    cell = cell_of(y_alone(drawing(uniform)))
    assert cell.status == "n/a"
    alone = "it returned one output of 2; the slopes in it keep the law"
    assert set(cell.reasons) == {alone, OWN_DRAWS}  # in one case Y is all that is asked for
    for name, seen in (
        ("the mean, as in inference", "not uniform"),
        ("NaN", "not within"),
        # Of 7 x 11 x 13 elements the second half begins 501 after the first.
        ("two threads with one stream", "draws depend on those 501 elements before"),
    ):
        cell = cell_of(y_alone(drawing(WRONG[name][0])))
        assert any(seen in failure.message for failure in cell.failures), cell.failures
    cell = cell_of(y_alone(drawing(WRONG["the same for every seed"][0])))
    assert "do not depend on the seed" in cell.failures[-1].message


def changed(change: Callable[[Case, Array, Array], list[Array]]) -> Own:
    """Right draws, of which Y and the noise are then changed."""

    def spoil(kernel: Wrong, case: Case) -> list[Array]:
        both = dataclasses.replace(case, outputs=2)
        found = change(both, *drawing(uniform).run(both))
        return found[:1] if case.outputs < 2 else found

    return Own(spoil)


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        (changed(lambda case, y, noise: [case.inputs[0], noise]), "where noise * x is"),
        (changed(lambda case, y, noise: [y, noise[:0]]), "noise is float32 of shape (0,)"),
        (changed(lambda case, y, noise: [y[:0], noise]), "got float32 of shape (0,), expected"),
        (changed(lambda case, y, noise: []), "gave no outputs, expected 2"),
        (changed(lambda case, y, noise: [y, noise, noise]), "gave 3 outputs, expected 2"),
        (
            changed(lambda case, y, noise: [np.where(y > 0, y * np.float32(1.01), y), noise]),
            "ULP",
        ),
        (
            changed(lambda case, y, noise: [y, np.where(case.inputs[0] < 0, noise, noise * 0)]),
            "noise is not 1 where x is not negative",
        ),
    ],
)
def test_wrong_outputs(runtime: Own, message: str) -> None:
    """Y is X times the noise, and x itself where it is not negative."""
    cell = cell_of(runtime)
    assert cell.status == "fail"
    assert any(message in failure.message for failure in cell.failures), cell.failures


def with_bounds(cell: Cell, *words: str) -> None:
    """The cases of equal bounds fail, and say why."""
    assert cell.failed >= 2
    for failure in cell.failures[:2]:
        assert "both bounds" in failure.case
        assert any(word in failure.message for word in words), failure


def between_equal(change: Callable[[Array, Array, Array], list[Array]]) -> Own:
    """Right draws; where the bounds are equal, Y and the noise are changed."""

    def spoil(case: Case, y: Array, noise: Array) -> list[Array]:
        low, high = case.real_values
        return change(case.inputs[0], y, noise) if low == high else [y, noise]

    return changed(spoil)


@pytest.mark.parametrize("is_alone", [False, True])
def test_equal_bounds_leave_nothing_to_draw(is_alone: bool) -> None:
    """Then Y is as exact as in inference, and no other generator is an excuse."""
    below = np.float32(-np.inf)
    outputs = 1 if is_alone else 2
    off = between_equal(lambda x, y, n: [np.where(x < 0, np.nextafter(y, below), y), n][:outputs])
    with_bounds(cell_of(off), "ULP", "wrong class")
    nan = between_equal(lambda x, y, n: [np.where(x < 0, np.float32(np.nan), y), n][:outputs])
    with_bounds(cell_of(nan), "wrong class")


def test_equal_bounds_with_another_noise() -> None:
    """The noise is the bound itself, rounded."""
    runtime = between_equal(lambda x, y, n: [y, np.where(x < 0, np.nextafter(n, np.float32(1)), n)])
    with_bounds(cell_of(runtime), "ULP")


def asked(low: float, high: float, x: Array, outputs: int = 2) -> Case:
    """A case in training with these bounds."""
    bounds = {"lower": low, "upper": high}
    attributes = {**bounds, "training_mode": 1, "seed": 3}
    return Case("RReLU", str(x.dtype), [x], attributes, outputs, "training", "mine")


@pytest.mark.parametrize("low", [0.0, 0.25, -0.0])
def test_nan_beside_equal_bounds(low: float) -> None:
    """No digit of Y is left to tell a slope: it is wrong all the same."""
    case = asked(low, low, -np.linspace(1, 2, 40, dtype=np.float32))
    runtime = changed(lambda case, y, noise: [y * np.float32(np.nan), noise])
    assert "wrong class" in judge(runtime, case, 0.5).message
    assert judge(drawing(uniform), case, 0.5).ok


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.0])
def test_a_product_with_zero(value: float, dtype: str) -> None:
    """Where a slope is 0, Y is 0, or what a slope that rounds to 0 makes of X."""
    case, noise = asked(0.0, 0.5, -np.ones(4, dtype)), np.array([0.25, 0.5, 0, 0.125], dtype)
    assert judge_own_draws([-noise, noise], case).ok
    y = np.array([-0.25, -0.5, value, -0.125], dtype)
    assert "where noise * x is" in judge_own_draws([y, noise], case).message


def test_bounds_as_far_apart_as_can_be() -> None:
    """Their distance is infinite; the reference's draws are still told from others."""
    case = asked(-1.7e308, 1.7e308, -np.linspace(0.25, 0.5, 40))
    near = Own(lambda kernel, case: product(case, np.append(right(case)[1][:30], np.ones(10))))
    assert "30 of 40 of the draws" in judge(near, case, 0.5).message


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 42.0])
def test_y_alone_beyond_the_bounds(value: float, dtype: str) -> None:
    """What tells no slope, as infinity or of a tiny x, is within x times the bounds as well."""
    tiny = np.finfo(dtype).smallest_subnormal
    for x in (np.array([-1, -2, -3], dtype), np.full(3, -tiny, dtype)):
        case = asked(0.125, 0.5, x)
        assert judge_own_draws([x / 4], case).ok
        for y in (np.full(3, value, dtype), np.array([x[0] / 4, value, x[2] / 4], dtype)):
            assert "within" in judge_own_draws([y], case).message


def test_y_alone_of_extremes() -> None:
    """Products that are infinite by right, and those that have no value."""
    top, inf = np.finfo(np.float32).max, np.float32(np.inf)
    x = np.array([-inf, -top, -top / 2], np.float32)
    for bounds, y in (((1.5, 4.0), [-inf, -inf, -inf]), ((-2.0, 2.0), [np.nan, inf, -top])):
        assert judge_own_draws([np.array(y, np.float32)], asked(*bounds, x)).ok
    for bounds, y in (
        ((1.5, 4.0), [inf, -inf, -inf]),
        ((1.5, 4.0), [np.nan, -inf, -inf]),
        ((1.5, 4.0), [-top, -inf, -inf]),
        ((0.5, 0.75), [-inf, -inf, -top / 4]),
        ((0.5, 1.5), [-inf, inf, -top / 4]),
    ):
        wrong = judge_own_draws([np.array(y, np.float32)], asked(*bounds, x))
        assert "within" in wrong.message


def test_right_noise_with_a_wrong_product() -> None:
    """The reference's noise is no generator of another kind: Y must have its bits, too."""

    def spoil(kernel: Wrong, case: Case) -> list[Array]:
        y, noise = exactly(kernel, case)
        return [np.where(case.inputs[0] < 0, np.nextafter(y, np.float32(0)), y), noise]

    cell = cell_of(Own(spoil))
    assert cell.failed >= 6
    assert "ULP" in cell.failures[0].message


NEARLY: dict[str, Callable[[Array, Array], Array]] = {
    "the last four": lambda other, draws: np.append(draws[:-4], other[-4:]),
    "one": lambda other, draws: np.append(other[:1], draws[1:]),
    "one lane": lambda other, draws: np.where(np.arange(draws.size) % 4 == 3, other, draws),
    "the second half": lambda other, draws: np.append(
        draws[: draws.size // 2], other[draws.size // 2 :]
    ),
}


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
@pytest.mark.parametrize("which", NEARLY)
def test_nearly_the_references_draws(which: str, dtype: str) -> None:
    """Philox with a fault is no generator of another kind, where many draws are right."""

    def spoil(kernel: Wrong, case: Case) -> list[Array]:
        noise = right(case)[1]
        if noise.size <= 8:
            return right(case)
        other = uniform(5, noise.shape, *case.real_values).astype(noise.dtype)
        return product(case, NEARLY[which](other.ravel(), noise.ravel()).reshape(noise.shape))

    cell = cell_of(Own(spoil), dtype)
    assert cell.failed >= 5, cell.failures
    assert "of the draws are the reference's" in cell.failures[-1].message


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("is_rounded", [True, False])
@pytest.mark.parametrize("which", NEARLY)
def test_nearly_the_references_draws_in_y_alone(which: str, is_rounded: bool, dtype: str) -> None:
    """The slopes in Y tell as much, whether they were rounded before the product or not."""

    def spoil(case: Case) -> list[Array]:
        x, noise = case.inputs[0], right(case)[1].astype(np.float64)
        if noise.size <= 8:
            return right(case)[:1]
        other = uniform(5, noise.shape, *case.real_values)
        slopes = NEARLY[which](other.ravel(), noise.ravel()).reshape(noise.shape)
        if not is_rounded:  # by less than half a unit
            slopes = slopes * (1 + float(limits_of(x.dtype).eps) / 5)
        return product(case, slopes)[:1] if is_rounded else [unrounded_product(x, slopes)]

    found = [judge(Own(lambda kernel, case: spoil(case)), case, 0.5) for case in several(dtype)]
    assert all("of the draws are the reference's" in one.message for one in found), found


@np.errstate(all="ignore")
def unrounded_product(x: Array, slopes: Array) -> Array:
    """Y of slopes with more digits than a noise would show."""
    wide = x.astype(np.longdouble)
    return reference.rounded(np.where(x < 0, slopes * wide, wide), x.dtype)


def several(dtype: str) -> list[Case]:
    """Cases of many draws."""
    chosen = cases(spec_of("RReLU"), dtype, "training", quick=True)
    many = [case for case in chosen if case.inputs[0].size >= 1001 and not case.bare]
    return [case for case in many if case.outputs > 1]


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_references_bits_in_y_alone(dtype: str) -> None:
    """Nothing is wrong with Y; where the noise is asked for and not there, nothing is proven."""
    cell = cell_of(y_alone(Own(exactly)), dtype)
    assert cell.failed == 0, cell.failures
    asked = list(cases(spec_of("RReLU"), dtype, "training", quick=True))
    assert cell.skipped == sum(case.outputs > 1 for case in asked)


def test_ours_must_have_the_bits() -> None:
    """Without its own generator a runtime is judged by bits; so are all of ours."""
    right = drawing(uniform)
    cell = cell_of(Wrong(lambda kernel, case: right.run(case)))
    assert cell.failed >= 6
    own = {item.name for item in (*RUNTIMES, *VARIANTS) if getattr(item, "own_draws", False)}
    assert own == {"pytorch"}


MODULE = """
import numpy as np
def run(operator, arrays, attributes):
    x, low, high = arrays[0], attributes["lower"], attributes["upper"]
    random = np.random.default_rng(attributes["seed"] % 2**64)
    slopes = random.uniform(low, high, x.shape).astype(x.dtype)
    noise = np.where(x < 0, slopes, x.dtype.type(1))
    return (noise * x).astype(x.dtype), noise
def untrained(operator, arrays, attributes):
    slope = (attributes["lower"] + attributes["upper"]) / 2
    x = arrays[0]
    return np.where(x < 0, x * slope, x).astype(x.dtype)
"""


def test_a_users_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime of a user's is judged so; one that does not look at training_mode fails."""
    (tmp_path / "drawing_of_a_user.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    assert cell_of(runtime_of("drawing_of_a_user:run")).status == "pass"
    assert cell_of(runtime_of("drawing_of_a_user:untrained")).status == "fail"


class LikePyTorch(Own):
    """A runtime of PyTorch's name, and of what is on record of it."""

    package = "torch"

    def __init__(self, spoil: Callable[[Wrong, Case], list[Array]]) -> None:
        super().__init__(spoil)
        self.name = "pytorch"


def test_the_record_about_seeds_excuses_nothing_else() -> None:
    """Seeds of which 32 bits are read are known of PyTorch; a wrong Y beside that is a failure."""
    pytest.importorskip("torch", reason="the record is about its version")
    selection = Selection([spec_of("RReLU")], ["float32"], ["training"], quick=True)

    def failed(spoil: Callable[[Wrong, Case], list[Array]]) -> list[str]:
        (cell,) = run(dataclasses.replace(selection, runtimes=[LikePyTorch(spoil)])).cells
        return [failure.case for failure in cell.failures]

    def known(kernel: Wrong, case: Case) -> list[Array]:
        return drawing(old).run(case)

    def wrong(kernel: Wrong, case: Case) -> list[Array]:
        y, *noise = drawing(old).run(case)
        return [y * np.float32(1.001), *noise] if "negative" in case.name else [y, *noise]

    assert failed(known) == []
    assert [name.split(",")[0] for name in failed(wrong)] == ["seed 17", "seed 1099511627793"]


def test_pytorch_draws_by_the_law() -> None:
    """It keeps the law, but draws for zeros, too: that is on record, and nothing else is."""
    pytest.importorskip("torch", reason="compares with PyTorch")
    cell = cell_of(runtime_of("pytorch"))
    assert (cell.status, cell.failed) == ("known", 0)
    assert cell.known > 3
    selection = Selection(
        [spec_of("RReLU")], ["float32"], ["training"], [runtime_of("pytorch")], quick=True
    )
    without = [one for one in KNOWN_DIFFERENCES if one.explains != "drawn at 0"]
    (cell,) = run(selection, without).cells
    assert "noise is not 1 where x is not negative" in cell.failures[0].message
