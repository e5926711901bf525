"""Timing, so that noise hits all peers alike.

Within a row the peers take turns, in a new random order each time, until the row's time is used up.
Each turn is one untimed call, which brings the caches and threads into this peer's own state, and a
timed batch of calls that lasts a millisecond or more; a turn that met fresh pages of memory is
repeated. A peer's time is the median over its turns.
Only ratios within a row mean something: machines differ, and this one is not the same in an hour.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import math
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.bench.peers import COPIES, OURS, PEERS, Peer, Prepared, UnsupportedError
from onnx_acts.bench.workload import SIZES, Workload, make_workload
from onnx_acts.conformance.case import limits_of
from onnx_acts.reference import rounded
from onnx_acts.specs import ELEMENT_TYPES, SPECS, Spec

__all__ = ["Measurement", "Plan", "Row", "keep_freed_memory", "measure_row", "run", "verify"]

Array = NDArray[Any]

_BATCH_SECONDS = 1e-3
_WARM_SECONDS = 20e-3
"""Calls longer than this stream through more memory than caches hold: no untimed call is needed."""
_SETTLING_SECONDS = 2e-3
"""Pause before each turn where there are worker threads: those of the last peer stop spinning."""
_TURNS = (5, 200)
_RETRIES = 8
"""Times that a turn is repeated when it met fresh pages, before it is taken as it is."""
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


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One peer's time in one row, in seconds for one call; of a chain, for one of its nodes.

    Attributes:
        median: the median over the turns.
        quartiles: the first and the third.
        turns: how many there were.
        calls: how many calls each timed.
        page_faults: pages that the system had to provide in a timed call, the median.
    """

    median: float
    quartiles: tuple[float, float]
    turns: int
    calls: int
    page_faults: float


@dataclasses.dataclass(frozen=True)
class Row:
    """One operator, element type, size and number of threads.

    Attributes:
        operator: its name.
        dtype: the element type.
        size: the name of x's shape.
        threads: the number of threads.
        times: measurements by peer.
        absent: why the other peers were not measured.
    """

    operator: str
    dtype: str
    size: str
    threads: int
    times: Mapping[str, Measurement]
    absent: Mapping[str, str]

    @property
    def copy(self) -> float | None:
        """The time of the faster copy."""
        return min((self.times[n].median for n in COPIES if n in self.times), default=None)

    def to_copy(self, peer: str) -> float | None:
        """A peer's time over the copy's, None where either was not measured."""
        return self.times[peer].median / self.copy if peer in self.times and self.copy else None

    def to_ours(self, peer: str) -> float | None:
        """A peer's time over ours, None where either was not measured."""
        if peer not in self.times or OURS not in self.times:
            return None
        return self.times[peer].median / self.times[OURS].median


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
        try:
            ready[peer.name] = peer.prepare(workload)
        except UnsupportedError as reason:
            absent[peer.name] = str(reason)
            continue
        verify(workload, peer, ready[peer.name])
    case = workload.case
    found = _take_turns(ready, seconds, settle=workload.threads > 1)
    times = {name: _per_node(whole, workload.nodes) for name, whole in found.items()}
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
    picked = [np.broadcast_to(a, shape)[np.unravel_index(chosen, shape)] for a in case.inputs]
    if is_copy:
        return picked[0].astype(np.float64)
    for _ in range(workload.nodes):
        (exact,) = dataclasses.replace(case, inputs=picked).exact()
        picked[0] = rounded(exact, workload.x.dtype)
    return exact.astype(np.float64)


def _take_turns(
    ready: Mapping[str, Prepared], seconds: float, *, settle: bool
) -> dict[str, Measurement]:
    """Times the peers in turn until the time is used up."""
    calls = {name: _batch(prepared.call) for name, prepared in ready.items()}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in ready}
    shuffle = random.Random(7).shuffle
    least, most = _TURNS
    end = time.perf_counter() + seconds
    gc.disable()
    try:
        for turn in range(most):
            if turn >= least and time.perf_counter() > end:
                break
            order = list(ready)
            shuffle(order)
            for name in order:
                if settle:
                    time.sleep(_SETTLING_SECONDS)
                samples[name].append(_turn(ready[name].call, *calls[name]))
    finally:
        gc.enable()
    return {name: _summary(found, calls[name][0]) for name, found in samples.items()}


def _batch(call: Callable[[], object]) -> tuple[int, bool]:
    """How many calls to time together, and whether to call once before."""
    call()
    start = time.perf_counter()
    call()
    once = max(time.perf_counter() - start, 1e-7)
    return math.ceil(_BATCH_SECONDS / once), once < _WARM_SECONDS


def _turn(call: Callable[[], object], calls: int, warm: bool) -> tuple[float, float]:
    """One turn: seconds and page faults for one call."""
    for _ in range(_RETRIES):
        if warm:
            call()
        faults = _page_faults()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        elapsed = time.perf_counter() - start
        faults = _page_faults() - faults
        if faults < calls:
            break
    return elapsed / calls, faults / calls


def _summary(samples: Sequence[tuple[float, float]], calls: int) -> Measurement:
    times = [seconds for seconds, _ in samples]
    first, median, third = statistics.quantiles(times, n=4, method="inclusive")
    faults = statistics.median(count for _, count in samples)
    return Measurement(median, (first, third), len(times), calls, faults)


def _per_node(whole: Measurement, nodes: int) -> Measurement:
    first, third = whole.quartiles
    return dataclasses.replace(
        whole, median=whole.median / nodes, quartiles=(first / nodes, third / nodes)
    )


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def keep_freed_memory() -> None:
    """Makes the C library keep freed memory, for the peers that allocate their result.

    Otherwise every result above 32 MiB is fresh from the system, and clearing its pages takes
    longer than the computation. Does nothing where the C library has no such setting.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        no_mmap, trim_threshold = (-4, 0), (-1, 2**31 - 1)
        mallopt(*no_mmap)
        mallopt(*trim_threshold)
