"""The operators for `onnx.reference.ReferenceEvaluator`, computed by `onnx_acts.reference`."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from onnx_acts.definition import reference
from onnx_acts.definition.schemas import op_schema
from onnx_acts.definition.specs import DOMAIN, OPERATORS, Spec
from onnx_acts.files.reading import Model, check_model_in_memory, load_model
from onnx_acts.files.renaming import restore_names

__all__ = ["reference_evaluator"]


def reference_evaluator(model: Model) -> ReferenceEvaluator:
    """Makes an evaluator that computes the `onnx_acts` operators exactly, rounding once.

    A plain `ReferenceEvaluator(model)` runs the function bodies instead, where the file has them
    (from opset 12 on: below, onnx.reference cannot read the attributes of a function).

    Args:
        model: a path, the serialised bytes or a `ModelProto`.

    Raises:
        ValueError: not a valid ONNX file, or external data that is not to be opened (or any, in a
            model that is not a file).
        FileNotFoundError: no such file.
        TypeError: not a model.
    """
    if isinstance(model, str | os.PathLike):
        source = load_model(model)
    else:
        source = check_model_in_memory(model)
    return _Evaluator(_without_bodies(source))


class _Evaluator(ReferenceEvaluator):
    """Knows our operators in the model's own functions, too: onnx.reference makes one for each."""

    def __init__(
        self, proto: Any, *, new_ops: Sequence[type[OpRun]] | None = None, **named: Any
    ) -> None:
        others = [item for item in new_ops or () if item.op_domain != DOMAIN]
        super().__init__(proto, new_ops=[*_operators(), *others], **named)


@functools.cache
def _operators() -> tuple[type[OpRun], ...]:
    return tuple(_operator(spec) for spec in OPERATORS)


def _without_bodies(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without the bodies of the operators, which would run before the operators."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    restore_names(copy)
    del copy.functions[:]
    copy.functions.extend(item for item in model.functions if item.domain != DOMAIN)
    return copy


def _operator(spec: Spec) -> type[OpRun]:
    """Makes the class that computes one operator."""

    def run(self: OpRun, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
        given = {name: _number(value) for name, value in attributes.items() if value is not None}
        results = reference.evaluate(spec, inputs, given)
        return results[: max(1, len(self.onnx_node.output))]

    members = {"op_domain": DOMAIN, "op_schema": op_schema(spec), "_run": run}
    return type(spec.name, (OpRun,), members)


def _number(value: Any) -> float | int:
    """A Python number from an attribute, which may be an array of one element."""
    return np.asarray(value).reshape(()).item() if not isinstance(value, int) else value
