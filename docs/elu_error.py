"""The error of ELU near zero: ONNX Runtime's own node and ours, in float32.

`python -m docs.elu_error` writes `docs/figures/elu_error.json`; it takes a second.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

import onnx_acts

__all__ = ["FIGURES", "main"]

FIGURES = Path(__file__).with_name("figures") / "elu_error.json"

_EDGES = np.logspace(-9, 0, 55)
"""Where the intervals of |x| begin and end."""

_POINTS = 10_000
"""Random points in each interval, uniform in log |x|."""


def main() -> int:
    """Computes the largest relative error in each interval."""
    generator = np.random.default_rng(0)
    low, high = np.log(_EDGES[:-1, None]), np.log(_EDGES[1:, None])
    points = generator.uniform(low, high, (len(_EDGES) - 1, _POINTS))
    x = -np.exp(points).astype(np.float32)
    exact = np.expm1(x.astype(np.float64))
    found = {"Elu": _largest(_run("Elu", x), exact), "ELU": _largest(_run("ELU", x), exact)}
    figures = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "onnxruntime": onnxruntime.__version__,
        "onnx_acts": onnx_acts.__version__,
        "command": "python -m docs.elu_error",
        "x": [float(f"{value:.4g}") for value in np.sqrt(_EDGES[:-1] * _EDGES[1:])],
        "largest_relative_error": found,
    }
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _run(name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Elu, the standard node, or ELU on the native library."""
    kinds = [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(x.shape)) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Elu", ["x"], ["y"])], "elu", kinds[:1], kinds[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    ours = name == "ELU"
    session = onnx_acts.session(onnx_acts.accelerate(model) if ours else model, accelerated=ours)
    y: NDArray[np.float32] = session.run(None, {"x": x})[0]
    return y


def _largest(y: NDArray[np.float32], exact: NDArray[Any]) -> list[float]:
    errors = np.abs((y.astype(np.float64) - exact) / exact).max(axis=1)
    return [float(f"{error:.4g}") for error in errors]


if __name__ == "__main__":
    sys.exit(main())
