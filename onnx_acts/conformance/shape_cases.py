"""Cases about shapes: of every rank, empty, long, strided; and what is known of sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.drafting import Attributes, draft, with_slope
from onnx_acts.conformance.dtypes import numpy_type
from onnx_acts.conformance.surroundings import SURROUNDINGS
from onnx_acts.conformance.values import random_values
from onnx_acts.definition.specs import Spec

__all__ = ["shape_cases", "size_cases"]

Array = NDArray[Any]
Shape = tuple[int, ...]

_HIGHEST_RANK = 8
_SIZES = (2, 3, 1, 4, 2, 1, 3, 2)
"""Of the dimensions of the highest rank."""

_OVER = ("X written over", "both outputs inside")
_INSIDE = "inside subgraphs"
_EVERY_WAY = ("Shape", *_OVER)
"""A runtime writes over X only where it knows that the sizes are the same."""

_LONG = (37, 53)
"""Longer than the blocks in which kernels compute, with a tail."""

_MANY = (1,) * 8 + (2,) + (1,) * 10 + (3,)
"""More dimensions than most programs have room for."""

_SHARED = 65_537
"""So many elements threads share."""

_MILLION = 2**20 + 5
"""More elements than 20 bits count."""

_THIN: tuple[Shape, ...] = (
    (_SHARED, 1),
    (1, 1, 70_001),
    (1,) * 7 + (66_003,),
    (66_003,) + (1,) * 7,
    (0, 2**31 + 5),
    (2**20, 0, 2**20),
)
"""Huge but thin; those without elements have sizes whose product takes more than 32 bits."""


def shape_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Every rank, empty, 0-d, thin, odd, long and strided arrays."""
    shapes = _quick_shapes() if quick else _all_shapes()
    for number, shape in enumerate(shapes):
        yield draft(spec, f"shape {shape}", with_slope(spec, random_values(dtype, shape, number)))
    lengths = (1, 24, 47, 63, 70) if quick else range(1, 71)
    is_single = dtype == "float32"
    around = [_SHARED - 1, _SHARED] if is_single or not quick else [_SHARED]
    around += [] if quick else [_SHARED - 2]
    longest = [] if quick else [3 * _SHARED + 1, _MILLION]
    for length in (*lengths, *around, *longest):
        x = random_values(dtype, (length,), 1000 + length)
        since = 2 if length == _SHARED - 1 else 1
        yield draft(spec, f"length {length}", with_slope(spec, x), vectors=since)
    for name, x in _strided(dtype).items():
        yield draft(spec, name, with_slope(spec, x))
    x = random_values(dtype, _MANY, 12)
    yield draft(spec, f"{x.ndim} dimensions", with_slope(spec, x), sizes="fixed")
    if quick and not is_single:
        return
    plain = 0.125 + np.abs(np.random.default_rng(13).standard_normal(1003))
    x = plain.astype(numpy_type(dtype))
    for name, one in {"positive": x, "negative": -x, "NaN": np.full_like(x, np.nan)}.items():
        yield draft(spec, f"{name} alone", with_slope(spec, one), vectors=2)
    x = random_values(dtype, (20_001 if quick else _SHARED + 9_001,), 14)
    yield draft(spec, "shared by threads", with_slope(spec, x), sizes="fixed", shared=True)


def _quick_shapes() -> list[Shape]:
    """One of each kind."""
    shapes: list[Shape] = [(), (0,), (0, 3), (3, 0, 2), (1,), (3, 5, 7), (2, 3, 5, 7)]
    return [*shapes, (2,) * 10, (1,) * 9 + (3,), (33, 1), (1, 4099)]


def _all_shapes() -> list[Shape]:
    """Of every rank: plain, of ones alone, and empty in each dimension."""
    shapes = [*_quick_shapes(), *_THIN]
    for rank in range(1, _HIGHEST_RANK + 1):
        plain = _SIZES[:rank]
        shapes += [plain, (1,) * rank]
        shapes += [(*plain[:axis], 0, *plain[axis + 1 :]) for axis in range(rank)]
    return list(dict.fromkeys(shapes))


