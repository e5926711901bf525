"""Running torch's exporter."""

from __future__ import annotations

import dataclasses
from typing import Any

import onnx
import torch

from onnx_acts.definition.schemas import register_schemas
from onnx_acts.exporting.arguments import one_by_one, tensors_of
from onnx_acts.exporting.checks import MINIMUM_OPSET
from onnx_acts.exporting.dynamic import Limit, batch_shapes, name_batch, settle_batch
from onnx_acts.exporting.options import Options
from onnx_acts.exporting.quiet import quiet
from onnx_acts.exporting.ranges import Dimension, dynamic_dimensions
from onnx_acts.exporting.reasons import reason_of
from onnx_acts.exporting.rrelu import RReLUMode, ready_to_capture
from onnx_acts.exporting.states import unchanged
from onnx_acts.exporting.subjects import Subject
from onnx_acts.exporting.translations import translation_table

__all__ = ["Captured", "capture"]


@dataclasses.dataclass(frozen=True)
class Captured:
    """A model with every activation as an `onnx_acts` node.

    Attributes:
        model: the model.
        limits: the limits of its batch sizes, where these are automatic.
        dimensions: its dynamic dimensions.
    """

    model: onnx.ModelProto
    limits: list[Limit]
    dimensions: list[Dimension]


def capture(
    subject: Subject,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: Options,
) -> Captured:
    """Exports a module with every activation as an `onnx_acts` node, without bodies.

    Args:
        subject: the module, in the mode in which it is to be exported, or its program.
        args: its positional arguments.
        kwargs: its keyword arguments.
        options: those of the export.

    Raises:
        ValueError: torch cannot run or export the module; the message has torch's first reason and
            the line of the user's code.
    """
    register_schemas()
    try:
        with unchanged(subject.module):
            return _captured(subject, args, kwargs, options)
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:  # torch's optimiser and converter raise what they like
        raise reason_of(error, subject.module, args, kwargs) from error


def _captured(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> Captured:
    """Captures, with torch's own exceptions."""
    module, inputs = subject.module, tensors_of(args, kwargs)
    if subject.program is not None:
        model = _exported(subject.program, (), {}, None, options).model_proto
        name_batch(model, inputs)
        return Captured(model, [], dynamic_dimensions(model, subject.program, inputs))
    automatic = options.dynamic_shapes is None
    shapes = batch_shapes(module, args, kwargs) if automatic else options.dynamic_shapes
    with one_by_one(module, args, kwargs, shapes) as ((own_args, own_kwargs), own_shapes):
        program = _exported(module, own_args, own_kwargs, own_shapes, options)
    model = program.model_proto
    captured = program.exported_program
    if not automatic:
        return Captured(model, [], dynamic_dimensions(model, captured, inputs))
    assert captured is not None  # it was made from a module
    return Captured(model, settle_batch(model, inputs, captured.range_constraints), [])


def _exported(
    source: torch.nn.Module | torch.export.ExportedProgram,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    shapes: Any,
    options: Options,
) -> torch.onnx.ONNXProgram:
    """Calls torch's exporter; what is older than it writes is converted afterwards."""
    opset = max(options.target_opset, MINIMUM_OPSET)
    table = translation_table(opset, options.seed)
    with quiet(), RReLUMode(ready_to_capture):
        program = torch.onnx.export(
            source,
            args,
            kwargs=kwargs,
            dynamo=True,
            verbose=False,
            opset_version=opset,
            custom_translation_table={**table, **(options.custom_translation_table or {})},
            dynamic_shapes=shapes or None,
            input_names=options.input_names,
            output_names=options.output_names,
            optimize=options.optimize,
        )
    assert program is not None  # dynamo=True always returns the program
    return program
