"""Where a runtime is known to differ from `docs/semantics.md`, and how accurate the others are.

Data only. A known difference is strictly expected to fail: when none of the cases that a record
names differs any longer, the run says so and fails, so that a fix upstream shows. An accuracy is no
promise of those projects: it is what was measured, rounded up.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re

from onnx_acts.conformance.case import Case
from onnx_acts.specs import ELEMENT_TYPES

__all__ = [
    "ACCURACIES",
    "KNOWN_DIFFERENCES",
    "Accuracy",
    "KnownDifference",
    "measured_accuracy",
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
            and (self.until is None or version_tuple(version) <= version_tuple(self.until))
        )


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
_ELU_GROUPS = ("special", "dense", "shapes", "attributes")

KNOWN_DIFFERENCES: tuple[KnownDifference, ...] = (
    KnownDifference("bodies", ("LeakyReLU", "ELU"), "attributes", _WHERE, _ORT, "alpha=-0"),
    KnownDifference("bodies", ("RReLU",), "attributes", _WHERE, _ORT, "lower=-0, upper=-0"),
    KnownDifference("bodies", ("PReLU",), "slopes", _WHERE, _ORT, "slope values: negative zero"),
    *(
        KnownDifference("standard", ("ELU",), group, _EXP, _ORT, dtypes=("float32",))
        for group in _ELU_GROUPS
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
)

ACCURACIES: tuple[Accuracy, ...] = (
    Accuracy("standard", _SLOPED, ("float16",), 0.501, _TWICE, _ORT),
    Accuracy("pytorch", (*_SLOPED, "ELU"), ("float16", "bfloat16"), 0.501, _TWICE, _TORCH),
    Accuracy("standard", ("ELU",), ("float16",), 0.75, "exp(x) - 1 in float32", _ORT),
    Accuracy("pytorch", ("ELU",), ("float32",), 2.0, "a vectorised expm1, then a product", _TORCH),
)
