"""Small models in the ONNX text syntax, and running them, for the tests of `onnx_acts.graph`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import ml_dtypes  # noqa: F401  # gives NumPy the name bfloat16
import numpy as np
import onnx
import onnx.numpy_helper
import onnx.parser
import onnxruntime
from numpy.typing import NDArray

import onnx_acts
from onnx_acts.definition.specs import SPECS

Array = NDArray[Any]

OF_CELU = next((spec.name for spec in SPECS if spec.standard_name == "Celu"), "ELU")
"""What a Celu with alpha 1 becomes: ELU, unless the table has an operator of its own for it."""

ONNX_NAMES = {
    "float16": "float16",
    "bfloat16": "bfloat16",
    "float32": "float",
    "float64": "double",
}
EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, -1e-8, 1e-8, -1.0, 1.0, -65504, 65504]


def parsed(
    body: str,
    dtype: str = "float32",
    *,
    constants: str = "",
    opset: int = 20,
    shape: str = "N,3,4",
    more_inputs: str = "",
    ir_version: int = 8,
) -> onnx.ModelProto:
    """A model from x to y, both of `shape`; T in the text stands for the element type.

    `constants` are initializers, like "T[3,1] w = {1, 2, 3}, T[9] a = {0.5}"; fewer
    numbers than elements are repeated.
    """
    text = (
        f'<ir_version: {ir_version}, opset_import: ["": {opset}]>'
        f" g (T[{shape}] x{more_inputs}) => (T[{shape}] y) {{ {body} }}"
    )
    model = onnx.parser.parse_model(re.sub(r"\bT\b", ONNX_NAMES[dtype], text))
    for dims, name, numbers in re.findall(r"T(\[[\d,]+\])? (\w+) = {(.*?)}", constants):
        array = np.array([float(number) for number in numbers.split(",")]).astype(dtype)
        array = np.resize(array, json.loads(dims) if dims else ())
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return model


def values(dtype: str) -> Array:
    """Edge cases and random numbers, of shape (N, 3, 4); each edge meets each of 3 channels."""
    rng = np.random.default_rng(5)
    edges = np.repeat(np.array(EDGES), 12)
    plain = np.concatenate([rng.normal(size=240), rng.normal(size=60) * 1e-3])
    with np.errstate(over="ignore"):
        return np.concatenate([edges, plain]).reshape(-1, 3, 4).astype(dtype)


def run(model: onnx.ModelProto, x: Array, **more: Array) -> Array:
    """The first output in ONNX Runtime, with function bodies where the model has some."""
    session = onnx_acts.session(model, accelerated=False)
    return np.asarray(session.run(None, {"x": x, **more})[0])


def run_unfused(
    model: onnx.ModelProto, feeds: Mapping[str, Array], *, library: bool
) -> list[Array]:
    """All outputs in ONNX Runtime, which fuses nothing: each node rounds as it says.

    `feeds` are the inputs; the first may have no name.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnx_acts.session(model, session_options=options, accelerated=library)
    first = session.get_inputs()[0].name
    return session.run(None, {name or first: array for name, array in feeds.items()})


def elu(x: Array) -> Array:
    """ELU with alpha = 1, from NumPy alone."""
    return np.where(x < 0, np.expm1(np.minimum(x, 0)), x)


def operators(model: onnx.ModelProto) -> list[str]:
    """The operators of the graph, those of other domains with their domain."""
    return [
        f"{node.domain}::{node.op_type}" if node.domain else node.op_type
        for node in model.graph.node
    ]
