"""How far one array is from another, element by element and class by class."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.tolerance import as_double, is_real, spacing

__all__ = ["Classes", "Difference", "difference_of", "distances"]

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Classes:
    """In how many elements two arrays disagree on what is no matter of distance.

    Attributes:
        nan: NaN on one side only.
        infinity: an infinity on one side only, or of the other sign.
        zero_sign: both are zero, with different signs. This alone is no difference: +0 equals -0.
    """

    nan: int = 0
    infinity: int = 0
    zero_sign: int = 0


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far an array is from the one that it should be.

    Attributes:
        same: whether every element is within its limit, and shapes fit.
        reason: why the arrays cannot be compared; empty where they can.
        elements: how many there are.
        beyond: how many of them are beyond their limits.
        max_abs: the largest absolute difference.
        max_ulp: the largest one in units in the last place of the coarser element type.
        allowed: the limit of the worst element.
        share: the largest share of its own limit that an element's difference takes.
        where: the index of the worst element, the one that takes the largest share.
        want: what it should be there.
        got: what it is there.
        distance: how far that is.
        ulp: the same in units in the last place.
        scale: the largest finite magnitude of what it should be.
        classes: what no distance shows.
        compared: how many elements could be compared: all but those that are NaN on both sides.
    """

    same: bool
    reason: str = ""
    elements: int = 0
    beyond: int = 0
    max_abs: float = 0.0
    max_ulp: float = 0.0
    allowed: float = 0.0
    share: float = 0.0
    where: tuple[int, ...] | None = None
    want: float | None = None
    got: float | None = None
    distance: float = 0.0
    ulp: float = 0.0
    scale: float = 0.0
    classes: Classes = Classes()
    compared: int = 0

    @property
    def is_compared(self) -> bool:
        """Whether this says anything: of two empty arrays another shape is a difference, too."""
        return bool(self.compared) or not self.same


def distances(want: NDArray[Any], got: NDArray[Any]) -> Array:
    """The absolute differences; infinite where NaN or an infinity stands on one side only."""
    if want.dtype.kind in "iub" and got.dtype.kind in "iub":
        return _integer_distances(want, got)
    a, b = as_double(want), as_double(got)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(difference), math.inf, difference))


def difference_of(
    want: NDArray[Any],
    got: NDArray[Any],
    allowed: Array,
    dtype: np.dtype[Any] | None = None,
) -> Difference:
    """Judges `got`, an array of the shape of `want`.

    Args:
        want: what is right.
        got: what there is.
        allowed: the limit of each element.
        dtype: the element type in whose units ULP are counted; that of `want` where not given.
    """
    if want.shape != got.shape:
        reason = f"it has the shape {list(got.shape)}, the reference has {list(want.shape)}"
        size = max(want.size, got.size)  # one of the two may be empty
        return Difference(same=False, reason=reason, elements=size, compared=size)
    if want.dtype.kind in "OSU" or got.dtype.kind in "OSU":
        return _texts(want, got)
    if not want.size:
        return Difference(same=True)
    distance = distances(want, got)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = np.where(distance == 0, 0.0, distance / allowed)
    share = np.where(np.isnan(share), math.inf, share)  # infinite, with any limit
    wrong = distance > allowed
    order = np.where(wrong, share, -1.0) if wrong.any() else share
    worst = _worst(order, distance)
    values = np.abs(as_double(want))
    units = distance / spacing(want, dtype)
    return Difference(
        same=not wrong.any(),
        elements=want.size,
        beyond=int(wrong.sum()),
        max_abs=float(distance.max()),
        max_ulp=float(units.max()),
        allowed=float(np.broadcast_to(allowed, want.shape)[worst]),
        share=float(share.max()),
        where=worst,
        want=float(as_double(want[worst])),
        got=float(as_double(got[worst])),
        distance=float(distance[worst]),
        ulp=float(units[worst]),
        scale=float(values[np.isfinite(values)].max(initial=0.0)),
        classes=_classes(want, got),
        compared=want.size - _both_nan(want, got),
    )


def _worst(order: Array, distance: Array) -> tuple[int, ...]:
    """The index with the largest share; among equals, the one with the largest distance."""
    candidates = np.where(order == order.max(), distance, -1.0)
    return tuple(map(int, np.unravel_index(int(candidates.argmax()), order.shape)))


def _classes(want: NDArray[Any], got: NDArray[Any]) -> Classes:
    if not (is_real(want.dtype) or is_real(got.dtype)):
        return Classes()
    a, b = as_double(want), as_double(got)
    nan = np.isnan(a) != np.isnan(b)
    both = ~(np.isnan(a) | np.isnan(b))
    infinity = both & (np.isinf(a) | np.isinf(b)) & (a != b)
    zero = (a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b))
    return Classes(int(nan.sum()), int(infinity.sum()), int(zero.sum()))


def _both_nan(want: NDArray[Any], got: NDArray[Any]) -> int:
    """In how many elements both are NaN."""
    if not (is_real(want.dtype) and is_real(got.dtype)):
        return 0
    return int((np.isnan(as_double(want)) & np.isnan(as_double(got))).sum())


def _integer_distances(want: NDArray[Any], got: NDArray[Any]) -> Array:
    """Differences of integers: never 0 where they differ, however large they are."""
    return np.where(want == got, 0.0, np.maximum(np.abs(as_double(want) - as_double(got)), 1.0))


def _texts(want: NDArray[Any], got: NDArray[Any]) -> Difference:
    """Strings are the same or not."""
    wrong = np.asarray(want != got)
    return Difference(
        same=not wrong.any(),
        reason=f"{int(wrong.sum())} of {wrong.size} strings differ" if wrong.any() else "",
        elements=want.size,
        beyond=int(wrong.sum()),
        compared=want.size,
    )
