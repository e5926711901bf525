"""Running torch's exporter: quiet logs and short errors."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import onnx
import torch

from onnx_acts.exporting.dynamic import batch_shapes, settle_batch, tensors_of
from onnx_acts.exporting.options import Options
from onnx_acts.exporting.rrelu import RReLUMode, ready_to_capture
from onnx_acts.exporting.running import brief, run_module
from onnx_acts.exporting.translations import TranslationError, translation_table
from onnx_acts.schemas import register_schemas

__all__ = ["capture"]


def capture(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: Options,
) -> onnx.ModelProto:
    """Exports a module with every activation as an `onnx_acts` node, without bodies.

    Args:
        module: the module, in the mode in which it is to be exported.
        args: its positional arguments.
        kwargs: its keyword arguments.
        options: those of the export.

    Raises:
        ValueError: torch cannot run or export the module; the message has torch's first reason.
    """
    register_schemas()
    automatic = options.dynamic_shapes is None
    inputs = tensors_of(args, kwargs)
    shapes = batch_shapes(module, args, kwargs) if automatic else options.dynamic_shapes
    try:
        with _quiet(), RReLUMode(ready_to_capture):
            program = torch.onnx.export(
                module,
                args,
                kwargs=kwargs,
                dynamo=True,
                verbose=False,
                opset_version=options.target_opset,
                custom_translation_table=translation_table(options.target_opset, options.seed),
                dynamic_shapes=shapes or None,
                input_names=options.input_names,
                output_names=options.output_names,
            )
    except torch.onnx.OnnxExporterError as error:
        raise _reason(error, module, args, kwargs) from error
    assert program is not None  # dynamo=True always returns the program
    model = program.model_proto
    if automatic:
        assert program.exported_program is not None  # it was made from a module
        settle_batch(model, inputs, program.exported_program.range_constraints)
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences torch's remarks on its own internals; its exceptions still come through."""
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _reason(
    error: BaseException, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> ValueError:
    """Turns torch's report into its first reason; a refusal of ours is that reason.

    Of a module that cannot run at all, PyTorch itself speaks more clearly than its exporter.
    """
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, TranslationError):
        return cause
    try:
        run_module(module, args, kwargs)
    except ValueError as reason:
        return reason
    text = brief(cause)
    if isinstance(cause, AttributeError) and "'name'" in text:  # torch's words for such an output
        text += " (a module must return tensors: make the numbers that it returns tensors)"
    return ValueError(f"PyTorch cannot export the module: {text}")
