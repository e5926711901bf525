"""What a cell keeps of its cases and their elements, for reports that show more than a figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case, limits_of, numpy_type
from onnx_acts.conformance.compare import misclassified, ulp_error
from onnx_acts.definition import reference

__all__ = ["HALF", "STEPS", "Outcome", "Record", "Worst", "first_binade", "merged"]

Array = NDArray[Any]

HALF = 160
"""Columns of a curve on either side of 0; beyond them there is one more for what is larger."""

LAST_BINADE = 8
"""The columns end at 2 to this power; ELU has long been saturated there."""

STEPS = (0.0, 0.5, 1.0, 2.0, 4.0, 16.0, 256.0, 65536.0)
"""The upper ends of a histogram's bars, in ULP; then come larger errors, then wrong classes."""

_KEPT, _CLASSES = 5, 2
"""Worst inputs of a cell, and how many of them may be of a wrong class."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a case: its name, "pass", "fail", "known" or "n/a", the error, the words."""

    case: str
    status: str
    max_ulp: float = 0.0
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Worst:
    """An input that gave a large error, or a result of a wrong class.

    Attributes:
        case: the case's name.
        ulp: the signed error; None where the class is wrong.
        x: the input, in digits that tell it from its neighbours; so are the next three.
        parameter: the slope there; empty where the operator has none.
        got: what was computed.
        exact: what is true, before rounding.
        x_bits: the bits of x, in hexadecimal; so are the next two.
        got_bits: see above.
        right_bits: those of the correctly rounded result.
    """

    case: str
    ulp: float | None
    x: str
    parameter: str
    got: str
    exact: str
    x_bits: str
    got_bits: str
    right_bits: str


@dataclasses.dataclass
class Record:
    """What a cell keeps.

    Attributes:
        outcomes: every case.
        elements: how many elements were compared.
        curve: by column, the least and the largest signed error, of calls with default attributes.
        wrong: by column, how many results of theirs have a wrong class.
        histogram: how many errors are in each step of `STEPS`, larger, or of a wrong class.
        worst: the worst inputs, the worst first.
    """

    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    elements: int = 0
    curve: dict[int, tuple[float, float]] = dataclasses.field(default_factory=dict)
    wrong: dict[int, int] = dataclasses.field(default_factory=dict)
    histogram: list[int] = dataclasses.field(default_factory=lambda: [0] * (len(STEPS) + 2))
    worst: list[Worst] = dataclasses.field(default_factory=list)

    def note(
        self, case: Case, status: str, max_ulp: float, message: str, outputs: Sequence[Array]
    ) -> None:
        """Enters a case; of its outputs the first."""
        self.outcomes.append(Outcome(case.name, status, max_ulp, message))
        if not outputs:
            return
        got, exact = outputs[0], case.exact()[0]
        comparable = got.shape == exact.shape and got.dtype == numpy_type(case.dtype)
        if comparable and got.size and not case.spec.is_quantized:
            self._note_elements(case, got.reshape(-1), exact.reshape(-1))

    def _note_elements(self, case: Case, got: Array, exact: Array) -> None:
        with np.errstate(all="ignore"):
            classes = misclassified(got, exact)
            errors = np.copysign(ulp_error(got, exact), got.astype(exact.dtype) - exact)
        self.elements += got.size
        steps = np.searchsorted(STEPS, np.abs(errors), side="left")
        steps[classes] = len(STEPS) + 1
        counted = np.bincount(steps, minlength=len(self.histogram))
        self.histogram = [int(a + b) for a, b in zip(self.histogram, counted, strict=True)]
        if case.has_defaults:
            self._note_curve(case, errors, classes)
        self._note_worst(case, got, exact, errors, classes)

    def _note_curve(self, case: Case, errors: Array, classes: Array) -> None:
        with np.errstate(invalid="ignore"):  # of signalling NaNs
            x = case.inputs[0].reshape(-1).astype(np.longdouble)
        kept = ~np.isnan(x)
        for column in np.unique(columns := _columns(x[kept], case.dtype)):
            here = columns == column
            lost = classes[kept] & here
            key = int(column)
            if lost.any():
                self.wrong[key] = self.wrong.get(key, 0) + int(lost.sum())
            good = errors[kept][here & ~lost]
            if good.size:
                low, high = self.curve.get(key, (np.inf, -np.inf))
                self.curve[key] = (min(low, float(good.min())), max(high, float(good.max())))

    def _note_worst(
        self, case: Case, got: Array, exact: Array, errors: Array, classes: Array
    ) -> None:
        size = np.where(classes, -np.inf, np.abs(errors))
        least = _size(self.worst[-1]) if len(self.worst) == _KEPT else 0.5
        largest = np.argsort(-size, kind="stable")[:_KEPT]
        chosen = [int(i) for i in largest if size[i] > least]
        chosen += [int(i) for i in np.flatnonzero(classes)[:_CLASSES]]
        found = [_worst(case, got, exact, errors, classes, i) for i in chosen]
        self.worst = _best(self.worst + found)


