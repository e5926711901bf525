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
    yield from written_by_others(spec, with_slope(spec, x))
    values = parameter_values()
    chosen = list(itertools.product(values.items(), repeat=len(names)))
    ties = tie_parameters()
    of_16_bits = ("1+1*2^-8", "1+3*2^-8", "1+3*2^-11")
    chosen += [((name, ties[name]),) * len(names) for name in (of_16_bits if quick else ties)]
    for pairs in chosen:
        attributes: Attributes = dict(zip(names, (value for _, value in pairs), strict=True))
        if accepts(spec, attributes) and not (quick and len({label for label, _ in pairs}) > 1):
            texts = (f"{name}={text}" for name, (text, _) in zip(names, pairs, strict=True))
            yield draft(spec, ", ".join(texts), with_slope(spec, x), attributes)


def written_by_others(spec: Spec, inputs: Sequence[Array]) -> Iterator[Case]:
    """Parameters as ONNX's own kinds of attributes, which other tools write."""
    kinds: tuple[tuple[Written, tuple[float, ...]], ...] = (
        ("FLOAT", (0.3, 0.7)),
        ("INT", (2, 3)),
    )
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
    for value in (0.25, 0.1):
        equal: Attributes = {**on, **dict.fromkeys(bounds, value)}
        yield draft(spec, f"both bounds {value}", [x], equal, every)
    x = -np.abs(random_values(dtype, _LAW_SHAPE, 9))
    for low, high in ((1 / 8, 1 / 3), (-1.0, 1.0), (0.0, 0.7))[: 1 if quick else None]:
        between: Attributes = dict(zip(bounds, (low, high), strict=True))
        name = f"law between {low:.4g} and {high:.4g}"
        yield draft(spec, name, [x], {**on, **between, seed_name: 11}, every, law=True)


def _negative(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    """Numbers below zero of ordinary size: each has a draw."""
    return -1 - np.abs(np.random.default_rng(seed).standard_normal(shape)).astype(numpy_type(dtype))
