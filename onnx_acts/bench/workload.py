"""What is measured: one operator on one tensor, in buffers that all peers share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance import Case
from onnx_acts.conformance.case import numpy_type
from onnx_acts.definition.specs import SPECS, Spec

__all__ = [
    "CHAIN",
    "LARGE",
    "LEAKY_FAMILY",
    "SIZES",
    "Workload",
    "aligned",
    "make_workload",
    "repeated",
]

Array = NDArray[Any]

SIZES: dict[str, tuple[int, ...]] = {
    "1x64x112x112": (1, 64, 112, 112),
    "32x64x112x112": (32, 64, 112, 112),
    "16K": (1, 64, 16, 16),
    "1": (1, 1, 1, 1),
    "chain-16K": (1, 64, 16, 16),
    "chain-1": (1, 1, 1, 1),
}
"""Shapes by name: a network's first layers, alone and in a batch; a small tensor; one element,
where the time is that of the call; chains of nodes, where a node's share of it is."""

LARGE = ("1x64x112x112", "32x64x112x112")
"""The sizes at which the kernel's own speed shows: in the cache, and beyond it."""

LEAKY_FAMILY = tuple(spec.name for spec in SPECS if spec.is_product)
"""The operators that scale what is negative; they differ in where the scale comes from."""

CHAIN = 200
"""Nodes of a chain, each on the result of the one before."""

# A chain multiplies what is negative by its slope 200 times. The slopes of networks would soon
# leave subnormal numbers, with which some processors take many times as long, and zeros: the
# figures would be about those. With these, and with `Spec.chain`, the factor of a whole chain is
# between 1/11 and 8.
_CHAIN_SLOPES = (0.99, 1.01)
_SLOPES = (0.05, 0.45)

_ALIGNMENT = 64
_PERIOD = 1_000_003
"""Random values before they repeat: too many for a branch predictor, few to draw."""


@dataclasses.dataclass(frozen=True)
class Workload:
    """One row of the benchmark.

    Attributes:
        case: the operator with its inputs: x normally distributed, half of it negative, and a
            parameter input per channel.
        size: the name of x's shape.
        threads: how many threads each peer may use.
        y: where results go, as large as x and touched, so that no page is fresh.
    """

    case: Case
    size: str
    threads: int
    y: Array

    @property
    def nodes(self) -> int:
        """How many nodes one call runs, one after another."""
        return CHAIN if _is_chain(self.size) else 1

    @property
    def x(self) -> Array:
        """The first input."""
        return self.case.inputs[0]


def make_workload(spec: Spec, dtype: str, size: str, threads: int) -> Workload:
    """Makes a row's inputs, the same every time.

    Args:
        spec: the operator.
        dtype: the element type.
        size: one of `SIZES`.
        threads: number of threads.
    """
    shape, kind = SIZES[size], numpy_type(dtype)
    x, y = aligned(shape, kind), aligned(shape, kind)
    x[...] = repeated(np.random.default_rng(1509).standard_normal, shape, kind)
    y[...] = 0
    is_chain = _is_chain(size)
    bounds = _CHAIN_SLOPES if is_chain else _SLOPES
    slopes = np.linspace(*bounds, shape[1]).astype(kind).reshape(shape[1], 1, 1)
    attributes = spec.chain if is_chain else {}
    case = Case(spec.name, dtype, [x, *(slopes for _ in spec.inputs[1:])], attributes)
    return Workload(case, size, threads, y)


def _is_chain(size: str) -> bool:
    return size.startswith("chain-")


def repeated(draw: Callable[[int], Array], shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
    """Random values that repeat after a while; `draw` makes as many as it is told."""
    return np.resize(draw(min(_PERIOD, math.prod(shape))).astype(kind), shape)


def aligned(shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
    """An array that begins on a cache line."""
    count = math.prod(shape) * kind.itemsize
    raw = np.empty(count + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + count].view(kind).reshape(shape)
