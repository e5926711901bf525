"""Parts that the generators of cases share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.definition.specs import Spec

__all__ = ["SLOPE", "Attributes", "Generator", "draft", "with_parameter", "with_slope"]

Array = NDArray[Any]
Attributes = dict[str, float | int]
Generator = Callable[[Spec, str, bool], Iterator[Case]]
"""From an operator, an element type and whether a first look is enough to cases."""

SLOPE = 0.23
"""The parameter input where a group is not about it."""


def draft(
    spec: Spec,
    name: str,
    inputs: Sequence[Array],
    attributes: Mapping[str, float | int] | None = None,
    outputs: int = 1,
    **more: Any,
) -> Case:
    """A case of the element type that its X has, without its group.

    Args:
        spec: the operator.
        name: unique in the group.
        inputs: as the operator takes them.
        attributes: those that differ from their defaults.
        outputs: how many are asked for.
        **more: further fields of `Case`.
    """
    return Case(
        spec.name, inputs[0].dtype.name, inputs, dict(attributes or {}), outputs, "", name, **more
    )


def with_slope(spec: Spec, x: Array, slope: float = SLOPE) -> list[Array]:
    """X and, for each further input, one number of the same rank or less."""
    shape = (1,) * min(1, x.ndim)
    return [x, *(np.full(shape, slope).astype(x.dtype) for _ in spec.inputs[1:])]


def with_parameter(spec: Spec, x: Array, value: float) -> tuple[list[Array], Attributes]:
    """Inputs and attributes with which the number that scales the negative side is `value`."""
    attributes: Attributes = {item.name: value for item in spec.attributes if item.kind == "real"}
    return with_slope(spec, x, value), attributes
