"""Every type of the operators that have no sweep of their own, against `onnx_acts.reference`.

What to try comes from the table: the default of the parameter and those of `Spec.samples`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import numpy_type
from onnx_acts.conformance.compare import ulp_error
from onnx_acts.definition import reference
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec
from tests.native.accuracy import float64
from tests.native.accuracy.applying import apply

Array = NDArray[Any]

OWN_SWEEPS = ("ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU")
"""Operators whose oracles are written by hand, finer and faster: see `measuring.measure`."""
_CHUNK = 1 << 22
_FIRST_NEGATIVE, _LAST_NEGATIVE = 0x80000000, 0xFF800000


def others() -> list[Spec]:
    """The operators that this module sweeps: those of at most one real attribute."""
    return [
        spec
        for spec in SPECS
        if spec.name not in OWN_SWEEPS and len(spec.attributes) < 2 and len(spec.inputs) == 1
    ]


def parameters(spec: Spec) -> list[dict[str, float]]:
    """Values of the attributes to try."""
    defaults = {item.name: float(item.default) for item in spec.attributes}
    found = [defaults, *({**defaults, **sample} for sample in spec.samples)]
    return [values for i, values in enumerate(found) if values not in found[:i]]


def sweep(
    program: Path, levels: str, spec: Spec, stride: int, float64_inputs: int
) -> Iterator[dict[str, Any]]:
    """The records of one operator: the largest errors."""
    for dtype in ELEMENT_TYPES:
        for values in parameters(spec):
            yield _record(
                program, levels, spec, dtype, values, _inputs(dtype, stride, float64_inputs)
            )


def _inputs(dtype: str, stride: int, float64_inputs: int) -> Iterator[Array]:
    """All numbers of 16 bits, one of `stride` negative float32, strata of float64; in pieces."""
    if dtype == "float64":
        yield float64.inputs(float64_inputs)
    elif dtype == "float32":
        step = _CHUNK * stride
        for first in range(_FIRST_NEGATIVE, _LAST_NEGATIVE + 1, step):
            last = min(first + step, _LAST_NEGATIVE + 1)
            yield np.arange(first, last, stride, dtype=np.uint32).view(np.float32)
    else:
        yield np.arange(2**16, dtype=np.uint16).view(numpy_type(dtype))


def _record(
    program: Path,
    levels: str,
    spec: Spec,
    dtype: str,
    values: dict[str, float],
    pieces: Iterator[Array],
) -> dict[str, Any]:
    parameter = next(iter(values.values()), 0.0)
    count = wrong = 0
    worst, at = -1.0, 0.0
    for x in pieces:
        y, unlike = apply(program, levels, spec.name, parameter, x)
        with np.errstate(all="ignore"):
            (exact, *_) = reference.exact(spec, [x], values)
            errors = ulp_error(y, exact)
        signs = ~np.isnan(exact) & (np.signbit(y) != np.signbit(exact))
        wrong += unlike + int((np.isnan(y) != np.isnan(exact)).sum()) + int(signs.sum())
        count += x.size
        place = int(np.argmax(errors))
        if errors[place] > worst:
            worst, at = float(errors[place]), float(x[place])
    return {
        "op": spec.name,
        "dtype": dtype,
        "parameter": ", ".join(f"{value:g}" for value in values.values()),
        "inputs": count,
        "oracle": "the reference in a wider type",
        "level": levels,
        "wrong": wrong,
        "worst": worst,
        "at": repr(at),
    }
