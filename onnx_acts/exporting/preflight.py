"""What is refused before the work begins, and the arguments as the work takes them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import Any

from torch.utils import _pytree as pytree

from onnx_acts.exporting import checks
from onnx_acts.exporting.arguments import (
    Call,
    bound_arguments,
    settled,
    spread_arguments,
    tensors_of,
)
from onnx_acts.exporting.card import check_card
from onnx_acts.exporting.conversion import check_dtype, converted
from onnx_acts.exporting.dimensions import named_shapes
from onnx_acts.exporting.names import check_input_names, check_names
from onnx_acts.exporting.options import Options, check_tolerances
from onnx_acts.exporting.states import check_state, check_there
from onnx_acts.exporting.storing import check_external_data
from onnx_acts.exporting.subjects import Subject, check_program
from onnx_acts.exporting.translations import check_table
from onnx_acts.files.user_metadata import encoded
from onnx_acts.files.writing import check_target

__all__ = ["call_of", "check_options", "checked"]


def check_options(path: str | os.PathLike[str], options: Options) -> None:
    """Refuses options and places before anything else is looked at."""
    checks.check_style(options.style, options.ops)
    checks.check_opset(options.target_opset)
    if options.seed < 0:
        raise ValueError(f"seed must be 0 or greater, got {options.seed}")
    check_names(options.input_names, options.output_names)
    check_table(options.custom_translation_table)
    check_tolerances(options.verify, options.atol, options.rtol)
    check_dtype(options.dtype)
    check_external_data(options.external_data)
    encoded(options.metadata or {})
    check_target(path)
    if options.card:
        check_card(Path(path))


def call_of(
    subject: Subject, args: Any, kwargs: dict[str, Any], dtype: Any
) -> tuple[Subject, Call]:
    """The module and its arguments, converted if wanted."""
    call = _arguments(subject, args, kwargs)
    wanted = check_dtype(dtype)
    return (subject, call) if wanted is None else converted(subject, call, wanted)


def _arguments(subject: Subject, args: Any, kwargs: dict[str, Any]) -> Call:
    """The caller's arguments, or, where there are none, those that a program was captured with.

    A program has its inputs in the order that its own arguments had.
    """
    if subject.program is not None and not kwargs and isinstance(args, tuple | None) and not args:
        examples: tuple[Any, ...] = subject.program.example_inputs or ((), {})
        args, kwargs = examples[0], dict(examples[1])
    call = settled(subject.module, args, kwargs)
    if subject.program is not None and (spec := subject.program.call_spec.in_spec) is not None:
        with contextlib.suppress(ValueError):  # of another structure: the module refuses it
            call = pytree.tree_unflatten(spec.flatten_up_to(call), spec)
    return call


def checked(
    subject: Subject, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> Options:
    """Refuses what can be refused before the work begins; returns the options, completed."""
    module = subject.module
    check_state(module)
    checks.check_module(module, training=options.training)
    if subject.program is not None:
        check_program(subject.program, options.dynamic_shapes, training=options.training)
    inputs = {f"input {i}": tensor for i, tensor in enumerate(tensors_of(args, kwargs))}
    check_there(inputs)
    bound_arguments(module, args, kwargs)
    checks.check_tensors({**inputs, **module.state_dict(keep_vars=True)})
    check_input_names(options.input_names, len(inputs))
    shapes = named_shapes(
        options.dynamic_shapes,
        bound_arguments(module, args, kwargs),
        spread_arguments(module, args, kwargs),
        options.input_names,
    )
    return dataclasses.replace(options, dynamic_shapes=shapes)
