"""Running torch's exporter: in-place RReLU, quiet logs and short errors."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import onnx
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from onnx_acts.exporting.dynamic import batch_shapes, settle_batch, tensors_of
from onnx_acts.exporting.translations import TranslationError, translation_table
from onnx_acts.schemas import register_schemas
from onnx_acts.specs import ELEMENT_TYPES, spec_of
from onnx_acts.validation import check_attributes

__all__ = ["capture"]

_LONGEST_REASON = 600
"""Characters of torch's reason that are shown; some of its messages fill pages."""

_RRELU = (functional.rrelu, torch.rrelu, torch.rrelu_)


def capture(
    module: torch.nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    opset: int,
    seed: int,
    dynamic_shapes: Any = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> onnx.ModelProto:
    """Exports a module with every activation as an `onnx_acts` node, without bodies.

    Args:
        module: the module, in the mode in which it is to be exported.
        args: its positional arguments.
        kwargs: its keyword arguments.
        opset: the version of the standard operators.
        seed: the seeds of training nodes are derived from it.
        dynamic_shapes: as in `onnx_acts.export`.
        input_names: names for the graph's inputs.
        output_names: names for the graph's outputs.

    Raises:
        ValueError: torch cannot export the module; the message has torch's first reason.
    """
    register_schemas()
    automatic = dynamic_shapes is None
    inputs = tensors_of(args, kwargs)
    shapes = batch_shapes(module, args, kwargs) if automatic else dynamic_shapes
    try:
        with _quiet(), _RReLUMode():
            program = torch.onnx.export(
                module,
                args,
                kwargs=kwargs,
                dynamo=True,
                verbose=False,
                opset_version=opset,
                custom_translation_table=translation_table(opset, seed),
                dynamic_shapes=shapes or None,
                input_names=input_names,
                output_names=output_names,
            )
    except torch.onnx.OnnxExporterError as error:
        raise _short(error, inputs) from error
    assert program is not None  # dynamo=True always returns the program
    model = program.model_proto
    if automatic:
        assert program.exported_program is not None  # it was made from a module
        settle_batch(model, inputs, program.exported_program.range_constraints)
    return model


class _RReLUMode(TorchFunctionMode):
    """Checks the bounds of RReLU, and replaces its in-place form by RReLU and a copy.

    torch refuses bad bounds without naming them. It decomposes the in-place form, when it runs the
    captured graph again, into an operator that cannot be translated; other in-place activations it
    turns into their usual forms itself.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in _RRELU:
            _check_bounds(*args, **kwargs)
        if func is torch.ops.aten.rrelu_.default:
            return args[0].copy_(torch.rrelu(*args, **kwargs))
        return func(*args, **kwargs)


def _check_bounds(
    _x: Any, lower: float = 1 / 8, upper: float = 1 / 3, *_args: Any, **_kwargs: Any
) -> None:
    try:
        check_attributes(spec_of("RReLU"), {"lower": lower, "upper": upper})
    except ValueError as error:
        raise TranslationError(str(error)) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences torch's remarks on its own internals; its exceptions still come through."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript")]
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


def _short(error: BaseException, inputs: Sequence[torch.Tensor]) -> ValueError:
    """Turns torch's report into its first reason; a refusal of ours is that reason."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, TranslationError):
        return cause
    text = " ".join(str(cause).split())[:_LONGEST_REASON]
    integers = {str(x.dtype).removeprefix("torch.") for x in inputs if not x.is_floating_point()}
    hint = (
        f" (an input is {', '.join(sorted(integers))}; activations take {', '.join(ELEMENT_TYPES)})"
        if integers
        else ""
    )
    if isinstance(cause, AttributeError) and "'name'" in text:  # torch's words for such an output
        hint += " (a module must return tensors: make the numbers that it returns tensors)"
    return ValueError(f"PyTorch cannot export the module: {type(cause).__name__}: {text}{hint}")
