"""What other projects' runtimes are known to do to single elements, by kind.

Their differences are of a few kinds, which show in most cases, and in a part of their elements: so
a record names the kind, and the kind says which elements it explains. A case differs "as known"
when each element that breaks the promise is explained by a record. A record is strict: where it had
something to explain and never did, the run says so and fails.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import compare, ulp
from onnx_acts.conformance.known_differences import version_tuple
from onnx_acts.conformance.runtimes.adapters.call import standard_call
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS

__all__ = ["KINDS", "Elements", "Kind", "Quirk", "QuirkLedger"]

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Elements:
    """One output, element by element, in the type of the exact values.

    Attributes:
        x: the input.
        parameter: the slope or alpha of each element, as the definition takes it.
        exact: the true values.
        got: what the runtime computed.
        dtype: the element type.
    """

    x: Array
    parameter: Array
    exact: Array
    got: Array
    dtype: np.dtype[Any]

    @property
    def limits(self) -> Any:
        """The limits of the element type."""
        return limits_of(self.dtype)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of difference.

    Attributes:
        reason: what happens, for people.
        where: the elements at which it can show, whatever was computed.
        explains: the results that it explains.
    """

    reason: str
    where: Callable[[Elements], Mask]
    explains: Callable[[Elements], Mask]


@dataclasses.dataclass(frozen=True)
class Quirk:
    """A kind of difference that a runtime has.

    Attributes:
        runtime: its name.
        kind: the name of the kind, of `KINDS`.
        operators: those that it concerns, by the names of the standard operators.
        seen: the version and the date of the observation.
        dtypes: the element types that it concerns.
        since: the first version of the runtime's package that has it.
        until: the last one; None while there is no fix.
    """

    runtime: str
    kind: str
    operators: tuple[str, ...]
    seen: str
    dtypes: tuple[str, ...] = ELEMENT_TYPES
    since: str = "0"
    until: str | None = None

    def applies(self, runtime: str, version: str, case: Case) -> bool:
        """Whether it is about this case on this version of the runtime."""
        here = version_tuple(version)
        return (
            runtime == self.runtime
            and case.spec.standard_name in self.operators
            and case.dtype in self.dtypes
            and version_tuple(self.since) <= here
            and (self.until is None or here <= version_tuple(self.until))
        )


class QuirkLedger:
    """Explains results by records, and keeps account of those that never explain anything."""

    def __init__(self, records: Sequence[Quirk]) -> None:
        self._records = records
        self._shown: dict[tuple[int, str, str], bool] = {}

    def add(self, other: QuirkLedger) -> None:
        """Takes over what another ledger of the same records has noted."""
        for key, shown in other._shown.items():
            self._shown[key] = self._shown.get(key, False) or shown

    def explain(
        self, runtime: str, version: str, case: Case, outputs: Sequence[Array], promise: float
    ) -> list[str]:
        """The reasons, with when they were seen, if they explain every element that differs."""
        found = [
            (number, record)
            for number, record in enumerate(self._records)
            if record.applies(runtime, version, case)
        ]
        if not found or len(outputs) != 1:
            return []
        exact = case.exact()[0]
        if outputs[0].shape != exact.shape or outputs[0].dtype != numpy_type(case.dtype):
            return []
        return self._explained(found, _elements(case, outputs[0], exact), promise, case)

    def _explained(
        self, found: Sequence[tuple[int, Quirk]], elements: Elements, promise: float, case: Case
    ) -> list[str]:
        right = reference.rounded(elements.exact, elements.dtype)
        got = elements.got.astype(elements.dtype)
        differs = _differing(got, elements, promise)
        reasons, left = [], differs
        for number, record in found:
            kind = KINDS[record.kind]
            with np.errstate(all="ignore"):
                explained = differs & kind.where(elements) & kind.explains(elements)
                able = bool(kind.where(elements).any())
            key = (number, case.spec.standard_name, case.dtype)
            if able:
                self._shown[key] = self._shown.get(key, False) or bool(explained.any())
            if (left & explained).any():
                reasons.append(f"{kind.reason} ({record.seen})")
                left = left & ~explained
        mended = np.where(differs & ~left, right, got)
        ok = compare(mended, elements.exact, elements.dtype, promise).ok
        return reasons if ok else []

    def stale(self) -> list[str]:
        """One sentence for each record, operator and type that explains nothing any more."""
        return [
            f"{self._records[number].runtime}, {operator} {dtype}: no longer differs: remove the"
            f" record ({KINDS[self._records[number].kind].reason})"
            for (number, operator, dtype), shown in self._shown.items()
            if not shown
        ]


def _elements(case: Case, got: Array, exact: Array) -> Elements:
    """A case's elements, with the parameter as the definition rounds it."""
    call = standard_call(case.operator, case.inputs, case.values)
    x = call.x.astype(exact.dtype)
    if call.slope is not None:
        parameter = np.broadcast_to(call.slope.astype(exact.dtype), x.shape)
    else:
        with np.errstate(over="ignore"):
            compute = np.float64(call.alpha) if case.dtype == "float64" else np.float32(call.alpha)
        parameter = np.full(x.shape, compute, exact.dtype)
    return Elements(x, parameter, exact, got.astype(exact.dtype), got.dtype)


