"""Faults that were in the project once, to put back into the process that runs cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

from onnx_acts.definition.known import Known
from onnx_acts.files import bodies as embed
from onnx_acts.files import types as inference
from onnx_acts.graph import deciding, replacing
from onnx_acts.graph import inlined_bodies as bodies
from onnx_acts.graph import local_functions as functions
from onnx_acts.graph.matching import Match
from onnx_acts.runtime import evaluator

__all__ = ["MENDED"]


def takes_forms_that_lose_nan() -> None:
    """ELU forms that give a number for NaN were replaced without `approximate`."""
    decide = deciding.Request.decide

    def wrong(self: deciding.Request, match: Match, dtype: str | None) -> deciding.Decision:
        is_approximate = match.is_approximate and match.operator != "ELU"
        return decide(self, dataclasses.replace(match, is_approximate=is_approximate), dtype)

    deciding.Request.decide = wrong


def mixes_types() -> None:
    """A PReLU could get x and slope of different types."""
    replacing._has_one_type = lambda view, match: True
    bodies._in_type_of = lambda view, slope, x: slope


def infers_without_import() -> None:
    """Types were inferred before the domain was imported: nothing was known of our nodes."""
    inference.import_domain = lambda model: None
    inference.types_in_runtime = lambda model: []


def casts_with_cast_like_only() -> None:
    """float16 had no bodies below opset 15."""
    form_for = embed.form_for

    def wrong(opset: int, uses: Collection[Known]) -> Any:
        if opset < 15 and {use.dtype for use in uses} == {"float16"}:
            raise ValueError("functions for the element types float16 need opset 15 or newer")
        return form_for(opset, uses)

    embed.form_for = wrong


def inlines_at_the_functions_opset() -> None:
    """onnx.inliner got functions whose opset differs from the model's."""
    functions._set_opset = lambda model, opset: []


def evaluates_bodies() -> None:
    """reference_evaluator looked at the bodies, which onnx.reference cannot read below opset 12."""
    evaluator._without_bodies = lambda model: model


MENDED: dict[Callable[[], None], int] = {
    takes_forms_that_lose_nan: 2,
    mixes_types: 2,
    infers_without_import: 1,
    casts_with_cast_like_only: 1,
    inlines_at_the_functions_opset: 1,
    evaluates_bodies: 1,
}
"""Each is found by the fuzzer when it is put back; with a seed that finds it soon."""
