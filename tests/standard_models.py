"""Models of standard nodes, as others write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from onnx_acts.definition.specs import SPECS, Spec
from tests.helpers import FIXED

Array = NDArray[Any]

CLAIMED = [spec for spec in SPECS if spec.standard and spec.parameter_source != "draw"]
"""The operators that standard nodes stand for; RReLU shares LeakyReLU's."""


def standard_model(
    operator: str,
    dtype: str | int,
    opset: int,
    x_shape: Sequence[int | str | None],
    slope: Array | None = None,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one standard node, from x to y; the slope is part of the model."""
    kind = FIXED[dtype] if isinstance(dtype, str) else dtype
    names = ["x"] if slope is None else ["x", "slope"]
    graph = helper.make_graph(
        [helper.make_node(operator, names, ["y"], name="act", **attributes)],
        "standard",
        [helper.make_tensor_value_info("x", kind, x_shape)],
        [helper.make_tensor_value_info("y", kind, None)],
        [] if slope is None else [numpy_helper.from_array(slope, "slope")],
    )
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)


def versions(spec: Spec) -> list[int]:
    """The versions of the standard operator behind a record."""
    history = onnx.defs.get_all_schemas_with_history()
    return sorted(
        item.since_version
        for item in history
        if item.domain == "" and item.name == spec.standard_name
    )


def network(operator: str, slope: bool) -> onnx.ModelProto:
    """Conv, activation, Conv, activation."""
    weights = np.random.default_rng(7).standard_normal((4, 4, 3, 3)).astype(np.float32)
    extra = [numpy_helper.from_array(np.full((4, 1, 1), 0.25, np.float32), "slope")]
    inputs = ["slope"] if slope else []
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node(operator, ["a", *inputs], ["b"], name="first"),
        helper.make_node("Conv", ["b", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node(operator, ["c", *inputs], ["y"], name="second"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [value("x", FIXED["float32"], ["N", 4, 8, 8])],
        [value("y", FIXED["float32"], ["N", 4, 8, 8])],
        [numpy_helper.from_array(weights, "w"), *(extra if slope else [])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
