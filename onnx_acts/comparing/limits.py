"""A tolerance of the caller's own, in place of ours."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.comparing.tolerance import as_double

__all__ = ["Limits"]


@dataclasses.dataclass(frozen=True)
class Limits:
    """A result may be as far from the wanted one as atol + rtol * |want|.

    Attributes:
        atol: the absolute part; 0 where only the other is given.
        rtol: the relative part, likewise. Where both are None, the tolerance is ours.
    """

    atol: float | None = None
    rtol: float | None = None

    def __bool__(self) -> bool:
        """Whether one is given."""
        return self.atol is not None or self.rtol is not None

    def __str__(self) -> str:
        """As the record of a verification has it."""
        return f"atol {self.atol or 0.0:g}, rtol {self.rtol or 0.0:g}"

    def allowed(self, want: NDArray[Any]) -> NDArray[np.float64]:
        """The limit of every element; where `want` is not finite, atol."""
        values = np.abs(as_double(want))
        finite = np.where(np.isfinite(values), values, 0.0)
        return (self.atol or 0.0) + (self.rtol or 0.0) * finite
