"""The subcommand `onnx-acts export`."""

from __future__ import annotations

import argparse
import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx_acts.cli.arguments import Steps, check_targets, progress
from onnx_acts.cli.export_flags import add_flags
from onnx_acts.cli.export_words import (
    command_line,
    parse_dynamic,
    parse_factory_arguments,
    parse_metadata,
    parse_names,
    parse_size,
)
from onnx_acts.cli.modules import check_seed, module_of
from onnx_acts.exporting import ExportResult, VerificationError, require_torch
from onnx_acts.exporting.checkpoint_kinds import check_kind
from onnx_acts.exporting.examples import check_example_file, load_examples, parse_example
from onnx_acts.exporting.factory import check_factory, find
from onnx_acts.exporting.options import CARD_ENDS, Options, check_tolerances, tolerance

if TYPE_CHECKING:
    import torch

__all__ = ["add_export", "run"]

_NOT_LOADED = (
    "no --weights: the model has the weights that FACTORY makes, random ones unless FACTORY itself"
    " loads trained ones"
)
_STEPS = 6
"""Loading torch, building the module, and the four of which the pipeline tells."""


def add_export(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts export`."""
    parser.description = (
        "Builds the module that FACTORY names, loads its weights, exports it and compares ONNX"
        " Runtime with PyTorch. Needs the extra: pip install 'onnx-acts[export]'."
    )
    add_flags(parser)
    parser.set_defaults(run=functools.partial(run, parser))


def run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Exports; returns 0, or 1 where ONNX Runtime differs from PyTorch."""
    _check(arguments)
    try:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            try:
                result = _export(parser, arguments, Steps(_STEPS))
            finally:
                progress("")
    except VerificationError as error:
        print(f"onnx-acts export: {error}", file=sys.stderr)
        return 1
    for remark in remarks:
        print(f"onnx-acts export: warning: {remark.message}", file=sys.stderr)
    print(_summary(result))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuses what can be refused before torch is loaded, which takes seconds."""
    check_targets(_written(arguments), _read(arguments))
    if _is_program(arguments):
        _check_program(arguments)
    else:
        check_factory(arguments.factory)
        if not arguments.examples and not arguments.example_file:
            raise ValueError(
                "--input is missing: give the shape of each input, as in 1x3x32x32, or --inputs"
                " with a file of them"
            )
    _check_inputs(arguments)
    if arguments.weights:
        check_kind(Path(arguments.weights))
    if arguments.translations:
        check_factory(arguments.translations, "--translations")
    parse_factory_arguments(arguments.factory_arguments)
    parse_metadata(arguments.metadata, arguments.metadata_file)
    parse_size(arguments.external_data)
    check_tolerances(arguments.verify or "all", arguments.atol, arguments.rtol)
    check_seed(arguments.seed)


def _written(arguments: argparse.Namespace) -> list[str]:
    """The files that are written."""
    output = Path(arguments.output)
    cards = [output.with_name(output.stem + end) for end in CARD_ENDS] if arguments.card else []
    return [arguments.output, *map(str, cards)]


def _read(arguments: argparse.Namespace) -> list[str]:
    """The files that are read: the code too."""
    found = [arguments.weights, arguments.example_file, arguments.metadata_file]
    if _is_program(arguments):
        found.append(arguments.factory)
    for name in (arguments.factory, arguments.translations):
        place = (name or "").rpartition(":")[0]
        if place.endswith(".py"):
            found.append(place)
        elif place:
            inside = Path(*place.split(".")).with_suffix(".py")
            found += [str(Path(folder) / inside) for folder in ("", *sys.path)]
    return [path for path in found if path]


def _check_program(arguments: argparse.Namespace) -> None:
    """Refuses what a captured program has itself."""
    if arguments.weights or arguments.dtype:
        raise ValueError(
            f"{arguments.factory} has its weights and its element type: leave out --weights and"
            " --dtype"
        )
    if arguments.factory_arguments or arguments.dynamic:
        raise ValueError(
            f"{arguments.factory} is a captured program, with shapes of its own: leave out"
            " --factory-arg and --dynamic"
        )
    if not Path(arguments.factory).is_file():
        raise FileNotFoundError(f"there is no program at {arguments.factory}")


def _check_inputs(arguments: argparse.Namespace) -> None:
    for text in arguments.examples:
        parse_example(text)
    if arguments.example_file:
        check_example_file(Path(arguments.example_file))
        if arguments.examples:
            raise ValueError("--input and --inputs both give example inputs: leave one out")
    if parse_dynamic(arguments.dynamic) and arguments.fixed_shapes:
        raise ValueError("--dynamic and --fixed-shapes exclude each other: leave one out")


def _is_program(arguments: argparse.Namespace) -> bool:
    return bool(arguments.factory.endswith(".pt2"))


def _export(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace, tell: Callable[[str], None]
) -> ExportResult:
    tell("loading PyTorch")
    require_torch()
    from onnx_acts.exporting import pipeline

    tell("building the module")
    source = _source(arguments)
    args, kwargs = _examples(arguments, source)
    options = Options(
        style=arguments.style,
        ops=arguments.ops,
        dynamic_shapes={} if arguments.fixed_shapes else parse_dynamic(arguments.dynamic) or None,
        opset=arguments.opset,
        verify=arguments.verify or "all",
        training=arguments.training,
        seed=arguments.seed,
        input_names=parse_names(arguments.input_names),
        output_names=parse_names(arguments.output_names),
        optimize=arguments.optimize,
        atol=tolerance("--atol", arguments.atol),
        rtol=tolerance("--rtol", arguments.rtol),
        custom_translation_table=_translations(arguments.translations),
        keep_io_types=arguments.keep_io_types,
        external_data=parse_size(arguments.external_data),
        metadata=parse_metadata(arguments.metadata, arguments.metadata_file),
        card=arguments.card,
        tell=tell,
        origin=_origin(arguments) if arguments.card else {},
        command=command_line(parser, arguments, Path(arguments.output).name),
    )
    return pipeline.run(source, args, kwargs, arguments.output, options)


def _origin(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the card tells of the sources, which the module does not know."""
    from onnx_acts.exporting.card import file_facts

    place = check_factory(arguments.factory)[0] if not _is_program(arguments) else ""
    files = {
        "factory_file": place if place.endswith(".py") else None,
        "program": arguments.factory if _is_program(arguments) else None,
        "weights_file": arguments.weights,
        "inputs_file": arguments.example_file,
    }
    facts = {name: file_facts(Path(path)) for name, path in files.items() if path}
    return {"factory": arguments.factory, **facts}


def _translations(text: str | None) -> Any:
    """The table that the user names, or what the function of that name returns."""
    if text is None:
        return None
    found = find(text, "--translations")
    try:
        return found() if callable(found) else found
    except (Exception, SystemExit) as error:  # somebody else's code may raise anything
        raise ValueError(
            f"--translations {text!r} fails when called without arguments:"
            f" {type(error).__name__}: {error}"
        ) from error


def _source(arguments: argparse.Namespace) -> torch.nn.Module | torch.export.ExportedProgram:
    """Builds the module, or loads the program that a .pt2 file holds."""
    if not _is_program(arguments):
        return _module(arguments)
    from onnx_acts.exporting.subjects import load_program

    return load_program(arguments.factory)


def _module(arguments: argparse.Namespace) -> torch.nn.Module:
    """Builds the module, in evaluation mode but for RReLU where training is asked for."""
    import torch

    module, _ = module_of(arguments.factory, arguments)
    if not arguments.weights and module.state_dict():
        warnings.warn(_NOT_LOADED, stacklevel=2)
    for part in module.modules():
        if isinstance(part, torch.nn.RReLU):
            part.train(arguments.training)
    return module


def _examples(
    arguments: argparse.Namespace, module: torch.nn.Module | torch.export.ExportedProgram
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The example inputs; real ones from a file take --dtype as well."""
    import torch

    if arguments.example_file:
        args, kwargs = load_examples(Path(arguments.example_file))
        if arguments.dtype is None:
            return args, kwargs
        dtype = getattr(torch, arguments.dtype)

        def changed(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(dtype) if tensor.is_floating_point() else tensor

        return tuple(map(changed, args)), {name: changed(item) for name, item in kwargs.items()}
    generator = torch.Generator().manual_seed(arguments.seed)
    default, args, kwargs = _dtype_of(module), (), {}
    for text in arguments.examples:
        example = parse_example(text)
        if example.name in kwargs:
            raise ValueError(f"--input: {example.name!r} is given twice")
        tensor = example.tensor(default, generator)
        if example.name:
            kwargs[example.name] = tensor
        else:
            args += (tensor,)
    return args, kwargs


def _dtype_of(module: torch.nn.Module | torch.export.ExportedProgram) -> torch.dtype:
    """The element type of the module's first floating-point parameter, else float32."""
    import torch

    types = (item.dtype for item in module.parameters() if item.is_floating_point())
    return next(types, torch.float32)


def _summary(result: ExportResult) -> str:
    """What was written, in a few lines."""
    counts = ", ".join(f"{name} {count}" for name, count in result.node_counts.items()) or "none"
    lines = [
        f"{result.path}: style {result.style}, opset {result.opset}, onnx_acts nodes: {counts}",
        *(f"  {n} {form}: LeakyRelu, which ONNX Runtime fuses" for form, n in result.fused.items()),
        f"verification: {result.verification}",
    ]
    lines += [
        f"  {error.output}{_where(result, error.runtime)}: largest difference {error.max_abs:.3g}"
        f" ({error.max_ulp:.3g} ULP), allowed {error.tolerance:.3g};"
        f" {error.share:.0%} of the limit"
        for error in result.errors
    ]
    if result.cards:
        lines.append(f"card: {', '.join(map(str, result.cards))}")
    return "\n".join(lines)


def _where(result: ExportResult, runtime: str) -> str:
    """The runtime that was compared; a file without our nodes has no bodies."""
    return f" ({runtime})" if result.node_counts else ""
