"""Timing, so that noise hits all peers alike.

The peers take turns, in a new random order each time, until the time is used up. Each turn is one
untimed call, which brings the caches and threads into this peer's own state, and a timed batch of
calls that lasts a millisecond or more; a turn that met fresh pages of memory is repeated. After a
turn there is a pause until this peer's worker threads rest. The calling thread has a processor of
its own. A peer's time is the median over its turns. Only ratios within one such round mean
something: machines differ, and this one is not the same in an hour.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import importlib
import importlib.util
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onnx_acts.bench.affinity import workers_apart
from onnx_acts.bench.prepared import Prepared

__all__ = ["Measurement", "keep_freed_memory", "per_node", "take_turns"]

_USAGE: Any = importlib.import_module("resource") if importlib.util.find_spec("resource") else None
"""Python's module `resource`, which Windows has not."""

_BATCH_SECONDS = 1e-3
_WARM_SECONDS = 20e-3
"""Calls longer than this stream through more memory than caches hold: no untimed call is needed."""
_TURNS = (5, 200)
_RETRIES = 8
"""Times that a turn is repeated when it met fresh pages, before it is taken as it is."""


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


def take_turns(ready: Mapping[str, Prepared], seconds: float) -> dict[str, Measurement]:
    """Times the peers in turn until the time is used up, each five times at least."""
    calls = {name: _batch(prepared) for name, prepared in ready.items()}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in ready}
    shuffle = random.Random(7).shuffle
    least, most = _TURNS
    end = time.perf_counter() + seconds
    gc.disable()
    try:
        with workers_apart():
            for turn in range(most):
                if turn >= least and time.perf_counter() > end:
                    break
                order = list(ready)
                shuffle(order)
                for name in order:
                    samples[name].append(_turn(ready[name].call, *calls[name]))
                    time.sleep(ready[name].rest)
    finally:
        gc.enable()
    return {name: _summary(found, calls[name][0]) for name, found in samples.items()}


def _batch(prepared: Prepared) -> tuple[int, bool]:
    """How many calls to time together, and whether to call once before."""
    prepared.call()
    start = time.perf_counter()
    prepared.call()
    once = max(time.perf_counter() - start, 1e-7)
    time.sleep(prepared.rest)
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


def per_node(whole: Measurement, nodes: int) -> Measurement:
    """The time of one node of a chain."""
    first, third = whole.quartiles
    return dataclasses.replace(
        whole, median=whole.median / nodes, quartiles=(first / nodes, third / nodes)
    )


def _page_faults() -> int:
    """Pages that the system has provided so far; 0 where it does not tell (Windows)."""
    return 0 if _USAGE is None else int(_USAGE.getrusage(_USAGE.RUSAGE_SELF).ru_minflt)


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
