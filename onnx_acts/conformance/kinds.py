"""Kinds of differences between runtimes: where each can show, and which results it explains."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.compare import ulp
from onnx_acts.conformance.decimal_parameters import read_from_text, with_parameter_from_text
from onnx_acts.conformance.elements import Elements
from onnx_acts.conformance.odd_parameters import with_odd_parameter

__all__ = ["KINDS", "Kind"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of difference.

    Attributes:
        reason: what happens, for people.
        where: the elements at which it can show, whatever was computed.
        explains: the results that it explains.
        always: whether it shows at each of those elements, so that one that is right makes a
            record stale.
    """

    reason: str
    where: Callable[[Elements], Mask]
    explains: Callable[[Elements], Mask]
    always: bool = False


def _subnormal(elements: Elements) -> Mask:
    """A parameter may be one of float32, in which some take it even for float64."""
    tiny, single = float(elements.limits.smallest_normal), float(np.finfo(np.float32).tiny)
    limits = ((elements.x, tiny), (elements.parameter, max(tiny, single)), (elements.exact, tiny))
    # A parameter that is rounded can bring a result down to the limit.
    found = [(part != 0) & (np.abs(part) < 1.01 * limit) for part, limit in limits]
    return np.asarray(np.any(found, axis=0))


def _flushed(elements: Elements) -> Mask:
    """Zero, what is true to a few units, or what zeros in place of subnormal numbers would give."""
    exact, got = elements.exact, elements.got
    finite = np.isfinite(exact)
    close = np.abs(got - exact) <= 4 * ulp(np.where(finite, exact, 0), elements.dtype)
    # Zero times infinity; and infinity times what was subnormal is as large as the rest.
    is_odd = ~np.isfinite(elements.parameter) | ~np.isfinite(elements.x)
    # x < 0 is false for a subnormal x that is taken as zero: then x itself comes back.
    is_x = (got == elements.x) & (np.abs(got) < float(elements.limits.smallest_normal))
    return np.asarray((got == 0) | is_x | (finite & close) | (is_odd & np.isnan(got)))


def _zero(elements: Elements) -> Mask:
    return np.asarray(elements.exact == 0)


def _zero_sign_lost(elements: Elements) -> Mask:
    return np.asarray(elements.got == 0)


def _negative(elements: Elements) -> Mask:
    return np.asarray(elements.x < 0)


def _cancelled(elements: Elements) -> Mask:
    """exp(x) - 1 in the element type."""
    return _cancelled_by(elements, float(elements.limits.eps))


def _cancelled_by(elements: Elements, eps: float) -> Mask:
    """Within a few roundings of numbers beside 1, times the parameter; an infinite one times 0."""
    error = np.abs(elements.got - elements.exact)
    bound = 2.5 * eps * np.abs(elements.parameter)  # 2.13 were seen, of MNN
    close = np.isfinite(bound) & (error <= bound)
    is_zero = (elements.x < 0) & (elements.x >= -eps) & np.isinf(elements.parameter)
    return np.asarray(close | (is_zero & np.isnan(elements.got)))


def _scaled(elements: Elements) -> Mask:
    alpha = elements.parameter
    return np.asarray((elements.x < 0) & np.isfinite(alpha) & (alpha != 0) & (np.abs(alpha) != 1))


def _rounded_before(elements: Elements) -> Mask:
    """Within 2 units of what is multiplied, times the parameter, and the product's rounding."""
    factor = elements.exact / elements.parameter
    units = 2 * ulp(factor, elements.dtype) * np.abs(elements.parameter)
    finite = np.isfinite(elements.exact)
    last = ulp(np.where(finite, elements.exact, 0), elements.dtype) / 2
    return np.asarray(finite & (np.abs(elements.got - elements.exact) <= units + last))


def _nan(elements: Elements) -> Mask:
    return np.asarray(np.isnan(elements.exact))


def _number_for_nan(elements: Elements) -> Mask:
    """Zero; of a curve that levels off, its end; of a product that is NaN, x itself."""
    got = elements.got
    end = np.zeros_like(got) if elements.is_product else -elements.parameter
    return np.asarray((got == 0) | (got == end) | (got == elements.x))


def _is_nan(elements: Elements) -> Mask:
    return np.asarray(np.isnan(elements.got))


def _infinite(elements: Elements) -> Mask:
    return np.asarray(np.isinf(elements.x))


def _no_infinity(elements: Elements) -> Mask:
    """NaN; what is true, to the error of a series; or a result of the largest number."""
    exact, got = elements.exact, elements.got
    close = np.abs(got - exact) <= 1e-3 * np.abs(exact)
    largest = [float(elements.limits.max), float(np.finfo(np.float32).max)]
    # It may be x that is cut off, or the result.
    sizes = [np.abs(got), np.abs(got) / np.where(elements.x < 0, np.abs(elements.parameter), 1)]
    clipped = np.any([np.abs(s / top - 1) < 0.01 for s in sizes for top in largest], axis=0)
    return np.asarray(np.isnan(got) | (np.isfinite(exact) & close) | clipped)


