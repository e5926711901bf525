"""The subcommand `onnx-acts export`."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from onnx_acts.cli.arguments import Steps, add_ops, check_targets, progress
from onnx_acts.definition.specs import ELEMENT_TYPES
from onnx_acts.exporting import ExportResult, VerificationError, require_torch
from onnx_acts.exporting.checkpoint_kinds import check_kind
from onnx_acts.exporting.factory import build_module, check_factory
from onnx_acts.exporting.options import STYLES, VERIFY_WORDS, Options

if TYPE_CHECKING:
    import torch

__all__ = ["add_export", "run"]

_INTEGERS = ("int64", "int32", "bool")
_NOT_LOADED = (
    "no --weights: the model has the weights that FACTORY makes, random ones unless FACTORY itself"
    " loads trained ones"
)
_LARGEST_SEED = 2**64 - 1
"""Of torch's generators."""

_STEPS = 6
"""Loading torch, building the module, and the four of which the pipeline tells."""


def add_export(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts export`."""
    parser.description = (
        "Builds the module that FACTORY names, loads its weights, exports it and compares ONNX"
        " Runtime with PyTorch. Needs the extra: pip install 'onnx-acts[export]'."
    )
    parser.add_argument(
        "factory",
        metavar="FACTORY",
        help="package.module:callable or file.py:callable, called without arguments, or a .pt2 file"
        " of torch.export.save; its code runs, and loading a .pt2 file can run code, too",
    )
    parser.add_argument("--weights", metavar="FILE", help="safetensors file with the state_dict")
    parser.add_argument(
        "--input",
        metavar="SHAPE[:DTYPE]",
        action="append",
        default=[],
        dest="inputs",
        help="shape of one input, batch dimension included, as in 1x3x32x32 or"
        " 1x3x32x32:float32; once for each input."
        f" DTYPE is one of {', '.join((*ELEMENT_TYPES, *_INTEGERS))}; default: the module's."
        " A .pt2 file has its own",
    )
    parser.add_argument("-o", "--output", metavar="OUT.onnx", required=True, help="file to write")
    _add_options(parser)
    parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--style",
        choices=STYLES,
        default="acts",
        help="onnx_acts nodes with function bodies (default), or standard operators only",
    )
    add_ops(parser, "operators that become onnx_acts nodes")
    parser.add_argument("--opset", type=int, help="18 or newer (default: torch's)")
    parser.add_argument(
        "--dtype", choices=ELEMENT_TYPES, help="convert the module (default: as in the weights)"
    )
    parser.add_argument(
        "--fixed-shapes", action="store_true", help="do not make the first dimension dynamic"
    )
    parser.add_argument(
        "--verify",
        choices=VERIFY_WORDS,
        default="all",
        help="compare with PyTorch on function bodies and library, on bodies alone, or not",
    )
    parser.add_argument(
        "--no-verify", dest="verify", action="store_const", const="none", help="--verify none"
    )
    parser.add_argument(
        "--no-optimize",
        dest="optimize",
        action="store_false",
        help="leave out the optimiser of torch's exporter, where it fails",
    )
    parser.add_argument(
        "--training",
        action="store_true",
        help="RReLU modules draw their slopes; everything else is exported in evaluation mode",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="for RReLU in training mode and the example inputs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports; returns 0, or 1 where ONNX Runtime differs from PyTorch."""
    _check(arguments)
    try:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            try:
                result = _export(arguments, Steps(_STEPS))
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
    check_targets([arguments.output])
    if _is_program(arguments):
        if arguments.weights or arguments.dtype:
            raise ValueError(
                f"{arguments.factory} has its weights and its element type: leave out --weights and"
                " --dtype"
            )
        if not Path(arguments.factory).is_file():
            raise FileNotFoundError(f"there is no program at {arguments.factory}")
    else:
        check_factory(arguments.factory)
        if not arguments.inputs:
            raise ValueError("--input is missing: give the shape of each input, as in 1x3x32x32")
    if arguments.weights:
        check_kind(Path(arguments.weights))
    for text in arguments.inputs:
        _shape_and_type(text)
    if not 0 <= arguments.seed <= _LARGEST_SEED:
        raise ValueError(f"--seed must be from 0 to 2**64 - 1, got {arguments.seed}")


def _is_program(arguments: argparse.Namespace) -> bool:
    return bool(arguments.factory.endswith(".pt2"))


def _export(arguments: argparse.Namespace, tell: Callable[[str], None]) -> ExportResult:
    tell("loading PyTorch")
    require_torch()
    from onnx_acts.exporting import pipeline

    tell("building the module")
    source = _source(arguments)
    inputs = tuple(_example(text, source, arguments.seed) for text in arguments.inputs)
    options = Options(
        style=arguments.style,
        ops=arguments.ops,
        dynamic_shapes={} if arguments.fixed_shapes else None,
        opset=arguments.opset,
        verify=arguments.verify,
        training=arguments.training,
        seed=arguments.seed,
        optimize=arguments.optimize,
        tell=tell,
    )
    return pipeline.run(source, inputs, {}, arguments.output, options)


def _source(arguments: argparse.Namespace) -> torch.nn.Module | torch.export.ExportedProgram:
    """Builds the module, or loads the program that a .pt2 file holds."""
    if not _is_program(arguments):
        return _module(arguments)
    from onnx_acts.exporting.subjects import load_program

    return load_program(arguments.factory)


def _module(arguments: argparse.Namespace) -> torch.nn.Module:
    """Builds the module, in evaluation mode but for RReLU where training is asked for."""
    import torch

    from onnx_acts.exporting.checkpoints import load_weights

    module = build_module(arguments.factory)
    if arguments.weights:
        load_weights(module, arguments.weights)
    elif module.state_dict():
        warnings.warn(_NOT_LOADED, stacklevel=2)
    if arguments.dtype:
        module.to(getattr(torch, arguments.dtype))
    module.eval()
    for part in module.modules():
        if isinstance(part, torch.nn.RReLU):
            part.train(arguments.training)
    return module


def _example(
    text: str, module: torch.nn.Module | torch.export.ExportedProgram, seed: int
) -> torch.Tensor:
    """Makes one example input: standard normal numbers, or zeros, which are valid as indices."""
    import torch

    shape, dtype_text = _shape_and_type(text)
    dtype = getattr(torch, dtype_text) if dtype_text else _dtype_of(module)
    if not dtype.is_floating_point:
        return torch.zeros(shape, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def _shape_and_type(text: str) -> tuple[list[int], str]:
    """Reads an `--input`; the type is empty where it is left to the module."""
    shape_text, _, dtype_text = text.partition(":")
    if not re.fullmatch(r"(\d+(x\d+)*)?", shape_text):
        raise ValueError(
            f"--input {text!r}: the shape must be numbers joined by x, as in 1x3x32x32"
        )
    if dtype_text and dtype_text not in (*ELEMENT_TYPES, *_INTEGERS):
        raise ValueError(
            f"--input {text!r}: {dtype_text!r} is not one of"
            f" {', '.join((*ELEMENT_TYPES, *_INTEGERS))}"
        )
    return [int(size) for size in shape_text.split("x") if size], dtype_text


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
    return "\n".join(lines)


def _where(result: ExportResult, runtime: str) -> str:
    """The runtime that was compared; a file without our nodes has no bodies."""
    return f" ({runtime})" if result.node_counts else ""
