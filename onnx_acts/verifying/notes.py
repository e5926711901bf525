"""What else there is to say of outputs: nothing compared, other element types, another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.verifying.references import Wanted
from onnx_acts.verifying.result import OutputRecord
from onnx_acts.verifying.sides import type_notes

__all__ = ["notes_on"]


def notes_on(
    outputs: Sequence[OutputRecord],
    got: Sequence[Sequence[NDArray[Any]]],
    wanted: Sequence[Sequence[Wanted]],
) -> Iterator[str]:
    """Notes on the outputs.

    Args:
        outputs: what was found of each.
        got: for each set of inputs the model's outputs.
        wanted: the reference's, in the same order.
    """
    for place, record in enumerate(outputs):
        if not record.difference.is_compared:
            what = "it is empty"
            if record.difference.elements:
                what = f"all {record.difference.elements} elements are NaN in both"
            yield f"output {record.name!r}: nothing was compared, {what}"
        yield from _order(place, outputs, got[record.run], wanted[record.run])
    yield from type_notes("output", [(r.name, r.dtype, r.reference_dtype) for r in outputs])


def _order(
    place: int,
    outputs: Sequence[OutputRecord],
    got: Sequence[NDArray[Any]],
    wanted: Sequence[Wanted],
) -> Iterator[str]:
    """Says that an output which differs is another one of the reference's, if it is."""
    if outputs[place].difference.same:
        return
    for other, item in enumerate(wanted):
        if other != place and _is_close(got[place], item.value):
            yield (
                f"output {outputs[place].name!r} has the values of the reference's"
                f" {outputs[other].reference!r}: their order, or their names, may be another one"
            )


def _is_close(got: NDArray[Any], want: NDArray[Any]) -> bool:
    if got.shape != want.shape or not got.size:
        return False
    if got.dtype.kind in "OSU" or want.dtype.kind in "OSU":
        return bool((got == want).all())
    a, b = got.astype(np.float64), want.astype(np.float64)
    return bool(np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True))
