"""Where a runtime is known to differ from `docs/semantics.md`, and how accurate the others are.

A known difference is strictly expected to fail: where one case that a record names does not differ,
the run says so and fails, so that a fix upstream shows, and no record is wider than what was seen.
The same goes for a kernel that a runtime is known not to have; any other error of a runtime is a
failure. An accuracy is no promise of those projects: it is what was measured, rounded up.

The record, `Difference`, is the operator table's, for an operator may have some of its own there.
Here stand those of the five that the project began with, which have few causes in common.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.conditions import meets
from onnx_acts.conformance.foreign_accuracy import FOREIGN_ACCURACY
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, SPECS, Difference, Spec

__all__ = [
    "KNOWN_DIFFERENCES",
    "MISSING_KERNELS",
    "MissingKernel",
    "allows",
    "applies",
    "measured_accuracy",
    "missing_kernel",
    "names",
    "version_tuple",
]


@dataclasses.dataclass(frozen=True)
class MissingKernel:
    """Standard operators that a runtime does not compute for some element types.

    Attributes:
        runtime: the runtime's name.
        standard: the standard operators, by their ONNX names.
        dtypes: the element types without a kernel.
        seen: the version and the date of the observation, or a link.
        until: the last version of the runtime's package without it; None while there is no fix.
    """

    runtime: str
    standard: tuple[str, ...]
    dtypes: tuple[str, ...]
    seen: str
    until: str | None = None


def version_tuple(version: str) -> tuple[int, ...]:
    """The numbers of a version: "2.13.0+cpu" is (2, 13, 0)."""
    numbers = re.split(r"[^\d.]", version, maxsplit=1)[0]
    return tuple(int(part) for part in numbers.split(".") if part)


def _not_after(version: str, until: str | None) -> bool:
    return until is None or version_tuple(version) <= version_tuple(until)


def names(record: Difference, runtime: str, version: str, case: Case) -> bool:
    """Whether a record demands that this case differs on this version of the runtime."""
    return applies(record, runtime, version, case) and meets(record.where, case)


def allows(record: Difference, runtime: str, version: str, case: Case) -> bool:
    """Whether a record excuses the case if it differs, without demanding it."""
    return record.loose and applies(record, runtime, version, case)


def applies(record: Difference, runtime: str, version: str, case: Case) -> bool:
    """Whether a record is about this case on this version of the runtime."""
    return (
        runtime == record.runtime
        and case.operator in record.operators
        and case.dtype in record.dtypes
        and case.group in record.groups
        and fnmatch.fnmatchcase(case.name, record.cases)
        and version_tuple(record.since) <= version_tuple(version)
        and _not_after(version, record.until)
    )


def missing_kernel(runtime: str, version: str, spec: Spec, dtype: str) -> MissingKernel | None:
    """The record that this version of a runtime has no kernel for the operator, or None."""
    for record in MISSING_KERNELS:
        here = record.runtime == runtime and _not_after(version, record.until)
        if here and spec.standard_name in record.standard and dtype in record.dtypes:
            return record
    return None


def measured_accuracy(runtime: str, operator: str, dtype: str) -> float | None:
    """The accuracy on record in ULP, None where there is no record."""
    found = [
        record.ulp
        for record in KNOWN_DIFFERENCES
        if record.ulp is not None
        and runtime == record.runtime
        and operator in record.operators
        and dtype in record.dtypes
    ]
    return max(found, default=None)


_ORT = "onnxruntime 1.31.1, 2026-11-20"
_ORT_TO_1_26 = "onnxruntime 1.17.3 to 1.26.0, 2026-11-21; not in 1.27.0"
_TORCH = "torch 2.13.0, 2026-11-20"
_SLOPED = ("LeakyReLU", "RReLU")

_WHERE = (
    "the Where of ONNX Runtime loses the sign of a zero in its second input, so a parameter of -0"
    " acts as 0"
)
_EXP = "ONNX Runtime computes exp(x) - 1, which cancels near zero: 0 for every x above -3e-8"
_INFINITE = "the PRelu of ONNX Runtime gives NaN where x is infinite"
_ZERO = (
    "PyTorch multiplies where x <= 0 rather than x < 0: at x = 0 a negative parameter flips the"
    " sign of zero, and an infinite or NaN parameter gives NaN"
)
_OVERFLOW = "PyTorch refuses a parameter that overflows in float32"
_TWICE = "computed in float32 and rounded again to 16 bits"


def _body(operators: tuple[str, ...], group: str, cases: str) -> Difference:
    """What ONNX Runtime does to the function bodies with a parameter of -0."""
    return Difference(
        "bodies", _WHERE, _ORT, operators, groups=(group,), cases=cases, explains="zero sign"
    )


def _infinite(groups: tuple[str, ...], dtypes: tuple[str, ...]) -> Difference:
    """What its PRelu did to infinities."""
    return Difference(
        "standard",
        _INFINITE,
        _ORT_TO_1_26,
        ("PReLU",),
        dtypes,
        groups=groups,
        explains="infinite x",
        until="1.26.9",
    )


def _zero(operators: tuple[str, ...], group: str) -> Difference:
    """What PyTorch does at x = 0: in the group that is about parameters, and in sweeps."""
    return Difference(
        "pytorch",
        _ZERO,
        _TORCH,
        operators,
        groups=("dense", "boundaries", group),
        where="x = 0 times the factor is not x",
        explains="product at 0",
    )


KNOWN_DIFFERENCES: tuple[Difference, ...] = (
    _body(("LeakyReLU", "ELU"), "attributes", "alpha=-0"),
    _body(("RReLU",), "attributes", "lower=-0, upper=-0"),
    _body(("PReLU",), "slopes", "slope values: negative zero"),
    Difference(
        "standard",
        _EXP,
        _ORT,
        ("ELU",),
        ("float32",),
        groups=("special", "dense", "boundaries", "shapes", "attributes", "sizes"),
        where="exp(x) is 1",
        loose=True,
        explains="exp - 1",
    ),
    _infinite(("special", "shapes", "slopes"), ("float16", "float32")),
    _infinite(("dense",), ("float16",)),
    _zero(_SLOPED, "attributes"),
    _zero(("PReLU",), "slopes"),
    Difference(
        "pytorch",
        "PyTorch draws where x <= 0 rather than x < 0",
        "torch 2.13.0, 2026-11-26",
        ("RReLU",),
        ("bfloat16", "float32", "float64"),
        groups=("training",),
        where="x = 0",
        explains="drawn at 0",
    ),
    Difference(
        "pytorch",
        "PyTorch reads 32 bits of a seed",
        "torch 2.13.0, 2026-11-26",
        ("RReLU",),
        ("bfloat16", "float32", "float64"),
        groups=("training",),
        cases="seed 1099511627793, shape (7, 11, 13), negative",
        explains="seed bits",
    ),
    Difference(
        "pytorch",
        _OVERFLOW,
        _TORCH,
        (*_SLOPED, "ELU"),
        ("float16", "bfloat16", "float32"),
        groups=("attributes",),
        cases="*=*e3[09]*",
        explains="refusal",
    ),
    Difference(
        "executorch",
        "ExecuTorch refuses a parameter that overflows in bfloat16",
        "executorch 1.5.1, 2026-11-26",
        _SLOPED,
        ("bfloat16",),
        groups=("attributes",),
        cases="*=*e3[09]*",
        explains="refusal",
    ),
    Difference(
        "reference",
        "the QuantizeLinear of onnx.reference makes 0 of NaN and of what no integer can hold,"
        " its PRelu makes NaN of 0 and an infinite slope",
        "onnx 1.23.2, 2026-11-26",
        ("QLinearPReLU",),
        ("uint8",),
        groups=("quantized",),
        cases="odd *too large",
        explains="too large",
    ),
    Difference(
        "litert",
        "LiteRT aborts where a slope of more than eight dimensions is broadcast",
        "ai-edge-litert 2.3.0, 2026-11-26",
        ("PReLU",),
        ("float32",),
        groups=("slopes",),
        cases="slope (?, ?, ?, ?, ?, ?, ?, ?, *) on *",
        explains="refusal",
    ),
    Difference("standard", _TWICE, _ORT, _SLOPED, ("float16",), ulp=0.501),
    Difference("pytorch", _TWICE, _TORCH, (*_SLOPED, "ELU"), ("float16", "bfloat16"), ulp=0.501),
    Difference("standard", "exp(x) - 1 in float32", _ORT, ("ELU",), ("float16",), ulp=0.75),
    Difference(
        "pytorch",
        "a vectorised expm1, then a product",
        _TORCH,
        ("ELU",),
        ("float32", "float64"),
        ulp=2.0,
    ),
    *FOREIGN_ACCURACY,
    *(
        dataclasses.replace(item, operators=(spec.name,))
        for spec in OPERATORS
        for item in spec.differences
    ),
)
"""Those of the first five, then those in the operators' records."""

_NO_KERNEL = "onnxruntime 1.17.3 to 1.31.1, 2026-11-21"

_STANDARD = {spec.standard.name: spec.standard for spec in SPECS if spec.standard}

MISSING_KERNELS: tuple[MissingKernel, ...] = tuple(
    MissingKernel("standard", (standard.name,), tuple(without), _NO_KERNEL)
    for standard in _STANDARD.values()
    if (without := [dtype for dtype in ELEMENT_TYPES if dtype not in standard.kernels])
)
"""Element types for which the table does not count on ONNX Runtime's standard operators."""
