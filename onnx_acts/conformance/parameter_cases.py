"""Cases about attributes, present and absent, and about random draws."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, Written
from onnx_acts.conformance.drafting import Attributes, draft, with_slope
from onnx_acts.conformance.dtypes import numpy_type
from onnx_acts.conformance.values import (
    parameter_values,
    random_values,
    special_values,
    tie_parameters,
)
from onnx_acts.definition.specs import Spec
from onnx_acts.definition.validation import accepts

__all__ = ["attribute_cases", "draw_cases", "written_by_others"]

Array = NDArray[Any]

_MANY_DRAWS = 2**20 + 5
"""More elements than 18 bits number blocks of four for."""

_LAW_SHAPE = (3, 17, 53, 74)
"""200,022 draws are enough for the law to show: a distance of 1 % from it does. There are channels,
for one might have the draws of another."""

_FAR_SEED = 2**40 + 17
"""A generator that reads 32 bits of it takes it for 17."""

_SEEDS = (0, _FAR_SEED, 1, -1, 2**63 - 1, 2**32, 2**31)

_ODD_SEEDS = (-(2**63), 2**53 + 1)
"""The lowest, which has no absolute value, and one that float64 does not have."""

_BOUNDS = ((-0.7, -0.2), (2.0, 9.0))
"""Bounds of draws below zero and above one."""


def attribute_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Attribute values: absent, the defaults, alone, or every ordered pair that is accepted."""
    names = [attribute.name for attribute in spec.attributes if attribute.kind == "real"]
    if not names:
        return
    x = np.concatenate([special_values(dtype), random_values(dtype, (203,), 11)])
    every = len(spec.outputs)
    if every > 1:
        yield draft(spec, "all outputs", with_slope(spec, x), {}, every)
    yield draft(spec, "absent", with_slope(spec, x), {}, every, bare=True)
    for item in spec.attributes if len(spec.attributes) > 1 else ():
        given: Attributes = {a.name: a.default for a in spec.attributes if a != item}
        yield draft(spec, f"{item.name} absent", with_slope(spec, x), given, every, bare=True)
    for item in spec.attributes:
        if item.kind == "seed":  # it says nothing where nothing is drawn
            given = {item.name: 17}
            yield draft(spec, f"{item.name} given", with_slope(spec, x), given, every, vectors=2)
    yield from written_by_others(spec, with_slope(spec, x), quick)
    values = parameter_values()
    chosen = list(itertools.product(values.items(), repeat=len(names)))
    ties = tie_parameters()
    first = ["1+1*2^-8", "1+3*2^-8", "1+3*2^-11", "-3e38"]
    first += ["1.7e308"] if dtype == "float64" else []
    chosen += [((name, ties[name]),) * len(names) for name in (first if quick else ties)]
    for pairs in chosen:
        attributes: Attributes = dict(zip(names, (value for _, value in pairs), strict=True))
        if accepts(spec, attributes) and not (quick and len({label for label, _ in pairs}) > 1):
            texts = (f"{name}={text}" for name, (text, _) in zip(names, pairs, strict=True))
            since = 1 + (abs(pairs[0][1]) > 2e38 and pairs[0][0] not in values)
            yield draft(spec, ", ".join(texts), with_slope(spec, x), attributes, vectors=since)


def written_by_others(spec: Spec, inputs: Sequence[Array], quick: bool = False) -> Iterator[Case]:
    """Parameters as ONNX's own kinds of attributes and as other tensors: other tools write them."""
    kinds: tuple[tuple[Written, tuple[float, ...]], ...] = (
        ("FLOAT", (0.3, 0.7)),
        ("INT", (2, 3)),
    )
    if inputs[0].dtype == np.float64 or not quick:
        kinds += (("numbers", (0.3, 0.7)), ("vector", (0.3, 0.7)))
    for written, values in kinds:
        reals = (item.name for item in spec.attributes if item.kind == "real")
        given: Attributes = {
            name: float(np.float32(value)) for name, value in zip(reals, values, strict=False)
        }
        yield draft(spec, f"written as {written}", inputs, given, bare=True, written=written)


def draw_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Random draws for several seeds, with every output; then their law."""
    if spec.parameter_source != "draw":
        return
    on: Attributes = {a.name: 1 for a in spec.attributes if a.kind == "flag"}
    (seed_name,) = (a.name for a in spec.attributes if a.kind == "seed")
    bounds = [a.name for a in spec.attributes if a.kind == "real"]
    every = len(spec.outputs)
    for seed in _SEEDS[: 2 if quick else None]:
        for shape in ((7,), (2, 3, 5), (1001,), (0, 3), ()):
            name = f"seed {seed}, shape {shape}"
            x = random_values(dtype, shape, 5)
            yield draft(spec, name, [x], {**on, seed_name: seed}, every)
    x = _negative(dtype, (7, 11, 13), 13)
    for seed in (17, _FAR_SEED):
        name = f"seed {seed}, shape {x.shape}, negative"
        yield draft(spec, name, [x], {**on, seed_name: seed}, every, seeds=seed == _FAR_SEED)
    if not quick:
        x = random_values(dtype, (_MANY_DRAWS,), 7)
        yield draft(spec, f"shape {x.shape}", [x], on, every)
    x = random_values(dtype, (130,), 6)
    yield draft(spec, "seed absent", [x], on, every, bare=True)
    is_whole = dtype == "float32" or not quick
    if is_whole:
        negative = _negative(dtype, (1001,), 14)
        yield draft(spec, "first output alone", [negative], {**on, seed_name: _FAR_SEED}, vectors=2)
        for seed in _ODD_SEEDS:
            yield draft(spec, f"seed {seed}", [x], {**on, seed_name: seed}, every, vectors=2)
        for low, high in _BOUNDS:
            moved: Attributes = dict(zip(bounds, (low, high), strict=True))
            name = f"between {low:g} and {high:g}"
            yield draft(spec, name, [x], {**on, **moved}, every, vectors=2)
    for value in (0.25, 0.1, *((0.0, -0.5) if is_whole else ())):
        equal: Attributes = {**on, **dict.fromkeys(bounds, value)}
        since = 1 if value > 0 else 2
        yield draft(spec, f"both bounds {value}", [x], equal, every, vectors=since)
    x = -np.abs(random_values(dtype, _LAW_SHAPE, 9))
    for low, high in ((1 / 8, 1 / 3), (-1.0, 1.0), (0.0, 0.7))[: 1 if quick else None]:
        between: Attributes = dict(zip(bounds, (low, high), strict=True))
        name = f"law between {low:.4g} and {high:.4g}"
        yield draft(spec, name, [x], {**on, **between, seed_name: 11}, every, law=True)


def _negative(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    """Numbers below zero of ordinary size: each has a draw."""
    return -1 - np.abs(np.random.default_rng(seed).standard_normal(shape)).astype(numpy_type(dtype))
