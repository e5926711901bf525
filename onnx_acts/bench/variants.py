"""Variants of a workload that are measured beside it, in the same turns: other slope shapes of
PReLU, another alpha of ELU, RReLU's random slopes, ONNX Runtime's own Relu beside a chain, x of a
shape that ends in 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from onnx_acts.bench.workload import LARGE, LEAKY_FAMILY, Workload, aligned, repeated
from onnx_acts.conformance import Case

__all__ = [
    "FULL_SLOPE",
    "SLOPES",
    "Variant",
    "as_column",
    "as_relu",
    "of_networks",
    "with_random_slopes",
    "with_selu_alpha",
]

Variant = Callable[[Workload], Workload | None]
"""Makes another workload on the same x and y, or None where there is nothing to compare."""

_Shape = tuple[int, ...]

_SLOPE_SHAPES: Mapping[str, Callable[[_Shape], _Shape]] = {
    "slope-last": lambda x: (x[3],),
    "slope-full": lambda x: x,
    "slope-scalar": lambda x: (1,),
    "slope-N1H1": lambda x: (x[0], 1, x[2], 1),
    "slope-1C1W": lambda x: (1, x[1], 1, x[3]),
}
FULL_SLOPE = "slope-full"
"""The slope that is as large as x: half as many bytes again are moved."""

_SELU_ALPHA = 1.6732632423543772


def _with_slope(shape_of: Callable[[_Shape], _Shape], workload: Workload) -> Workload | None:
    """PReLU with a slope of another shape."""
    case = workload.case
    if case.operator != "PReLU" or workload.size not in LARGE:
        return None
    slope = aligned(shape_of(workload.x.shape), workload.x.dtype)
    random = np.random.default_rng(7)
    slope[...] = repeated(lambda n: random.uniform(0.05, 0.45, n), slope.shape, slope.dtype)
    return _of_case(workload, dataclasses.replace(case, inputs=[workload.x, slope]))


def _slope_variant(shape_of: Callable[[_Shape], _Shape]) -> Variant:
    return lambda workload: _with_slope(shape_of, workload)


SLOPES: Mapping[str, Variant] = {
    name: _slope_variant(shape_of) for name, shape_of in _SLOPE_SHAPES.items()
}
"""PReLU with slopes of other shapes than one for each channel, by name."""


def with_selu_alpha(workload: Workload) -> Workload | None:
    """ELU with SELU's alpha (Klambauer 2017)."""
    case = workload.case
    if case.operator != "ELU" or workload.size not in LARGE:
        return None
    return _of_case(workload, dataclasses.replace(case, attributes={"alpha": _SELU_ALPHA}))


def with_random_slopes(workload: Workload) -> Workload | None:
    """RReLU as in training; on the smaller tensor only: the reference takes long."""
    case = workload.case
    if case.operator != "RReLU" or workload.size != LARGE[0]:
        return None
    attributes = {"training_mode": 1, "seed": 7}
    return _of_case(workload, dataclasses.replace(case, attributes=attributes))


def as_relu(workload: Workload) -> Workload | None:
    """ReLU in place of another operator of the leaky family, in chains."""
    case = workload.case
    if case.operator not in LEAKY_FAMILY or workload.nodes == 1:
        return None
    return _of_case(workload, Case("ReLU", case.dtype, [workload.x]))


def of_networks(workload: Workload) -> None:
    """Nothing: a peer that is measured on whole networks only."""


def as_column(workload: Workload) -> Workload | None:
    """X of shape (N, C, H * W, 1), which ONNX Runtime broadcasts scalars to one by one."""
    if workload.size not in (LARGE[0], "16K"):
        return None
    batch, channels = workload.x.shape[:2]
    x, *slopes = workload.case.inputs
    column = x.reshape(batch, channels, -1, 1)
    case = dataclasses.replace(workload.case, inputs=[column, *slopes])
    return dataclasses.replace(workload, case=case, y=workload.y.reshape(column.shape))


def _of_case(workload: Workload, case: Case) -> Workload:
    return dataclasses.replace(workload, case=case)
