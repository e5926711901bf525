"""The shortest program that shows a failure again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import find_case

__all__ = ["program"]

Array = NDArray[Any]

_MORE = ("outputs", "sizes", "bare", "within", "refused", "law", "held", "written", "blank")
"""Fields of a case that are written out where they are not what they are by default."""

_LITERAL_LIMIT = 64
"""Elements that are written out; a larger input is named instead."""

_PARTS = (1, 4, 16, _LITERAL_LIMIT)
"""Numbers of elements that may show a failure as well as all of them."""


def program(runtime: str, case: Case, worst: int | None, fails: Callable[[Case], bool]) -> str:
    """Returns a Python program that prints what is true and what the runtime computes.

    It has one element where that element alone fails too, or a few; else the whole input: written
    out where it is small, by the case's name where it is not.

    Args:
        runtime: the runtime's name.
        case: the case that failed.
        worst: flat index of the worst element, None where there is no such element.
        fails: runs a case and tells whether it fails.
    """
    chosen = next((small for small in _smaller(case, worst) if fails(small)), case)
    lines = ["import ml_dtypes"] if case.dtype == "bfloat16" else []
    lines += [
        "import numpy as np",
        "from onnx_acts.conformance import Case, find_case, runtime_of",
        *["from onnx_acts.conformance.running import results_of"] * chosen.shared,
        _definition(chosen),
        f"runtime = runtime_of({runtime!r})",
        *["runtime.run(case)"] * (chosen.runs - 1),
        f'print({_truth(chosen)}, "got:", {_asked(chosen)})',
    ]
    return "\n".join(lines)


def _asked(case: Case) -> str:
    """What the program prints of the runtime; of threads each different result."""
    if case.shared:
        return "*(outputs for _, outputs in results_of(runtime, case))"
    return "*runtime.run(case)"


def _truth(case: Case) -> str:
    """What the program prints before what the runtime computes."""
    return '"must be refused;"' if case.refused else '"exact:", *case.exact()'


def _smaller(case: Case, worst: int | None) -> Iterator[Case]:
    """The worst element alone, in one dimension; then among more and more of its neighbours.

    Some faults need neighbours: those of whole vectors, of tails. Where no element is the worst, as
    after an error, the first ones stand for all.
    """
    if case.outputs > 1 or not case.is_one_node or case.bare or case.refused:
        return  # a drawn number depends on its place, and these are about more than an element
    x, *others = case.inputs
    for count in _PARTS:
        first = (worst or 0) // count * count
        part = slice(first, min(first + count, x.size))
        if first < x.size:
            values = x.reshape(-1)[part]
            parameters = [_part(array, x, part) for array in others]
            yield Case(
                case.operator,
                case.dtype,
                [values, *parameters],
                case.attributes,
                case.outputs,
                name=case.name,
                group=case.group,  # records are about cases of some names and groups
            )


def _part(parameter: Array, x: Array, part: slice) -> Array:
    """What belongs to some elements of X, taken as one row."""
    if parameter.size == 1:
        return parameter.reshape(1)
    return np.broadcast_to(parameter, x.shape).reshape(-1)[part]


def _definition(case: Case) -> str:
    """The line that makes the case."""
    if sum(array.size for array in case.inputs) > _LITERAL_LIMIT:
        named = _named(case)
        if named:
            return named
    inputs = ", ".join(_literal(array) for array in case.inputs)
    attributes = ", ".join(f"{k!r}: {_number(v)}" for k, v in case.attributes.items())
    fields = dataclasses.fields(Case)
    more = "".join(
        f", {item.name}={getattr(case, item.name)!r}"
        for item in fields
        if item.name in _MORE and getattr(case, item.name) != item.default
    )
    return f"case = Case({case.operator!r}, {case.dtype!r}, [{inputs}], {{{attributes}}}{more})"


def _named(case: Case) -> str:
    """The line that finds this very case in the full set or, thinned out, in the quick one."""
    where = (case.operator, case.dtype, case.group, case.name)
    for quick in (False, True):
        if _is_found(case, quick):
            more = ", quick=True" if quick else ""
            return f"case = find_case({', '.join(map(repr, where))}{more})"
    return ""


def _is_found(case: Case, quick: bool) -> bool:
    try:
        found = find_case(case.operator, case.dtype, case.group, case.name, quick=quick)
    except ValueError:
        return False
    pairs = zip(found.inputs, case.inputs, strict=True)
    return all(a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)


def _literal(array: Array) -> str:
    """An array as Python text; every element type's values are Python floats.

    Those among which is a NaN of other bits than Python's are written as bits.
    """
    kind = "ml_dtypes.bfloat16" if array.dtype.name == "bfloat16" else f"np.{array.dtype.name}"
    shape = "" if array.ndim == 1 else f".reshape({array.shape})"
    flat = array.reshape(-1)
    if _has_odd_nan(flat):
        bits = np.dtype(f"u{array.dtype.itemsize}")
        values = ", ".join(f"{value:#x}" for value in np.ascontiguousarray(flat).view(bits))
        return f"np.array([{values}], np.{bits.name}).view({kind}){shape}"
    values = ", ".join(_number(float(value)) for value in flat)
    return f"np.array([{values}], {kind}){shape}"


def _has_odd_nan(array: Array) -> bool:
    """Whether a NaN has other bits than Python's."""
    if array.dtype.kind in "iu":
        return False
    nans = array[np.isnan(array)]
    return nans.tobytes() != np.full(nans.shape, np.nan).astype(array.dtype).tobytes()


def _number(value: float | int) -> str:
    return repr(value) if np.isfinite(value) else f"np.float64({str(value)!r})"
