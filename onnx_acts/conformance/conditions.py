"""Where a known difference shows: conditions on the elements of a case."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case

__all__ = ["CONDITIONS", "meets"]

Array = NDArray[Any]

CONDITIONS: dict[str, Callable[[Array, Array], Array]] = {
    "": lambda x, factor: np.ones(x.shape, bool),
    "x < 0": lambda x, factor: x < 0,
    "x = 0": lambda x, factor: x == 0,
    "x = -0": lambda x, factor: (x == 0) & np.signbit(x),
    "x = 0 times the factor is not x": lambda x, factor: (
        (x == 0) & (np.isnan(factor * x) | (np.signbit(factor * x) != np.signbit(x)))
    ),
    "x is NaN": lambda x, factor: np.isnan(x),
    "x is infinite": lambda x, factor: np.isinf(x),
    "x = -inf": lambda x, factor: np.isneginf(x),
    "exp(x) is 1": lambda x, factor: (
        (x < 0) & (x > -np.finfo(np.float32).epsneg / 4) & ~np.isnan(factor)
    ),
}
"""By name: which elements differ for sure, from X and from what scales its negative side, both in
float64. The last one is about float32."""


def meets(condition: str, case: Case) -> bool:
    """Whether a case has an element of that kind.

    Raises:
        ValueError: there is no such condition.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"there is no condition {condition!r}; there are {', '.join(CONDITIONS)}")
    with np.errstate(all="ignore"):
        x = case.inputs[0].astype(np.float64)
        return bool(CONDITIONS[condition](x, _factor(case)).any())


def _factor(case: Case) -> Array:
    """The number that scales the negative side; of two bounds their mean."""
    if case.spec.parameter_source == "input":
        return case.inputs[-1].astype(np.float64)
    values = case.real_values or [1.0]
    return np.asarray(functools.reduce(operator.add, values) / len(values))  # of -0 it is -0
