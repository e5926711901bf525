"""Measuring operators: each row's peers are prepared, verified and timed in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.bench.peers import COPIES, PEERS, Peer
from onnx_acts.bench.prepared import Prepared, UnsupportedError
from onnx_acts.bench.rows import Row
from onnx_acts.bench.timing import keep_freed_memory, per_node, take_turns
from onnx_acts.bench.workload import SIZES, Workload, make_workload
from onnx_acts.conformance.case import limits_of
from onnx_acts.definition.reference import rounded
from onnx_acts.definition.specs import ELEMENT_TYPES, SPECS, Spec

__all__ = ["Plan", "measure_row", "run", "verify"]

_SAMPLE_STRIDE = 997
_SAMPLE_ENDS = 4096


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        operators: the operators.
        dtypes: the element types.
        sizes: names of shapes.
        threads: numbers of threads.
        peers: the peers.
        seconds: time for the turns of one row.
    """

    operators: Sequence[Spec] = SPECS
    dtypes: Sequence[str] = ELEMENT_TYPES
    sizes: Sequence[str] = tuple(SIZES)
    threads: Sequence[int] = (1, 2)
    peers: Sequence[Peer] = tuple(peer for peer in PEERS if not peer.on_request)
    seconds: float = 2.0


def run(plan: Plan, progress: Callable[[str], None] = lambda text: None) -> Iterator[Row]:
    """Measures a plan, row by row.

    Raises:
        RuntimeError: a peer computes something else.
    """
    keep_freed_memory()
    for spec in plan.operators:
        for dtype in plan.dtypes:
            for size in plan.sizes:
                for threads in plan.threads:
                    progress(f"{spec.name} {dtype} {size}, {threads} thread(s)")
                    workload = make_workload(spec, dtype, size, threads)
                    yield measure_row(workload, plan.peers, plan.seconds)


def measure_row(workload: Workload, peers: Sequence[Peer], seconds: float) -> Row:
    """Prepares, verifies and times the peers of one row.

    Raises:
        RuntimeError: a peer computes something else.
    """
    ready: dict[str, Prepared] = {}
    absent: dict[str, str] = {}
    for peer in peers:
        subject = peer.variant(workload) if peer.variant else workload
        if subject is None:
            continue
        try:
            ready[peer.name] = peer.prepare(subject)
        except UnsupportedError as reason:
            absent[peer.name] = str(reason)
            continue
        verify(subject, peer, ready[peer.name])
    found = take_turns(ready, seconds)
    times = {name: per_node(whole, workload.nodes) for name, whole in found.items()}
    case = workload.case
    return Row(case.operator, case.dtype, workload.size, workload.threads, times, absent)


def verify(workload: Workload, peer: Peer, prepared: Prepared) -> None:
    """Requires a peer to compute the operator, to a few units of its element type.

    Both ends and a sample of the elements are compared: the tail of a loop is where it goes wrong.

    Raises:
        RuntimeError: it does not; the message names the peer, the element and both values.
    """
    workload.y.reshape(-1).view(np.uint8)[...] = 0xFF
    prepared.call()
    output = prepared.output()
    count = workload.x.size
    chosen = np.unique(
        np.r_[
            0 : min(count, _SAMPLE_ENDS),
            0:count:_SAMPLE_STRIDE,
            max(0, count - _SAMPLE_ENDS) : count,
        ]
    )
    got = output.reshape(-1)[chosen].astype(np.float64)
    wanted = _wanted(workload, chosen, peer.name in COPIES)
    epsilon = float(limits_of(workload.x.dtype).eps)
    tolerance = 4 * workload.nodes * epsilon * np.maximum(1, np.abs(wanted))
    wrong = ~(np.abs(got - wanted) <= tolerance)
    if output.shape != workload.x.shape or wrong.any():
        at = int(np.argmax(wrong))
        raise RuntimeError(
            f"{peer.name} does not compute {workload.case.operator} {workload.case.dtype}:"
            f" shape {output.shape}, element {chosen[at]} is {got[at]!r}, expected {wanted[at]!r};"
            " it is not measured"
        )


def _wanted(workload: Workload, chosen: NDArray[np.int64], is_copy: bool) -> NDArray[np.float64]:
    """The true values of some elements; each node of a chain rounds to the element type."""
    case, shape = workload.case, workload.x.shape
    if case.training and not is_copy:  # a draw depends on the element's index
        return _float64(case.exact()[0].reshape(-1)[chosen])
    picked = [np.broadcast_to(a, shape)[np.unravel_index(chosen, shape)] for a in case.inputs]
    if is_copy:
        return _float64(picked[0])
    for _ in range(workload.nodes):
        (exact,) = dataclasses.replace(case, inputs=picked).exact()
        picked[0] = rounded(exact, workload.x.dtype)
    return _float64(exact)


def _float64(values: NDArray[Any]) -> NDArray[np.float64]:
    return values.astype(np.float64)
