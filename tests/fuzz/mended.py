"""Faults that were in the project once, to put back into the process that runs cases."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import onnx

from onnx_acts.definition.known import Known
from onnx_acts.files import embedding
from onnx_acts.files import types as inference
from onnx_acts.graph import deciding, replacing, view
from onnx_acts.graph import inlined_bodies as bodies
from onnx_acts.graph import local_functions as functions
from onnx_acts.graph.match import Match
from onnx_acts.ort import evaluator

__all__ = ["MENDED", "uses_library"]


def takes_forms_that_lose_nan() -> None:
    """ELU forms that give a number for NaN were replaced without `approximate`."""
    decide = deciding.Request.decide

    def wrong(
        self: deciding.Request, match: Match, dtype: str | None, opset: int
    ) -> deciding.Decision:
        is_approximate = match.is_approximate and match.operator != "ELU"
        return decide(self, dataclasses.replace(match, is_approximate=is_approximate), dtype, opset)

    deciding.Request.decide = wrong


def mixes_types() -> None:
    """A PReLU could get x and slope of different types."""
    replacing._has_one_type = lambda view, match: True
    bodies._in_type_of = lambda view, slope, x: slope


def infers_without_import() -> None:
    """Types were inferred before the domain was imported: nothing was known of our nodes."""
    inference.import_domain = lambda model: None
    inference.types_in_runtime = lambda model, with_shapes: []


def casts_with_cast_like_only() -> None:
    """float16 had no bodies below opset 15."""
    form_for = embedding.form_for

    def wrong(opset: int, uses: Collection[Known]) -> Any:
        if opset < 15 and {use.dtype for use in uses} == {"float16"}:
            raise ValueError("functions for the element types float16 need opset 15 or newer")
        return form_for(opset, uses)

    embedding.form_for = wrong


def inlines_at_the_functions_opset() -> None:
    """onnx.inliner got functions whose opset differs from the model's."""
    functions._set_opset = lambda model, opset: []


def evaluates_bodies() -> None:
    """reference_evaluator looked at the bodies, which onnx.reference cannot read below opset 12."""
    evaluator._without_bodies = lambda model: model


def ignores_axes() -> None:
    """Constants were folded by onnx.reference, which ignores a Squeeze's axes below opset 13."""
    fold, fold_chain = view.fold, view.fold_chain

    def wrong(node: onnx.NodeProto, inputs: Mapping[str, Any], opset: int) -> Any:
        return fold(_without_axes(node), inputs, opset)

    def wrong_chain(nodes: Sequence[onnx.NodeProto], inputs: Mapping[str, Any], opset: int) -> Any:
        return fold_chain([_without_axes(node) for node in nodes], inputs, opset)

    view.fold, view.fold_chain = wrong, wrong_chain


def _without_axes(node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    if copy.op_type == "Squeeze":
        del copy.attribute[:]
    return copy


def leaves_scans_without_shapes() -> None:
    """ONNX Runtime was not told shapes in the bodies of Scan, and nodes did not stay for that."""
    inference.complete_scans = lambda model: False
    embedding._declare_shape = lambda use: None
    view.is_scan = lambda node: False


def misunderstands_axes() -> None:
    """Shapes came from onnx's inference, which is wrong for some axes below opset 11."""
    inference.hide_axes = lambda light: False
    inference.is_understood = lambda model: True


def uses_library(path: str) -> None:
    """The native library is another one, a faulty one."""
    os.environ["ONNX_ACTS_LIBRARY"] = path


MENDED: dict[Callable[[], None], tuple[int, int]] = {
    takes_forms_that_lose_nan: (1, 500),  # graph 169
    mixes_types: (1, 500),  # graph 133
    infers_without_import: (1, 500),  # graph 5
    casts_with_cast_like_only: (1, 500),  # graph 34
    inlines_at_the_functions_opset: (1, 500),  # graph 17
    evaluates_bodies: (1, 500),  # graph 80
    ignores_axes: (1, 500),  # graph 141
    leaves_scans_without_shapes: (5, 500),  # graph 103
    misunderstands_axes: (9, 500),  # graph 32
}
"""Each is found by the fuzzer when it is put back: with this seed, in so many cases, in which
nothing is found without it. With less than 500, Hypothesis draws other cases.
"""
