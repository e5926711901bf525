"""Which elements of a result known differences explain, one by one.

A record says what kind of fault it is about. A case is excused when each element that breaks the
promise is one that a record explains: the same runtime may have another fault in the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import Comparison, broken
from onnx_acts.conformance.elements import Elements, rounded_parameter
from onnx_acts.conformance.kinds import KINDS
from onnx_acts.conformance.own_draws import drawn_at_zero, judge_own_draws
from onnx_acts.conformance.runtimes.adapters.call import standard_call
from onnx_acts.conformance.seeds import SEED_BITS
from onnx_acts.definition import reference
from onnx_acts.definition.specs import Difference

__all__ = ["DRAWN_AT_ZERO", "REFUSAL", "TOO_LARGE", "elements_of", "explaining"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]

REFUSAL = "refusal"
"""What a record explains that is about errors: no output at all, where the runtime raised."""

DRAWN_AT_ZERO = "drawn at 0"
"""What a record explains that is about random draws: slopes are drawn for zeros, too."""

TOO_LARGE = "too large"
"""What a record explains that is about 8 bits: 0 stands for what no integer of 32 bits can hold."""


def explaining(
    records: Sequence[Difference], case: Case, outcome: Comparison, promise: float
) -> list[Difference]:
    """The records that together explain all that is wrong with a result; none if something is left.

    Args:
        records: those that are about the case on this runtime.
        case: what was computed.
        outcome: the verdict, with the outputs.
        promise: the largest error allowed, in ULP.
    """
    about = REFUSAL if outcome.raised else outcome.about
    whole = [one for one in records if not one.explains or one.explains == about]
    if whole or about:
        return whole
    if case.spec.is_quantized:
        return _explaining_steps(records, case, outcome)
    if case.spec.standard is None:
        return []
    if case.training:
        return _explaining_draws(records, case, outcome)
    return _explaining_elements(records, case, outcome, promise)


def _explaining_elements(
    records: Sequence[Difference], case: Case, outcome: Comparison, promise: float
) -> list[Difference]:
    """The records of kinds that together explain every element that breaks the promise."""
    exact = case.exact()
    kinds = [(case.type_of(true), true.shape) for true in exact]
    if [(one.dtype, one.shape) for one in outcome.outputs] != kinds:
        return []
    used: list[Difference] = []
    for got, true, place in zip(outcome.outputs, exact, _places(case, exact), strict=True):
        if place is None:
            if not np.array_equal(got, true):
                return []
            continue
        with np.errstate(all="ignore"):
            left = broken(got, true, promise, case.is_certain)
            elements = _elements(case, got, true, *place)
            for record in records:
                explained = left & _mask(record.explains, elements)
                used += [record] if explained.any() and record not in used else []
                left = left & ~explained
        if left.any():
            return []
    return used


def _explaining_steps(
    records: Sequence[Difference], case: Case, outcome: Comparison
) -> list[Difference]:
    """The record of what is too large, if every element that differs is so, or is NaN."""
    found = [one for one in records if one.explains == TOO_LARGE]
    (true,) = case.exact()
    if [(one.dtype, one.shape) for one in outcome.outputs] != [(case.type_of(true), true.shape)]:
        return []
    (got,) = outcome.outputs
    with np.errstate(all="ignore"):
        x, x_scale, x_zero, y_scale, _, *slopes = (one.astype(np.float64) for one in case.inputs)
        real = (x - x_zero) * x_scale
        # ONNX's PRelu multiplies zeros, too: with an infinite slope they are NaN.
        steps = np.where(real <= 0, slopes[0] * real, real) / y_scale if slopes else real / y_scale
    is_lost = ~(np.abs(steps) < 2.0**31) & (got == 0)
    return found if ((got == true) | is_lost).all() else []


def _explaining_draws(
    records: Sequence[Difference], case: Case, outcome: Comparison
) -> list[Difference]:
    """The record that zeros have draws, if the law is kept apart from that."""
    found = [one for one in records if one.explains == DRAWN_AT_ZERO]
    if not found or len(outcome.outputs) != len(case.spec.outputs):
        return []
    return found if judge_own_draws(drawn_at_zero(outcome.outputs, case), case).ok else []


def _mask(kind: str, elements: Elements) -> Mask:
    if kind in (REFUSAL, DRAWN_AT_ZERO, SEED_BITS):
        return np.zeros(elements.x.shape, np.bool_)
    return KINDS[kind].where(elements) & KINDS[kind].explains(elements)


def elements_of(case: Case, got: Array, exact: Array) -> Elements:
    """A case's elements, with the parameter as the definition rounds it.

    Args:
        case: a case of an operator that has a standard one.
        got: an output of the shape of X.
        exact: its true values.
    """
    return _elements(case, got, exact, *_operands(case, exact.dtype))


def _elements(
    case: Case, got: Array, exact: Array, x: Array, parameter: Array, scaled: Array, given: Array
) -> Elements:
    with np.errstate(invalid="ignore"):  # of signalling NaNs
        wide = got.astype(exact.dtype)
    return Elements(x, parameter, exact, wide, got.dtype, scaled, case.spec.is_product, given)


def _operands(case: Case, wide: np.dtype[Any]) -> tuple[Array, Array, Array, Array]:
    """X as the operator reads it; of each element the parameter, what that scales, as written."""
    x, parameter, given = _x_and_parameters(case, wide)
    kind = numpy_type(case.dtype)
    if np.isfinite(rounded_parameter(parameter, kind)).all():
        return x, parameter, np.zeros_like(x), given
    return x, parameter, _scaled(case, x), given


def _scaled(case: Case, x: Array) -> Array:
    """What the parameter scales where x < 0: the result for the largest one, divided by that.

    0 where the parameter is no mere factor (CELU's is not): that is what is left of such a curve as
    the parameter grows.
    """
    narrow = np.dtype(np.float32) if case.dtype == "float64" else numpy_type(case.dtype)
    top = float(limits_of(narrow).max)
    found, half = (_divided(case, parameter).astype(x.dtype) for parameter in (top, top / 2))
    below = x < 0  # elsewhere it scales nothing
    is_factor = np.allclose(found[below], half[below], rtol=1e-6, atol=0, equal_nan=True)
    return found if is_factor else np.zeros_like(found)


def _divided(case: Case, parameter: float) -> Array:
    """The result for a parameter, divided by it."""
    real = {item.name: parameter for item in case.spec.attributes if item.kind == "real"}
    slopes = [np.full_like(slope, parameter) for slope in case.inputs[1:]]
    changed = {**case.attributes, **real}
    with np.errstate(all="ignore"):
        arranged = case.surrounding.arrange(case.inputs[0])
        y, *_ = reference.exact(case.spec, [arranged, *slopes], changed)
        return np.asarray(y / parameter)


def _x_and_parameters(case: Case, wide: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """X as the operator reads it, and the parameter of each of its elements, also as written."""
    call = standard_call(case.operator, case.inputs, case.values)
    with np.errstate(invalid="ignore"):
        x = case.surrounding.arrange(call.x).astype(wide)
    if call.slope is not None:
        slope = np.broadcast_to(call.slope.astype(wide), x.shape)
        return x, slope, slope
    with np.errstate(over="ignore"):
        compute = np.float64(call.alpha) if case.dtype == "float64" else np.float32(call.alpha)
    return x, np.full(x.shape, compute, wide), np.full(x.shape, call.alpha, wide)


def _places(
    case: Case, exact: Sequence[Array]
) -> Sequence[tuple[Array, Array, Array, Array] | None]:
    """What belongs to each output's elements, as in `_operands`; None for sizes.

    What follows the operator only moves elements: X and the rest go to the same places.
    """
    wide = np.result_type(*(true for true in exact if not _is_size(true)), np.float64)
    parts = [case.shown([part] * case.outputs) for part in _operands(case, wide)]
    return [
        None if _is_size(true) else (x, parameter, scaled, given)
        for true, x, parameter, scaled, given in zip(exact, *parts, strict=True)
    ]


def _is_size(array: Array) -> bool:
    return bool(np.issubdtype(array.dtype, np.integer))
