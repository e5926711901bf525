"""Which part of a network's run its activation nodes take, from ONNX Runtime's profiler."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from onnx_acts.definition.specs import OPERATORS
from onnx_acts.ort import sessions

__all__ = ["activation_share", "share_of_activations"]

_WARM_RUNS, _RUNS = 2, 10
_ACTIVATIONS = {name for spec in OPERATORS for name in (spec.name, spec.standard_name)}


def activation_share(
    path: Path, x: NDArray[np.float32], threads: int, *, accelerated: bool
) -> float:
    """Runs a model of one input under the profiler; returns a number from 0 to 1."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = sessions.session(path, session_options=options, accelerated=accelerated)
        feeds = {session.get_inputs()[0].name: x}
        for _ in range(_WARM_RUNS + _RUNS):
            session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return share_of_activations(events, _WARM_RUNS)


def share_of_activations(events: list[dict[str, Any]], warm_runs: int) -> float:
    """The activation nodes' part of the time that all nodes took, after some runs.

    Args:
        events: what the profiler wrote.
        warm_runs: how many runs at the beginning do not count.
    """
    kernels = [
        (str(event["args"]["op_name"]), str(event["name"]), int(event["dur"]))
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    ]
    seen: dict[str, int] = {}
    activations = total = 0
    for operator, node, microseconds in kernels:
        seen[node] = seen.get(node, 0) + 1
        if seen[node] > warm_runs:
            total += microseconds
            activations += microseconds if operator in _ACTIVATIONS else 0
    return activations / total if total else 0.0
