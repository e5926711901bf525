"""Parameter tensors with odd values, in every layout that a kernel may treat apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.dtypes import numpy_type
from onnx_acts.conformance.values import parameter_values, random_values, special_values
from onnx_acts.definition import reference

__all__ = ["odd_slopes"]

Array = NDArray[Any]


def odd_slopes(dtype: str) -> Iterator[tuple[str, list[Array]]]:
    """Yields names and the inputs X and slope.

    Slopes of each kind on the last axis; then all but -0 together: one for each plane, one for each
    element, and single ones without dimensions. Last, slopes that do not lie in memory as fresh
    ones would.
    """
    x = special_values(dtype)
    for name, slope in _by_kind(dtype).items():
        yield f"slope values: {name}", [np.repeat(x[:, None], slope.size, axis=1), slope]
    values = np.concatenate([v for name, v in _by_kind(dtype).items() if name != "negative zero"])
    rows = np.resize(x, 5 * x.size)  # longer than a pattern that is laid out as a whole
    planes = np.ascontiguousarray(np.broadcast_to(rows, (1, values.size, rows.size)))
    yield "slope values of planes", [planes, values[:, None]]
    whole = np.ascontiguousarray(np.broadcast_to(values[:, None], planes.shape[1:]))
    yield "slope values of elements", [planes[0], whole]
    for value in (0.0, 1.0, np.inf, np.nan):
        yield f"slope {value:g} without dimensions", [x, np.array(value).astype(x.dtype)]
    yield from _in_memory(dtype)


def _in_memory(dtype: str) -> Iterator[tuple[str, list[Array]]]:
    """A slope whose strides are its own, and one that is X itself."""
    x = random_values(dtype, (3, 7, 5), 41)
    slope = 1 + np.abs(np.random.default_rng(42).standard_normal((5, 7))).astype(x.dtype)
    yield "slope transposed in memory", [x, slope.T]
    yield "slope backwards in memory", [x, slope[::-1, 0]]
    own = -1 - np.abs(np.random.default_rng(43).standard_normal((9, 11))).astype(x.dtype)
    yield "X is the slope, too", [own, own]


def _by_kind(dtype: str) -> dict[str, Array]:
    """Parameter values by kind, in the element type."""
    values = reference.rounded(list(parameter_values().values()), numpy_type(dtype))
    finite = np.isfinite(values) & (values != 0)
    negative = np.signbit(values)
    return {
        "positive": values[finite & ~negative],
        "negative": values[finite & negative],
        "zero": np.zeros(1, values.dtype),
        "negative zero": -np.zeros(1, values.dtype),
        "infinite": values[np.isinf(values)],
        "NaN": values[np.isnan(values)],
    }