def _strided(dtype: str) -> dict[str, Array]:
    """Arrays that do not lie in memory as a fresh one would."""
    x = random_values(dtype, (38, 66), 7)
    odd_bytes = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype)
    return {
        "every second column": x[:, ::2],
        "reversed": x[::-1, ::-1],
        "transposed": x.T,
        "repeated with stride 0": np.broadcast_to(x[:1], (5, 66)),
        "one element past an aligned address": x.reshape(-1)[1:],
        "not aligned to its elements": odd_bytes,
    }


def size_cases(spec: Spec, dtype: str, quick: bool) -> Iterator[Case]:
    """Sizes that the model tells in every way, and every reader of the result's shape.

    With the function bodies in the model and without: those carry shapes of their own. A first look
    takes sizes without names, of which runtimes know least, and all ways for Shape alone. What is
    told of Y itself is asked for no rank, for a high one and for no elements, too.
    """
    shapes: tuple[Shape, ...] = ((2, 3), (4, 1))[: 1 if quick else None]
    ways = ("named", "fixed", "unnamed", "unknown")
    for within in ("", *SURROUNDINGS):
        if within and SURROUNDINGS[within].hides > len(spec.outputs):
            continue
        for number, sizes in enumerate(ways):
            is_plain = not within and sizes == "named"
            if is_plain or (quick and within not in _EVERY_WAY and number != 2):
                continue
            if quick and within == _INSIDE and dtype != "float32":
                continue
            for shape in _long_ones(shapes, quick) if within == _OVER[0] else shapes:
                both = not quick or within in ("Shape", "If")
                yield from _told(spec, dtype, shape, within, sizes, (False, True)[: 1 + both])
            if within in _OVER and len(spec.outputs) > 1:
                yield from _drawn_over(spec, dtype, within, sizes)
    if len(spec.outputs) > 1:
        x = random_values(dtype, (37, 53), 33)
        for mode, attributes in (("inference", {}), ("training", _on(spec))):
            name = f"{mode}, an output without a name"
            yield draft(spec, name, with_slope(spec, x), attributes, blank=True)
    # These are about shapes, not about types: a first look has them once.
    for shape in ((), (2, 1, 3, 1, 2), (0, 3))[: 2 if quick else None]:
        if quick and dtype != "float32":
            continue
        for sizes in ("fixed",) if quick else ways[1:]:
            yield from _told(spec, dtype, shape, "", sizes, (False, True)[: 1 + (not quick)])


def _long_ones(shapes: Sequence[Shape], quick: bool) -> Sequence[Shape]:
    """With one of whole vectors and a tail: where that is done apart, X may be there no more."""
    return (_LONG,) if quick else (*shapes, _LONG)


def _told(
    spec: Spec, dtype: str, shape: Shape, within: str, sizes: str, without: Sequence[bool]
) -> Iterator[Case]:
    """A shape with bodies and without; every output where one may be written over X."""
    x = random_values(dtype, shape, 31)
    outputs = len(spec.outputs) if within in _OVER else 1
    for bare in without:
        name = f"{within or 'alone'}, {sizes}, {shape}{', bare' if bare else ''}"
        yield draft(
            spec, name, with_slope(spec, x), {}, outputs, sizes=sizes, within=within, bare=bare
        )


def _drawn_over(spec: Spec, dtype: str, within: str, sizes: str) -> Iterator[Case]:
    """Draws whose second output needs X after Y is there: of negative slopes its sign is another.

    A second case is shared by threads.
    """
    on = _on(spec)
    low, high = (a.name for a in spec.attributes if a.kind == "real")
    for shape in ((37, 53), (263, 331)):
        x = random_values(dtype, shape, 32)
        attributes = {**on, low: -0.75, high: 0.5}
        name = f"{within}, {sizes}, {shape}, drawn"
        yield draft(
            spec,
            name,
            with_slope(spec, x),
            attributes,
            len(spec.outputs),
            sizes=sizes,
            within=within,
        )


def _on(spec: Spec) -> Attributes:
    """The attributes with which slopes are drawn."""
    return {a.name: 1 for a in spec.attributes if a.kind == "flag"}
