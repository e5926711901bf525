"""Random slopes that are nearly right: a first look names each, live and from files."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx_acts.conformance.case import Case, numpy_type
from onnx_acts.conformance.suite import Cell, Selection, run
from onnx_acts.conformance.vectors.frozen import Vectors
from onnx_acts.conformance.vectors.index import Index
from onnx_acts.conformance.vectors.judging import judge_folder
from onnx_acts.definition import reference
from onnx_acts.definition.specs import spec_of
from tests.conformance.vectors.folders import part, write_outputs
from tests.mutants.wrong_kernels import Wrong, right

Array = np.ndarray[Any, Any]
Slopes = Callable[[int, tuple[int, ...], float, float], Array]


class Own(Wrong):
    """A runtime with a generator of its own."""

    own_draws = True


def unit(seed: int, shape: tuple[int, ...]) -> Array:
    """From 0 to 1, as it should be."""
    return np.random.default_rng(seed % 2**64).random(shape)


def scaled(change: Callable[[Array], Array]) -> Slopes:
    """Numbers from 0 to 1, changed, then scaled to the bounds."""
    return lambda seed, shape, low, high: low + (high - low) * change(unit(seed, shape))


def channels_share(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """The second channel has the draws of the first."""
    slopes = low + (high - low) * unit(seed, shape)
    if len(shape) > 1 and shape[1] > 1:
        slopes[:, 1] = slopes[:, 0]
    return slopes


def seeded(change: Callable[[int], int]) -> Slopes:
    """Right draws for a seed that is read wrongly."""
    return lambda seed, shape, low, high: low + (high - low) * unit(change(seed), shape)


def as_type(dtype: str) -> Callable[[Array], Array]:
    """Rounded to a narrow type, and taken as a wider one."""
    return lambda u: u.astype(numpy_type(dtype)).astype(np.float64)


def reference_draws(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """The reference's."""
    attributes = {"lower": low, "upper": high, "training_mode": 1, "seed": seed}
    return reference.exact(spec_of("RReLU"), [np.full(shape, -1.0)], attributes)[1]


