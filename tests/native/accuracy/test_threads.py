"""The number of threads changes no bit, at sizes around the borders of chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from onnx_acts.definition.specs import SPECS, spec_of
from tests.helpers import feeds, one_node_model
from tests.native.oracle import DTYPES
from tests.native.running import PROVIDERS, options

# A tensor of up to 65,536 elements is computed by the calling thread, others in chunks of 32,768.
CHUNK = 32768
SIZES = [chunks * CHUNK + change for chunks in (1, 2, 3, 5) for change in (-1, 0, 1)]
THREADS = (1, 2, 5)
PIECE = 4099


def session(op: str, dtype: str, threads: int, **attributes: Any) -> onnxruntime.InferenceSession:
    """A session on one node."""
    spec = spec_of(op)
    model = one_node_model(
        spec,
        dtype,
        bodies=False,
        outputs=len(spec.outputs),
        x_shape=("N",),
        slope_shape=("S",),
        **attributes,
    )
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options(threads), providers=PROVIDERS
    )


def values(dtype: str, count: int) -> np.ndarray[Any, Any]:
    """Numbers of every magnitude, NaN and the infinities among them, as float64."""
    size = DTYPES[dtype].itemsize
    bits = np.random.default_rng(11).integers(0, 2 ** (8 * size), count, dtype=f"u{size}")
    with np.errstate(invalid="ignore"):
        found: np.ndarray[Any, Any] = bits.view(DTYPES[dtype]).astype(np.float64)
    return found


CASES: list[tuple[str, dict[str, int]]] = [(spec.name, {}) for spec in SPECS]
CASES += [
    (spec.name, {"training_mode": 1, "seed": 5})
    for spec in SPECS
    if spec.parameter_source == "draw"
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("op", "attributes"), CASES, ids=str)
def test_same_bits(op: str, attributes: dict[str, int], dtype: str) -> None:
    """One, two and five threads; and short pieces, where a place in the tensor means nothing."""
    sessions = [session(op, dtype, threads, **attributes) for threads in THREADS]
    x = values(dtype, max(SIZES))
    slopes = np.linspace(-1, 2, max(SIZES)).astype(DTYPES[dtype]).astype(np.float64)
    slope_count = len(spec_of(op).inputs) - 1
    per_element = [False, True] if slope_count else [False]
    for size in SIZES:
        for each in per_element:
            slope = [slopes[:size] if each else slopes[:1]] * slope_count
            inputs = feeds(spec_of(op), x[:size], *slope)
            first, *others = ([y.tobytes() for y in one.run(None, inputs)] for one in sessions)
            assert all(other == first for other in others), f"{size} elements"
            if not attributes:
                assert in_pieces(op, sessions[0], inputs, size) == first, f"{size} elements"


def in_pieces(
    op: str, one: onnxruntime.InferenceSession, inputs: dict[str, Any], size: int
) -> list[bytes]:
    """The outputs' bytes, computed a short piece at a time."""
    found = []
    for at in range(0, size, PIECE):
        piece = {
            name: array if len(array) == 1 and size > 1 else array[at : at + PIECE]
            for name, array in inputs.items()
        }
        found.append(one.run(None, piece))
    return [b"".join(y.tobytes() for y in column) for column in zip(*found, strict=True)]
