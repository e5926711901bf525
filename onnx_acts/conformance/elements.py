"""Elements of a result, with all that decides whether a known difference explains them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.dtypes import limits_of
from onnx_acts.definition import reference

__all__ = ["Elements", "rounded_parameter"]

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Elements:
    """One output, element by element, in the type of the exact values.

    Attributes:
        x: the input.
        parameter: the slope or alpha of each element, as the definition takes it.
        exact: the true values.
        got: what the runtime computed.
        dtype: the element type.
        scaled: what the parameter scales where x < 0: x itself, or a curve of it. It is told where
            the parameter is infinite or NaN, or so when rounded; elsewhere it is 0.
        is_product: whether that is x itself.
        given: the parameter as it is written down, before the definition rounds it.
    """

    x: Array
    parameter: Array
    exact: Array
    got: Array
    dtype: np.dtype[Any]
    scaled: Array
    is_product: bool
    given: Array

    @property
    def limits(self) -> Any:
        """The limits of the element type."""
        return limits_of(self.dtype)

    @property
    def narrow(self) -> np.dtype[Any]:
        """What a parameter may be rounded to: of float64 to float32, as 32-bit attributes are."""
        return np.dtype(np.float32) if self.dtype == np.float64 else self.dtype

    def rounded_parameter(self) -> Array:
        """The parameter, rounded to that type."""
        return rounded_parameter(self.parameter, self.dtype)


def rounded_parameter(parameter: Array, dtype: np.dtype[Any]) -> Array:
    """The parameter in the element type; of float64 in float32, where attributes have 32 bits."""
    narrow = np.dtype(np.float32) if dtype == np.float64 else dtype
    with np.errstate(all="ignore"):
        return np.asarray(reference.rounded(parameter, narrow).astype(parameter.dtype))
