"""Where a runtime is known to differ from `docs/semantics.md`, and how accurate the others are.

Data only. A known difference is strictly expected to fail: when none of the cases that a record
names differs any longer, the run says so and fails, so that a fix upstream shows. The same goes for
a kernel that a runtime is known not to have; any other error of a runtime is a failure. An accuracy
is no promise of those projects: it is what was measured, rounded up.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re

from onnx_acts.conformance.case import Case
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec

__all__ = [
    "ACCURACIES",
    "KNOWN_DIFFERENCES",
    "MISSING_KERNELS",
    "Accuracy",
    "KnownDifference",
    "MissingKernel",
    "measured_accuracy",
    "missing_kernel",
    "version_tuple",
]


@dataclasses.dataclass(frozen=True)
class KnownDifference:
    """One difference.

    Attributes:
        runtime: the runtime's name.
        operators: the operators that it concerns.
        group: the group of cases.
        reason: what happens and why, in one sentence.
        seen: the version and the date of the observation, or a link.
        cases: shell pattern for the names of the cases.
        dtypes: the element types that it concerns.
        since: the first version of the runtime's package that differs.
        until: the last one; None while there is no fix.
    """

    runtime: str
    operators: tuple[str, ...]
    group: str
    reason: str
    seen: str
    cases: str = "*"
    dtypes: tuple[str, ...] = ELEMENT_TYPES
    since: str = "0"
    until: str | None = None

    def applies(self, runtime: str, version: str, case: Case) -> bool:
        """Whether the record is about this case on this version of the runtime."""
        return (
            runtime == self.runtime
            and case.operator in self.operators
            and case.dtype in self.dtypes
            and case.group == self.group
            and fnmatch.fnmatchcase(case.name, self.cases)
            and version_tuple(self.since) <= version_tuple(version)
            and _not_after(version, self.until)
        )


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


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """The largest error of a runtime that keeps no promise of ours.

    Attributes:
        runtime: the runtime's name.
        operators: the operators that it concerns.
        dtypes: the element types that it concerns.
        ulp: the largest error in ULP, rounded up; 0.5 is correctly rounded.
        reason: where the error comes from.
        seen: the version and the date of the observation.
    """

    runtime: str
    operators: tuple[str, ...]
    dtypes: tuple[str, ...]
    ulp: float
    reason: str
    seen: str


def version_tuple(version: str) -> tuple[int, ...]:
    """The numbers of a version: "2.13.0+cpu" is (2, 13, 0)."""
    numbers = re.split(r"[^\d.]", version, maxsplit=1)[0]
    return tuple(int(part) for part in numbers.split(".") if part)


def _not_after(version: str, until: str | None) -> bool:
    return until is None or version_tuple(version) <= version_tuple(until)


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
        for record in ACCURACIES
        if (record.runtime, True, True)
        == (runtime, operator in record.operators, dtype in record.dtypes)
    ]
    return max(found, default=None)


_ORT = "onnxruntime 1.31.1, 2026-11-20"
_TORCH = "torch 2.13.0, 2026-11-20"
_SLOPED = ("LeakyReLU", "RReLU")
_TWICE = "computed in float32 and rounded again to 16 bits"

_EXPM1 = "a vectorised expm1, then a product"

_NARROW = ("float16", "bfloat16", "float32")
_WHERE = (
    "the Where of ONNX Runtime loses the sign of a zero in its second input, so a parameter of -0"
    " acts as 0"
)
_EXP = "ONNX Runtime computes exp(x) - 1, which cancels near zero: 0 for every x above -3e-8"
_ZERO = (
    "PyTorch multiplies where x <= 0 rather than x < 0: at x = 0 a negative parameter flips the"
    " sign of zero, and an infinite or NaN parameter gives NaN"
)
_OVERFLOW = "PyTorch refuses a parameter that overflows in float32"
_INFINITE = "the PRelu of ONNX Runtime gives NaN where x is infinite"
_INFINITE_CASES = {
    "special": ("float16", "float32"),
    "dense": ("float16",),
    "shapes": ("float16", "float32"),
    "slopes": ("float16", "float32"),
}
_ORT_TO_1_26 = "onnxruntime 1.17.3 to 1.26.0, 2026-11-21; not in 1.27.0"
_ELU_GROUPS = ("special", "dense", "shapes", "attributes")

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    KnownDifference("bodies", ("LeakyReLU", "ELU"), "attributes", _WHERE, _ORT, "alpha=-0"),
    KnownDifference("bodies", ("RReLU",), "attributes", _WHERE, _ORT, "lower=-0, upper=-0"),
    KnownDifference("bodies", ("PReLU",), "slopes", _WHERE, _ORT, "slope values: negative zero"),
    *(
        KnownDifference("standard", ("ELU",), group, _EXP, _ORT, dtypes=("float32",))
        for group in _ELU_GROUPS
    ),
    *(
        KnownDifference(
            "standard", ("PReLU",), group, _INFINITE, _ORT_TO_1_26, dtypes=dtypes, until="1.26.9"
        )
        for group, dtypes in _INFINITE_CASES.items()
    ),
    KnownDifference("pytorch", ("LeakyReLU",), "attributes", _ZERO, _TORCH, "alpha=-*"),
    KnownDifference("pytorch", ("LeakyReLU",), "attributes", _ZERO, _TORCH, "alpha=inf"),
    KnownDifference("pytorch", ("LeakyReLU",), "attributes", _ZERO, _TORCH, "alpha=nan"),
    KnownDifference("pytorch", ("RReLU",), "attributes", _ZERO, _TORCH, "lower=-*"),
    KnownDifference("pytorch", ("PReLU",), "slopes", _ZERO, _TORCH, "slope values: negative*"),
    KnownDifference("pytorch", ("PReLU",), "slopes", _ZERO, _TORCH, "slope values: infinite"),
    KnownDifference("pytorch", ("PReLU",), "slopes", _ZERO, _TORCH, "slope values: NaN"),
    KnownDifference(
        "pytorch", (*_SLOPED, "ELU"), "attributes", _OVERFLOW, _TORCH, "*=1e39", _NARROW
    ),
    *(
        KnownDifference(
            item.runtime, (spec.name,), group, item.reason, item.seen, item.cases, item.dtypes
        )
        for spec in SPECS
        for item in spec.differences
        for group in item.groups
    ),
)
"""Those that several operators share, then those in the operators' records."""

