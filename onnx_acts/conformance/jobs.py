"""Spreading a run over processes with joblib: loky's here, or those of a registered backend.

    with joblib.parallel_config(backend="ray"):
        suite.run(selection, jobs=64)

runs the same on a cluster.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["can_spread", "spread"]


def can_spread() -> bool:
    """Whether joblib is installed."""
    return importlib.util.find_spec("joblib") is not None


def spread(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[Any]:
    """Yields the results of the tasks, in their order.

    Args:
        function: computes one task; with several jobs it and the tasks are sent to processes.
        tasks: its arguments.
        jobs: how many processes; 1 stays in this one, -1 takes all that there are.

    Raises:
        ValueError: no such number of jobs, or joblib is not installed.
    """
    if jobs == 1:
        return (function(*task) for task in tasks)
    if jobs == 0 or jobs < -1:
        raise ValueError(f"jobs must be a number of processes, or -1 for all; got {jobs}")
    if not can_spread():
        raise ValueError(
            "several jobs need joblib: pip install 'onnx-acts[conform]', or --jobs 1 does without"
        )
    return _spread(function, tasks, jobs)


def _spread(
    function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[Any]:
    import joblib

    backend, _ = joblib.parallel.get_active_backend()
    way = "generator" if backend.supports_return_generator else "list"
    workers = joblib.Parallel(n_jobs=jobs, return_as=way, batch_size=1)
    return iter(workers(joblib.delayed(function)(*task) for task in tasks))