def merged(records: Sequence[Record]) -> Record:
    """The records of several groups as one; the cases have no part in it."""
    whole = Record()
    for record in records:
        whole.elements += record.elements
        for column, (low, high) in record.curve.items():
            old = whole.curve.get(column, (low, high))
            whole.curve[column] = (min(old[0], low), max(old[1], high))
        for column, count in record.wrong.items():
            whole.wrong[column] = whole.wrong.get(column, 0) + count
        pairs = zip(whole.histogram, record.histogram, strict=True)
        whole.histogram = [a + b for a, b in pairs]
    whole.worst = _best([worst for record in records for worst in record.worst])
    return whole


def first_binade(dtype: str) -> int:
    """Columns begin at 2 to this power: what is smaller, ELU returns as it is, or nearly so."""
    return -int(limits_of(numpy_type(dtype)).nmant) - 6


def _columns(x: Array, dtype: str) -> NDArray[np.int64]:
    """The column of each input: its place in log2 |x|, to the left where x is negative."""
    first = first_binade(dtype)
    with np.errstate(divide="ignore"):
        place = (np.log2(np.abs(x)) - first) / (LAST_BINADE - first) * HALF
    column = np.clip(np.floor(np.maximum(place, -1)), -1, HALF).astype(np.int64) + 1
    return np.where(x < 0, -column, column)


def _size(worst: Worst) -> float:
    return float("inf") if worst.ulp is None else abs(worst.ulp)


def _best(found: Sequence[Worst]) -> list[Worst]:
    """The worst first, each input and parameter once; of wrong classes a few, to leave room."""
    once = {(w.x_bits, w.parameter): w for w in reversed(found)}
    ranked = sorted(once.values(), key=lambda w: (-_size(w), w.case, w.x_bits))
    classes = [w for w in ranked if w.ulp is None][:_CLASSES]
    return (classes + [w for w in ranked if w.ulp is not None])[:_KEPT]


def _worst(case: Case, got: Array, exact: Array, errors: Array, classes: Array, at: int) -> Worst:
    shape = case.inputs[0].shape
    x = case.inputs[0].reshape(-1)[at]
    slopes = (np.broadcast_to(a, shape).reshape(-1)[at] for a in case.inputs[1:])
    given = (f"{name} {value:g}" for name, value in case.attributes.items())
    with np.errstate(all="ignore"):
        right = reference.rounded(exact[at : at + 1], got.dtype)[0]
        true = f"{np.longdouble(exact[at]):.17g}"
    return Worst(
        case.name,
        None if classes[at] else float(errors[at]),
        str(x),
        ", ".join([*map(str, slopes), *given]),
        str(got[at]),
        true,
        _bits(x),
        _bits(got[at]),
        _bits(right),
    )


def _bits(value: Any) -> str:
    one = np.asarray(value)
    return f"0x{int(one.view(f'u{one.itemsize}')):0{2 * one.itemsize}x}"
