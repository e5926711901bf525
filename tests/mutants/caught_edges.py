"""Which case of the suite catches which of the kernels of `wrong_edges.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx_acts.conformance.case import Case
from tests.mutants.wrong_edges import (
    beyond_64_bits,
    bounds_to_one,
    clipped_below,
    drawn_for_noise,
    first_slope_alone,
    flushed_parameter,
    from_on,
    held_once,
    inner_one,
    is_odd_scale,
    is_planes,
    is_whole,
    loop_has_one_size,
    nan_at_zero,
    nan_by,
    none_where_nan,
    nothing_below_zero,
    one_buffer,
    relu_where_0,
    seed_as,
    slope_in_memory,
    tail_twice,
    trained_by_seed,
    where_many,
    where_slope,
    with_parameter,
    without,
)
from tests.mutants.wrong_kernels import Caught, Spoil, Wrong

_MILLION = "length 1048581"

_PLANES = "slope values of planes"

_TEN = "slope (2, 1, 2, 1, 1, 2, 1, 2, 1) on (2, 2, 2, 2, 2, 2, 2, 2, 2, 2)"

_INSIDE = "inside subgraphs, unnamed, (2, 3)"

_SPOILS: dict[str, tuple[Spoil, Sequence[tuple[str, str, str, str]]]] = {
    "one of 65,536 elements": (
        from_on(65_535, 65_536),
        [("ELU", "float32", "shapes", "length 65536")],
    ),
    "nothing beyond 2^20 elements": (from_on(2**20), [("ReLU", "float32", "shapes", _MILLION)]),
    "nothing beyond 2^20 steps": (from_on(2**20), [("QLinearELU", "uint8", "quantized", _MILLION)]),
    "a plane of slope 0 is ReLU": (
        where_slope(is_planes, relu_where_0),
        [("PReLU", "float32", "slopes", _PLANES)],
    ),
    "elements of slope 0 are ReLU": (
        where_slope(is_whole, relu_where_0),
        [("PReLU", "bfloat16", "slopes", "slope values of elements")],
    ),
    "a scalar slope of 0 is ReLU": (
        where_slope(lambda case: case.inputs[1].ndim == 0, relu_where_0),
        [("PReLU", "float64", "slopes", "slope 0 without dimensions")],
    ),
    "a plane of slope NaN has none": (
        where_slope(is_planes, none_where_nan),
        [("PReLU", "float16", "slopes", _PLANES)],
    ),
    "0 times a plane's infinite slope": (
        where_slope(is_planes, nan_at_zero),
        [("PReLU", "float32", "slopes", _PLANES)],
    ),
    "slopes of many dimensions": (
        first_slope_alone,
        [("PReLU", "float32", "slopes", _TEN), ("PReLU", "bfloat16", "slopes", _TEN)],
    ),
    "a slope with a 1 inside": (
        inner_one,
        [("PReLU", "float32", "slopes", "slope (3, 1, 5) on (2, 3, 4, 5)")],
    ),
    "a slope's strides": (
        slope_in_memory,
        [("PReLU", "float32", "slopes", "slope transposed in memory")],
    ),
    "X is its own slope": (
        without(lambda case: len(case.inputs) > 1 and case.inputs[0] is case.inputs[1]),
        [("PReLU", "float32", "slopes", "X is the slope, too")],
    ),
    "many slopes of a long X": (
        without(lambda case: case.inputs[0].size > 7000 and case.inputs[-1].size > 1),
        [("PReLU", "float32", "slopes", "slope (3, 1) on (2, 3, 11003)")],
    ),
    "a huge parameter": (
        with_parameter(beyond_64_bits),
        [("LeakyReLU", "float64", "attributes", "alpha=1.7e308")],
    ),
    "a subnormal parameter": (
        with_parameter(flushed_parameter),
        [("LeakyReLU", "float64", "attributes", "alpha=2^-1074")],
    ),
    "a parameter far below zero": (
        with_parameter(clipped_below),
        [
            ("ELU", "float32", "attributes", "alpha=-3e38"),
            ("LeakyReLU", "float16", "attributes", "alpha=-3e38"),
        ],
    ),
    "the lowest seed": (
        seed_as(lambda seed: 0 if seed == -(2**63) else seed),
        [("RReLU", "float32", "training", "seed -9223372036854775808")],
    ),
    "a seed in float64": (
        seed_as(lambda seed: int(float(seed)) if abs(seed) < 2**62 else seed),
        [("RReLU", "float32", "training", "seed 9007199254740993")],
    ),
    "another seed for many draws": (
        where_many(seed_as(lambda seed: seed + 1)),
        [("RReLU", "bfloat16", "training", "law between 0.125 and 0.3333")],
    ),
    "a seed starts training": (
        trained_by_seed,
        [("RReLU", "bfloat16", "attributes", "seed given")],
    ),
    "no draws without noise": (
        drawn_for_noise,
        [
            ("RReLU", "float32", "training", "first output alone"),
            ("RReLU", "float64", "sizes", "training, an output without a name"),
        ],
    ),
    "bounds within 0 and 1": (
        bounds_to_one,
        [
            ("RReLU", "float32", "training", "between 2 and 9"),
            ("RReLU", "float32", "training", "between -0.7 and -0.2"),
        ],
    ),
    "NaN by its high word": (
        nan_by(0xFFFFF << 32),
        [("ReLU", "float64", "boundaries", "NaN bits")],
    ),
    "NaN by its high half": (nan_by(0x7F0000), [("ELU", "float32", "boundaries", "NaN bits")]),
    "a tail over the last vector": (
        tail_twice,
        [
            ("LeakyReLU", "float32", "sizes", "X written over, fixed, (37, 53)"),
            ("ELU", "float16", "sizes", "X written over, fixed, (37, 53)"),
            ("PReLU", "float64", "sizes", "X written over, named, (37, 53)"),
        ],
    ),
    "8 bits written over": (
        without(lambda case: case.within == "X written over"),
        [("QLinearPReLU", "uint8", "quantized", "X written over, fixed")],
    ),
    "a node in a loop": (loop_has_one_size, [("ELU", "float32", "sizes", _INSIDE)]),
    "threads with one buffer": (
        one_buffer,
        [("ELU", "float32", "shapes", "shared by threads")],
    ),
    "constants for one run": (
        held_once,
        [
            ("PReLU", "float32", "slopes", "held slope (5, 1) on (90, 5, 6), fixed"),
            ("QLinearPReLU", "uint8", "quantized", "held, shape (1366, 3)"),
        ],
    ),
    "one sign alone": (
        nothing_below_zero,
        [
            ("ELU", "float32", "shapes", "positive alone"),
            ("LeakyReLU", "float32", "shapes", "negative alone"),
        ],
    ),
    "no dimensions of 8 bits": (
        without(lambda case: case.inputs[0].ndim == 0),
        [("QLinearPReLU", "uint8", "quantized", "no dimensions")],
    ),
    "many dimensions of 8 bits": (
        without(lambda case: case.inputs[0].ndim > 8),
        [("QLinearELU", "uint8", "quantized", "10 dimensions")],
    ),
    "odd scales of 8 bits": (
        without(is_odd_scale),
        [("QLinearELU", "uint8", "quantized", "odd scales 1e-42 and 0.04")],
    ),
    "odd slopes of 8 bits": (
        without(lambda case: not np.isfinite(case.inputs[-1]).all()),
        [("QLinearPReLU", "uint8", "quantized", "odd slopes, some too large")],
    ),
    "an odd alpha of 8 bits": (
        without(lambda case: not np.isfinite(case.values["alpha"])),
        [("QLinearELU", "uint8", "quantized", "odd alpha inf")],
    ),
    "numbers in place of bytes": (
        without(lambda case: case.written in ("numbers", "vector")),
        [
            ("LeakyReLU", "float64", "attributes", "written as numbers"),
            ("RReLU", "float64", "attributes", "written as vector"),
        ],
    ),
}
"""By what is wrong: the kernel, and operator, element type, group and name of cases that see it."""

_FULL = (_MILLION, "alpha=2^-1074")


def _named(what: str, spoil: Spoil) -> Spoil:
    """The same kernel, with what is wrong as its name."""

    def spoiled(kernel: Wrong, case: Case) -> Sequence[Any]:
        return spoil(kernel, case)

    spoiled.__name__ = what
    return spoiled


WRONG_EDGES: tuple[Caught, ...] = tuple(
    Caught(kernel, *place, quick=place[-1] not in _FULL)
    for what, (spoil, places) in _SPOILS.items()
    for kernel in [_named(what, spoil)]
    for place in places
)
"""Which case of the suite catches which of them."""
