"""What arithmetic makes of a parameter that is infinite or NaN, or so when it is rounded.

Nothing else is explained by such a parameter: a wrong kernel must not hide behind it.

- Where x < 0 the result is the parameter times what it scales, so an infinity of that sign, or NaN.
- Zero times infinity is NaN: at x = 0; where exp(x) - 1 cancels; and where x > 0 in forms that add
  both sides.
- Some take the largest number for an infinity.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import limits_of
from onnx_acts.conformance.elements import Elements

__all__ = ["with_odd_parameter"]

Mask = NDArray[np.bool_]

_CANCELLED = 4
"""Units beside 1 below which exp(x) - 1 may be zero; 1 was seen, of MNN."""

_ROUNDINGS = 8
"""Units of the narrower type by which a product with the largest number may be off."""


def with_odd_parameter(elements: Elements) -> Mask:
    """The results that such a parameter explains.

    Args:
        elements: of a result; those whose parameter is finite when rounded are not looked at.
    """
    parameter, got = elements.rounded_parameter(), elements.got
    is_zero = _may_be_zero(elements) | (elements.x >= 0)
    is_nan = np.isnan(got) & (is_zero | np.isnan(parameter))
    product = np.where(elements.x < 0, parameter * elements.scaled, np.nan)
    is_infinite = np.isinf(got) & (got == product)
    return np.asarray(is_nan | is_infinite | _clipped(elements, parameter))


def _may_be_zero(elements: Elements) -> Mask:
    """Where what is scaled may be 0: x is subnormal, or a curve is computed with cancellation."""
    limits: Any = limits_of(elements.narrow)
    flushed = np.abs(elements.x) < float(limits.smallest_normal)
    cancelled = np.abs(elements.scaled) <= _CANCELLED * float(limits.eps)
    return np.asarray(flushed if elements.is_product else flushed | cancelled)


def _clipped(elements: Elements, parameter: Any) -> Mask:
    """The largest number in place of an infinity: of the factor of x, or of the result."""
    limits: Any = limits_of(elements.narrow)
    top, x, got = float(limits.max), elements.x, elements.got
    factor = np.copysign(top if elements.is_product else np.inf, parameter)
    wanted = np.clip(factor * elements.scaled, -top, top)
    close = np.abs(got - wanted) <= _ROUNDINGS * float(limits.eps) * np.abs(wanted)
    same_sign = np.signbit(got) == np.signbit(wanted)
    return np.asarray(np.isinf(parameter) & (x <= 0) & close & same_sign)
