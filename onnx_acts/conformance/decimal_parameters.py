"""What is computed where a parameter went through decimal text on its way to 32 bits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.compare import ulp
from onnx_acts.conformance.elements import Elements

__all__ = ["from_text", "read_from_text", "with_parameter_from_text"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@np.errstate(all="ignore")
def from_text(value: float) -> float:
    """The number of float32 nearest to the shortest decimal text of a finite float64.

    That text is a little above or below the number itself. Of a number midway between two of
    float32 it decides, where the definition takes the even one.
    """
    text = Fraction(repr(float(value)))
    near = np.float32(value)
    around = [near, *(np.nextafter(near, np.float32(end)) for end in (-np.inf, np.inf))]
    finite = [float(one) for one in around if np.isfinite(one)]
    return min(finite, key=lambda one: abs(Fraction(one) - text), default=float(near))


def read_from_text(elements: Elements) -> Mask:
    """Where that is another parameter than the definition's, and counts."""
    is_number = np.isfinite(elements.parameter)
    return np.asarray((elements.x < 0) & is_number & (_parameter(elements) != elements.parameter))


def with_parameter_from_text(elements: Elements) -> Mask:
    """The result for that parameter, to 2.5 units, or infinity where it is out of range."""
    scaled = elements.exact / elements.parameter * _parameter(elements)
    close = np.abs(elements.got - scaled) <= 2.5 * ulp(scaled, elements.dtype)
    is_beyond = np.abs(scaled) > float(elements.limits.max)
    is_infinite = np.isinf(elements.got) & (elements.got * scaled > 0)
    return np.asarray(np.isfinite(scaled) & np.where(is_beyond, is_infinite, close))


def _parameter(elements: Elements) -> Array:
    """The parameter from its text, where that can differ: rounding changed it, to a number."""
    found = elements.parameter.copy()
    differs = (elements.given != elements.parameter) & np.isfinite(elements.parameter)
    for value in np.unique(elements.given[differs & (elements.parameter != 0)]):
        found[elements.given == value] = from_text(value)
    return found
