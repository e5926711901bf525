"""Times a few models in one version of ONNX Runtime; `docs.ort_versions` starts it everywhere.

It needs NumPy and onnxruntime alone, since old versions of ONNX Runtime run with old versions of
NumPy: `python docs/ort_versions_worker.py PLAN.json` prints one line of JSON.

Times are those that the calling thread, which computes everything, spends on its processor: while
other programs have that processor, the clock stands still.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime


def prepared(item: dict[str, Any], library: str, x: Any, y: Any) -> Callable[[], object]:
    """A call that computes y once, on one thread; x and y are bound to their arrays."""
    if not item["model"]:
        return lambda: np.copyto(y, x)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if item["library"]:
        options.register_custom_ops_library(library)
    session = onnxruntime.InferenceSession(
        item["model"], options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, x.dtype, x.shape, x.ctypes.data)
    binding.bind_output("y", "cpu", 0, y.dtype, y.shape, y.ctypes.data)
    return lambda: session.run_with_iobinding(binding)


def main() -> None:
    """Runs the plan: every peer in turn, in a new random order each time."""
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    generator = np.random.default_rng(plan["seed"])
    x = generator.standard_normal(plan["shape"]).astype(np.float32)
    y = np.empty_like(x)
    calls = [(item, prepared(item, plan["library"], x, y)) for item in plan["peers"]]
    seconds: dict[str, list[float]] = {item["name"]: [] for item, _ in calls}
    for item, call in calls:
        call()
        wanted = np.load(plan["expected"])[item["expected"]]
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-7, err_msg=item["name"])
    end = time.perf_counter() + plan["seconds"]
    while time.perf_counter() < end:
        for number in generator.permutation(len(calls)):
            item, call = calls[number]
            call()  # the caches have what this peer leaves in them
            start = time.thread_time()
            call()
            seconds[item["name"]].append(time.thread_time() - start)
    print(json.dumps({"version": onnxruntime.__version__, "seconds": seconds}))


if __name__ == "__main__":
    main()