def _differing(got: Array, elements: Elements, promise: float) -> Mask:
    """The elements that break the promise, one by one."""
    exact = elements.exact
    with np.errstate(all="ignore"):
        unit = ulp(np.where(np.isfinite(exact), exact, 0), elements.dtype)
        off = np.abs(elements.got - exact) > promise * unit
        right = reference.rounded(exact, elements.dtype).astype(exact.dtype)
        if promise <= 0.5:
            off = elements.got != right
        both_nan = np.isnan(exact) & np.isnan(elements.got)
        signs = np.signbit(exact) != np.signbit(elements.got)
        lost = (np.isnan(exact) != np.isnan(elements.got)) | (
            np.isinf(exact) & ~np.isinf(elements.got)
        )
        zero = (exact == 0) & (elements.got != 0)
    return np.asarray(~both_nan & (off | signs | lost | zero))


def _everywhere(elements: Elements) -> Mask:
    return np.ones(elements.x.shape, np.bool_)


def _subnormal(elements: Elements) -> Mask:
    tiny = float(elements.limits.smallest_normal)
    parts = (elements.x, elements.parameter, elements.exact)
    return np.asarray(np.any([(part != 0) & (np.abs(part) < tiny) for part in parts], axis=0))


def _zero(elements: Elements) -> Mask:
    return np.asarray(elements.exact == 0)


def _zero_sign_lost(elements: Elements) -> Mask:
    return np.asarray(elements.got == 0)


def _negative(elements: Elements) -> Mask:
    return np.asarray(elements.x < 0)


def _cancelled(elements: Elements) -> Mask:
    """exp(x) - 1 in the element type, or in float32 where the type has 16 bits."""
    error = np.abs(elements.got - elements.exact)
    return np.asarray(error <= 2.0 * float(elements.limits.eps) * np.abs(elements.parameter))


def _nan(elements: Elements) -> Mask:
    return np.asarray(np.isnan(elements.exact))


def _is_number(elements: Elements) -> Mask:
    return np.asarray(~np.isnan(elements.got))


def _is_nan(elements: Elements) -> Mask:
    return np.asarray(np.isnan(elements.got))


def _infinite(elements: Elements) -> Mask:
    return np.asarray(np.isinf(elements.x))


def _odd_parameter(elements: Elements) -> Mask:
    return np.asarray(~np.isfinite(elements.parameter))


def _zero_times(elements: Elements) -> Mask:
    return np.asarray(elements.x == 0)


def _product_at_zero(elements: Elements) -> Mask:
    wanted = elements.x * elements.parameter
    same = np.where(np.isnan(wanted), np.isnan(elements.got), elements.got == wanted)
    return np.asarray(same)


def _not_single(elements: Elements) -> Mask:
    return np.asarray(elements.exact != elements.exact.astype(np.float32))


def _single(elements: Elements) -> Mask:
    """Within the error of float32, or out of its range."""
    bound = np.finfo(np.float32)
    exact = np.clip(elements.exact, -float(bound.max), float(bound.max))
    got = np.clip(elements.got, -float(bound.max), float(bound.max))
    close = np.abs(got - exact) <= 8 * float(bound.eps) * np.abs(exact) + float(bound.tiny)
    return np.asarray(close)


def _rounded_parameter(elements: Elements) -> Array:
    return reference.rounded(elements.parameter, elements.dtype).astype(elements.exact.dtype)


def _parameter_is_rounded(elements: Elements) -> Mask:
    return np.asarray((elements.x < 0) & (_rounded_parameter(elements) != elements.parameter))


def _with_rounded_parameter(elements: Elements) -> Mask:
    rounded = _rounded_parameter(elements)
    scaled = elements.exact / elements.parameter * rounded
    unit = ulp(np.where(np.isfinite(scaled), scaled, 0), elements.dtype)
    close = np.abs(elements.got - scaled) <= 2.5 * unit
    same = (np.isnan(scaled) & np.isnan(elements.got)) | (scaled == elements.got)
    return np.asarray(close | same | ~np.isfinite(rounded))


KINDS: Mapping[str, Kind] = types.MappingProxyType(
    {
        "subnormal": Kind(
            "it takes subnormal numbers, or gives them, as zeros", _subnormal, _everywhere
        ),
        "zero sign": Kind("it loses the sign of zero", _zero, _zero_sign_lost),
        "exp - 1": Kind("it computes exp(x) - 1, which cancels near zero", _negative, _cancelled),
        "NaN": Kind("it makes a number of NaN", _nan, _is_number),
        "infinite x": Kind("it makes NaN, or a number, of infinity", _infinite, _everywhere),
        "odd parameter": Kind(
            "it takes a parameter that is infinite or NaN otherwise", _odd_parameter, _everywhere
        ),
        "product at 0": Kind(
            "it multiplies where x <= 0 rather than x < 0", _zero_times, _product_at_zero
        ),
        "float32": Kind("it computes float64 in float32", _not_single, _single),
        "rounded parameter": Kind(
            "it rounds the parameter to the element type first",
            _parameter_is_rounded,
            _with_rounded_parameter,
        ),
    }
)
"""By the names that records have."""

STANDARD_NAMES = tuple(dict.fromkeys(spec.standard_name for spec in SPECS if spec.standard))