def transposed(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Counted in the order of columns."""
    if not shape:
        return reference_draws(seed, shape, low, high)
    return reference_draws(seed, shape[::-1], low, high).T


def other_lanes(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """The four words of a block in another order."""
    size = -(-math.prod(shape) // 4) * 4
    blocks = reference_draws(seed, (size,), low, high).reshape(-1, 4)[:, ::-1]
    return np.resize(blocks, shape) if math.prod(shape) else np.zeros(shape)


def one_block_later(seed: int, shape: tuple[int, ...], low: float, high: float) -> Array:
    """Counted from the second block on."""
    return reference_draws(seed, (math.prod(shape) + 4,), low, high)[4:].reshape(shape)


WRONG: dict[str, tuple[Slopes, str]] = {
    "16 bits": (scaled(lambda u: np.floor(u * 2**16) / 2**16), "steps of 1/65536"),
    "15 bits, both ends": (scaled(lambda u: np.rint(u * 32767) / 32767), "steps of 1/32767"),
    "12 bits": (scaled(lambda u: np.floor(u * 2**12) / 2**12), "steps of 1/|equal draws"),
    "float16 draws": (scaled(as_type("float16")), "steps of 1/|equal draws"),
    "bfloat16 draws": (scaled(as_type("bfloat16")), "steps of 1/|equal draws"),
    "a gap below the upper bound": (scaled(lambda u: 0.95 * u), "upper bound|the mean|not uniform"),
    "a gap above the lower bound": (
        scaled(lambda u: 1 - 0.95 * u),
        "lower bound|the mean|not uniform",
    ),
    "two channels share": (channels_share, "draws repeat|draws depend"),
    "the seed in 32 bits": (seeded(lambda seed: seed % 2**32), "do not depend on the seed"),
    "the seed in 31 bits": (seeded(lambda seed: seed % 2**31), "do not depend on the seed"),
    "the same draws for every call": (seeded(lambda seed: 5), "do not depend on the seed"),
    "Philox, transposed": (transposed, "the reference's, in another order"),
    "Philox, other lanes": (other_lanes, "the reference's, in another order"),
    "Philox, one block later": (one_block_later, "the reference's, in another order"),
    "Philox, 32 bits of the seed": (
        lambda seed, shape, low, high: reference_draws(seed % 2**32, shape, low, high),
        "do not depend on the seed",
    ),
    "Philox, draws in float16": (
        lambda seed, shape, low, high: (
            low + (high - low) * as_type("float16")(reference_draws(seed, shape, 0.0, 1.0))
        ),
        "equal draws|steps of 1/|of the draws are the reference's",
    ),
    "Philox, the second half of others": (
        lambda seed, shape, low, high: np.where(
            np.arange(math.prod(shape)).reshape(shape) * 2 < math.prod(shape),
            reference_draws(seed, shape, low, high),
            low + (high - low) * unit(seed, shape),
        ),
        "of the draws are the reference's",
    ),
}

SEEN_LIVE_ALONE: dict[str, tuple[Slopes, str]] = {
    "a small gap below the upper bound": (scaled(lambda u: 0.999 * u), "upper bound"),
    "a small gap above the lower bound": (scaled(lambda u: 1 - 0.999 * u), "lower bound"),
    "20 bits": (scaled(lambda u: np.floor(u * 2**20) / 2**20), "steps of 1/|equal draws"),
    "a grid of another width": (scaled(lambda u: np.floor(u * 54321) / 54321), "equal draws"),
    "the sign of the seed is lost": (seeded(abs), "do not depend on the seed"),
    "the seed is cut off at 0": (seeded(lambda seed: max(seed, 0)), "do not depend on the seed"),
    "the seed in float64": (
        seeded(lambda seed: int(float(seed) / 2**11)),
        "do not depend on the seed",
    ),
}
"""Files have fewer draws, and two seeds."""


@np.errstate(all="ignore")
def product(case: Case, slopes: Array) -> list[Array]:
    """Y and the noise of slopes; equal bounds leave nothing to draw."""
    if len(set(case.real_values)) == 1 or not case.training:
        return right(case)
    x, kind = case.inputs[0], numpy_type(case.dtype)
    noise = np.where(x < 0, reference.rounded(slopes, kind), kind.type(1))
    wide = noise.astype(np.longdouble) * x.astype(np.longdouble)
    return [np.where(x < 0, reference.rounded(wide, kind), x), noise]


def drawing(slopes: Slopes, outputs: int = 2) -> Own:
    """A runtime with these slopes; Y alone where there is one output."""

    def spoil(kernel: Wrong, case: Case) -> list[Array]:
        seed = int(case.values["seed"])
        return product(case, slopes(seed, case.inputs[0].shape, *case.real_values))[
            : min(outputs, case.outputs)
        ]

    return Own(spoil)


def live(runtime: Own, dtype: str = "float32") -> Cell:
    """A first look at its random draws."""
    chosen = Selection([spec_of("RReLU")], [dtype], ["training"], [runtime], quick=True)
    (cell,) = run(chosen).cells
    return cell


def named(cell: Cell, words: str) -> bool:
    """Whether a failure says one of these words."""
    said = [failure.message for failure in cell.failures]
    return cell.failed > 0 and any(word in text for word in words.split("|") for text in said)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, "float32") for name in (*WRONG, *SEEN_LIVE_ALONE)),
        ("16 bits", "float64"),
        ("float16 draws", "float64"),
        ("two channels share", "bfloat16"),
        ("the seed in 32 bits", "float16"),
    ],
)
def test_live(name: str, dtype: str) -> None:
    """With the noise; in float32 without it, too."""
    slopes, words = {**WRONG, **SEEN_LIVE_ALONE}[name]
    cell = live(drawing(slopes), dtype)
    assert named(cell, words), (cell.status, cell.failures)
    if dtype == "float32":
        alone = live(drawing(slopes, 1))
        assert alone.failed, (alone.status, alone.reasons)


def from_files(slopes: Slopes, dtype: str, folder: Path) -> list[Cell]:
    """The verdict on outputs in files."""
    found = part(["RReLU"], [dtype], ["training"])
    tests = [test for test in found.index.tests if test.form == "acts"]
    vectors = Vectors(Index(found.index.vectors, tests), found.files)

    def compute(case: Case, outputs: list[Array]) -> list[Array]:
        return product(
            case, slopes(int(case.values["seed"]), case.inputs[0].shape, *case.real_values)
        )

    write_outputs(vectors, folder, compute)
    return judge_folder(vectors, folder, "theirs").cells


@pytest.mark.parametrize("name", WRONG)
def test_from_files(name: str, tmp_path: Path) -> None:
    """Another program's outputs."""
    slopes, words = WRONG[name]
    (cell,) = from_files(slopes, "float32", tmp_path)
    assert named(cell, words), (cell.status, cell.failures)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_right_ones_pass(dtype: str, tmp_path: Path) -> None:
    """A right generator of another kind, live, alone and from files; so do 23 bits of a float32."""
    for change in (lambda u: np.floor(u * 2**23) / 2**23, lambda u: 1 - u):
        cell = live(drawing(scaled(change)), dtype)
        assert (cell.status, cell.failed) == ("pass", 0), cell.failures
        alone = live(drawing(scaled(change), 1), dtype)
        assert (alone.status, alone.failed) == ("n/a", 0), alone.failures
    (cell,) = from_files(scaled(lambda u: u), dtype, tmp_path)
    assert (cell.status, cell.failed) == ("pass", 0), cell.failures
