"""What a runtime makes of a case: once, again, and in several threads at the same time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.runtimes import Runtime

__all__ = ["results_of"]

Array = NDArray[Any]
Outputs = Sequence[Array]

_THREADS = 4
_CALLS = 8
"""Of all threads together, every second one on X turned around."""


def results_of(runtime: Runtime, case: Case) -> list[tuple[Case, Outputs]]:
    """Runs a case as often as it says; each different result, beside the case that it is of.

    The first one is that of the case itself. Threads run it on X turned around, too, so that one
    sees where they share what each should have alone.

    Raises:
        Exception: whatever the runtime raises.
    """
    found: list[tuple[Case, Outputs]] = [(case, runtime.run(case))]
    for _ in range(case.runs - 1):
        _add(found, case, runtime.run(case))
    if case.shared:
        both = (case, _turned(case))
        with ThreadPoolExecutor(_THREADS) as pool:
            results = list(pool.map(lambda i: runtime.run(both[i % 2]), range(_CALLS)))
        for number, outputs in enumerate(results):
            _add(found, both[number % 2], outputs)
    return found


def _turned(case: Case) -> Case:
    """The same on X turned around along its first axis, on which its parameters do not depend."""
    x, *others = case.inputs
    return dataclasses.replace(case, inputs=[x[::-1].copy(), *others])


def _add(found: list[tuple[Case, Outputs]], case: Case, outputs: Outputs) -> None:
    """Adds a result if it is not the first one, turned around where X is."""
    first_case, first = found[0]
    expected = first if case is first_case else [array[::-1] for array in first]
    if [_bits(array) for array in outputs] != [_bits(array) for array in expected]:
        found.append((case, outputs))


def _bits(array: Array) -> tuple[object, ...]:
    return array.dtype, array.shape, array.tobytes()