def _odd_parameter(elements: Elements) -> Mask:
    return np.asarray(~np.isfinite(elements.rounded_parameter()))


def _zero_times(elements: Elements) -> Mask:
    return np.asarray(elements.x == 0)


def _product_at_zero(elements: Elements) -> Mask:
    wanted = elements.x * elements.parameter
    same = np.where(np.isnan(wanted), np.isnan(elements.got), elements.got == wanted)
    return np.asarray(same)


def _zero_of_negative_zero(elements: Elements) -> Mask:
    """A parameter of -0 makes 0 of a negative number."""
    is_negative_zero = (elements.parameter == 0) & np.signbit(elements.parameter)
    return np.asarray(is_negative_zero & (elements.x < 0) & (elements.exact == 0))


def _negative_zero(elements: Elements) -> Mask:
    return np.asarray((elements.got == 0) & np.signbit(elements.got))


def _not_single(elements: Elements) -> Mask:
    return np.asarray(elements.exact != elements.exact.astype(np.float32))


def _single(elements: Elements) -> Mask:
    """Within the error of float32; where that is too small, infinite or its largest number."""
    bound = np.finfo(np.float32)
    top, got = float(bound.max), elements.got
    # What is out of range may be cut off: x, the parameter and the result.
    x, parameter = (
        np.clip(part, -top, top).astype(np.float32).astype(got.dtype)
        for part in (elements.x, elements.parameter)
    )
    product = np.where(x < 0, parameter * x, x) if elements.is_product else elements.exact
    ends = [elements.exact, np.clip(product, -top, top)]
    error = [np.abs(got - end) - 8 * float(bound.eps) * np.abs(end) for end in ends]
    close = np.any([part <= float(bound.tiny) for part in error], axis=0)
    beyond = np.maximum(np.abs(elements.exact), np.abs(elements.x)) > top
    return np.asarray(close | (beyond & np.isinf(got) & (got * elements.exact > 0)))


def _cancelled_single(elements: Elements) -> Mask:
    """exp(x) - 1 in float32."""
    return _cancelled_by(elements, float(np.finfo(np.float32).eps))


def _parameter_is_rounded(elements: Elements) -> Mask:
    return np.asarray((elements.x < 0) & (elements.rounded_parameter() != elements.parameter))


def _with_rounded_parameter(elements: Elements) -> Mask:
    rounded = elements.rounded_parameter()
    scaled = elements.exact / elements.parameter * rounded
    unit = ulp(np.where(np.isfinite(scaled), scaled, 0), elements.dtype)
    close = np.abs(elements.got - scaled) <= 2.5 * unit
    same = (np.isnan(scaled) & np.isnan(elements.got)) | (scaled == elements.got)
    return np.asarray(close | same)


KINDS: Mapping[str, Kind] = types.MappingProxyType(
    {
        "subnormal": Kind(
            "it takes subnormal numbers, or gives them, as zeros", _subnormal, _flushed
        ),
        "zero sign": Kind("it loses the sign of zero", _zero, _zero_sign_lost),
        "exp - 1": Kind("it computes exp(x) - 1, which cancels near zero", _negative, _cancelled),
        "exp - 1 in float32": Kind(
            "it computes exp(x) - 1 in float32, which cancels near zero",
            _negative,
            _cancelled_single,
        ),
        "rounded product": Kind(
            "it rounds exp(x) - 1 before it multiplies by the parameter", _scaled, _rounded_before
        ),
        "NaN": Kind("it makes a number of NaN", _nan, _number_for_nan),
        "infinite x": Kind("it makes NaN, or a number, of infinity", _infinite, _no_infinity),
        "odd parameter": Kind(
            "it takes a parameter otherwise that is infinite or NaN, or so when rounded",
            _odd_parameter,
            with_odd_parameter,
        ),
        "product at 0": Kind(
            "it multiplies where x <= 0 rather than x < 0", _zero_times, _product_at_zero
        ),
        "parameter -0": Kind(
            "it takes a parameter of -0 as 0", _zero_of_negative_zero, _negative_zero, always=True
        ),
        "float32": Kind("it computes float64 in float32", _not_single, _single),
        "rounded parameter": Kind(
            "it rounds the parameter first, to the element type or to 32 bits",
            _parameter_is_rounded,
            _with_rounded_parameter,
        ),
        "parameter from text": Kind(
            "it reads the parameter from decimal text: one midway between two numbers of 32 bits"
            " becomes that on the side of its text",
            read_from_text,
            with_parameter_from_text,
        ),
    }
)
"""By the names that records have."""
