"""Thousands of ways to write the activations: each that is replaced keeps its values."""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_array_equal

from onnx_acts.graph import accelerate, accelerate_reported
from tests.graph import spellings
from tests.graph.models import Array, run, values
from tests.graph.spellings import Spelling

ALL = ("ReLU", "LeakyReLU", "PReLU", "ELU")
DTYPES = ("float32", "float64", "float16")
STRIDE = 89
EXPONENTIAL = ("Celu", "Elu", "Exp", "Selu")


def inputs(dtype: str) -> Array:
    """`values`, and the largest and smallest numbers of the type."""
    info = np.finfo(dtype)
    sizes: list[Any] = [
        info.max,
        info.max / 2,
        info.tiny,
        info.smallest_subnormal,
        1.00055,
        6,
        1e-3,
    ]
    more = np.array([sign * float(size) for size in sizes for sign in (-1, 1)])
    return np.concatenate([values(dtype), np.repeat(more, 12).reshape(-1, 3, 4).astype(dtype)])


def found(model: onnx.ModelProto, operator: str) -> bool:
    """One node is left, beside conversions and what makes constants."""
    types = {node.op_type for node in model.graph.node}
    names = {operator, "LeakyRelu" if operator == "LeakyReLU" else operator}
    return len(types - {"Identity", "Cast"} - names) == 0 and bool(types & names)


def check_values(model: onnx.ModelProto, result: onnx.ModelProto, x: Array, *, loose: bool) -> None:
    """The same values: but for ELU's error, or, if `loose`, as far as `approximate` promises."""
    old, new = run(model, x), run(result, x)
    unit, tiny = float(np.finfo(x.dtype).eps), float(np.finfo(x.dtype).smallest_subnormal)
    has_exp = any(node.op_type in EXPONENTIAL for node in model.graph.node)
    if not loose and not has_exp:
        assert_array_equal(new, old)
        return
    wide, size = old.astype(np.float64), np.abs(x.astype(np.float64))
    if loose:  # NaN, infinity and what overflows on the way
        wide = np.where(np.isfinite(old), wide, new)
        wide = np.where(np.isfinite(x) & (size < float(np.finfo(x.dtype).max) / 4), wide, new)
    size = unit * np.where(np.isfinite(size), size, 0)
    room = 32 * size * loose + 8 * has_exp * (unit + size) + 8 * tiny
    with np.errstate(invalid="ignore"):
        same = (wide == new) | (np.isnan(wide) & np.isnan(new)) | (np.abs(wide - new) <= room)
    assert same.all(), (x[~same][:3], old[~same][:3], new[~same][:3])


def check(spelling: Spelling, dtype: str) -> tuple[bool, bool]:
    """Checks both ways of replacing; tells whether each replaced everything."""
    model, x = spelling.model(dtype), inputs(dtype)
    answers = []
    for approximate in (False, True):
        result, report = accelerate_reported(model, ops=ALL, approximate=approximate)
        if report.replaced:
            check_values(model, result, x, loose=approximate)
        answers.append(found(result, spelling.operator))
    return answers[0], answers[1]


def count(chosen: list[Spelling]) -> tuple[int, int]:
    """How many spellings are found, by default and with `approximate`; types take turns."""
    answers = [check(s, dtype) for s, dtype in zip(chosen, itertools.cycle(DTYPES), strict=False)]
    return sum(a for a, _ in answers), sum(b for _, b in answers)


def test_some() -> None:
    """Every 89th spelling keeps its values, and all are found with `approximate`."""
    chosen = list(itertools.chain(spellings.exact(), spellings.masked()))[::STRIDE]
    by_default, approximately = count(chosen)
    assert approximately == len(chosen)
    assert by_default > 0.25 * len(chosen)


@pytest.mark.slow
def test_many() -> None:
    """So does one of 15; `SPELLINGS_STRIDE=1` in the environment takes all, in five minutes."""
    stride = int(os.environ.get("SPELLINGS_STRIDE") or 15)
    chosen = list(itertools.chain(spellings.exact(), spellings.masked()))[::stride]
    assert len(chosen) > 15_000 // stride
    assert count(chosen)[1] == len(chosen)


NEAR_MISSES = {spelling.name: spelling for spelling in spellings.near_misses()}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_miss(name: str) -> None:
    """What is nearly an activation keeps its values; only a whole part of it may be replaced."""
    model = NEAR_MISSES[name].model("float32")
    result, report = accelerate_reported(model, ops=ALL, approximate=True)
    last = result.graph.node[-1]
    assert (last.domain, last.op_type) == ("", model.graph.node[-1].op_type), report.replaced
    x = np.concatenate([inputs("float32").reshape(-1), np.linspace(-1.001, 1.001, 4003, dtype="f")])
    x = np.resize(x, (len(x) // 12, 3, 4))
    assert_array_equal(run(result, x), run(model, x))


def test_near_misses_are_left_by_default() -> None:
    """By default nothing in them changes but whole parts."""
    for spelling in NEAR_MISSES.values():
        model = spelling.model("float64")
        assert_array_equal(run(accelerate(model), inputs("float64")), run(model, inputs("float64")))