ACCURACIES: tuple[Accuracy, ...] = (
    Accuracy("standard", _SLOPED, ("float16",), 0.501, _TWICE, _ORT),
    Accuracy("pytorch", (*_SLOPED, "ELU"), ("float16", "bfloat16"), 0.501, _TWICE, _TORCH),
    Accuracy("standard", ("ELU",), ("float16",), 0.75, "exp(x) - 1 in float32", _ORT),
    Accuracy("pytorch", ("ELU",), ("float32", "float64"), 2.0, _EXPM1, _TORCH),
    *(
        Accuracy(item.runtime, (spec.name,), item.dtypes, item.ulp, item.reason, item.seen)
        for spec in SPECS
        for item in spec.differences
        if item.ulp is not None
    ),
)

_NO_KERNEL = "onnxruntime 1.17.3 to 1.31.1, 2026-11-21"

_STANDARD = {spec.standard.name: spec.standard for spec in SPECS if spec.standard}

MISSING_KERNELS: tuple[MissingKernel, ...] = tuple(
    MissingKernel("standard", (standard.name,), tuple(without), _NO_KERNEL)
    for standard in _STANDARD.values()
    if (without := [dtype for dtype in ELEMENT_TYPES if dtype not in standard.kernels])
)
"""Element types for which the table does not count on ONNX Runtime's standard operators."""
