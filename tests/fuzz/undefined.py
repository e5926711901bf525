"""Where NaN would arrive if no form on the way made a number of it.

`approximate` replaces p*x + q*abs(x), which is NaN at infinity, and ELU forms that give a number
for NaN. Where one stands after the other, results differ that are finite. Which elements those are
is what this module finds out: the original is run once more, with ELU forms that keep NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from onnx_acts.files.structure import walk_graphs
from tests.fuzz.case import Array
from tests.fuzz.running import Levels, Results, run

__all__ = ["LOSES_NAN", "mark", "undefined"]

LOSES_NAN = "makes a number of NaN; kept is input "
"""Marks, as documentation of a node, the Where of an exponent; then the place of x follows."""


def mark(node: onnx.NodeProto, x: str) -> None:
    """Marks where(x < 0, x, 0), which is 0 for NaN."""
    node.doc_string = f"{LOSES_NAN}{list(node.input).index(x, 1)}"


def undefined(original: onnx.ModelProto, feeds: Sequence[Any], wanted: Results) -> Results:
    """For each set of inputs, and each output, where NaN arrives: all of it where that is unknown.

    Args:
        original: the model.
        feeds: sets of inputs.
        wanted: what the model gives for them.
    """
    try:
        results = run(_keeping(original), list(feeds), Levels.ORT_DISABLE_ALL, False)
    except Exception:  # onnxruntime's own exceptions have no common public base
        return [[np.ones(np.shape(array), bool) for array in arrays] for arrays in wanted]
    return [[_nan(np.asarray(array)) for array in arrays] for arrays in results]


def _keeping(original: onnx.ModelProto) -> onnx.ModelProto:
    """The model with x in the place of marked nodes."""
    model = onnx.ModelProto()
    model.CopyFrom(original)
    for graph in walk_graphs(model.graph, *model.functions):
        for node in graph.node:
            if node.doc_string.startswith(LOSES_NAN):
                x = node.input[int(node.doc_string.removeprefix(LOSES_NAN))]
                node.CopyFrom(onnx.helper.make_node("Identity", [x], list(node.output)))
    return model


def _nan(array: Array) -> Array:
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
