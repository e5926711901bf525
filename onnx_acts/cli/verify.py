"""`onnx-acts verify`: does a model compute what another one does, and if not, which node is it?"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from onnx_acts.cli.arguments import check_targets, progress
from onnx_acts.cli.export_words import parse_factory_arguments
from onnx_acts.cli.modules import add_module_arguments, check_seed, module_of

__all__ = ["add_verify", "run"]

_RANDOM_WEIGHTS = (
    "no --weights, and FACTORY draws random numbers: unless it loads trained weights itself, the"
    " reference has random ones, those of --seed {}; a model with other weights differs"
)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts verify`."""
    parser.description = (
        "Runs a model and what it should be equal to on the same inputs, and compares the outputs."
        " Where they differ by more than rounding explains, every node is given the reference's"
        " values, and the first that makes something else of them is named. Exit status 0: the"
        " same; 1: different; 2: bad usage, something that cannot be run, or nothing compared since"
        " every output is empty or NaN in both."
    )
    parser.add_argument("model", metavar="MODEL.onnx", help="the model to verify")
    parser.add_argument(
        "--against",
        metavar="OTHER",
        required=True,
        help="what is right: an .onnx file, a FACTORY as `export` takes it (package.module:callable"
        " or file.py:callable; its code runs), or a .pt2 file of torch.export.save (which can run"
        " code, too)",
    )
    add_module_arguments(parser.add_argument_group("the module of FACTORY"))
    _add_inputs(parser)
    _add_kernels(parser)
    limits = parser.add_argument_group(
        "tolerance", "by default, what rounding explains; with one of these, atol + rtol * |want|"
    )
    limits.add_argument("--atol", type=float, metavar="X", help="an absolute tolerance")
    limits.add_argument("--rtol", type=float, metavar="X", help="a relative tolerance")
    reports = parser.add_argument_group("reports")
    reports.add_argument("--json", metavar="FILE", help="write everything as JSON")
    reports.add_argument(
        "--html", metavar="FILE", help="write a page with the error of every node; implies --nodes"
    )
    reports.add_argument(
        "--nodes", action="store_true", help="look at every node also where the outputs are equal"
    )
    reports.add_argument(
        "--cause",
        metavar="FOLDER",
        help="where the first cause is written: its inputs, a model of it alone, and a program that"
        " shows the difference; a new or empty folder (default: MODEL-cause in the current"
        " folder, with a number where that is there)",
    )
    parser.set_defaults(run=run)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("inputs")
    group.add_argument("--inputs", metavar="FILE.npz", help="arrays by the names of the inputs")
    group.add_argument(
        "--random",
        type=int,
        default=1,
        metavar="N",
        help="sets of random inputs, where none are given (default 1): standard normal numbers, 0"
        " or 1, indices within their table",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the random inputs, and of random weights of FACTORY's module: that of `export` for"
        " a model that was exported without --weights (default 0)",
    )
    group.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=SIZES",
        help="shape of a random input with free dimensions, as in image=1x3x64x64",
    )


def _add_kernels(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "what runs MODEL", "the reference runs on ONNX Runtime alone, or in PyTorch"
    )
    kernels = group.add_mutually_exclusive_group()
    for word, text in (
        ("library", "its onnx_acts nodes run on the native operators (default where it has any)"),
        ("bodies", "its onnx_acts nodes run as function bodies"),
        ("standard", "standard activations run on the native kernels, too"),
    ):
        kernels.add_argument(
            f"--{word}", dest="kernels", action="store_const", const=word, help=text
        )
    group.add_argument(
        "--provider",
        action="append",
        default=[],
        metavar="NAME",
        help="an execution provider of ONNX Runtime; once for each, in order (default: the CPU's)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Verifies; returns 0 where the two are the same, 1 where not, 2 where nothing was compared."""
    from onnx_acts.files.writing import write_atomically
    from onnx_acts.verifying import verify
    from onnx_acts.verifying.json_text import json_text
    from onnx_acts.verifying.page import page
    from onnx_acts.verifying.words import summary

    check_targets((arguments.json, arguments.html), _read(arguments))
    check_seed(arguments.seed)
    folder = _cause_folder(arguments)
    shapes = dict(map(_shape, arguments.shape))
    if arguments.inputs and (shapes or arguments.random != 1):
        raise ValueError("--inputs are the inputs: leave out --random and --shape")
    try:
        reference, notes = _reference(arguments)
        result = verify(
            arguments.model,
            reference,
            inputs=arguments.inputs,
            random=arguments.random,
            seed=arguments.seed,
            shapes=shapes,
            kernels=arguments.kernels,
            providers=arguments.provider or None,
            atol=arguments.atol,
            rtol=arguments.rtol,
            nodes=arguments.nodes or bool(arguments.html),
            folder=folder,
            tell=progress,
        )
    finally:
        progress("")
    result = dataclasses.replace(result, notes=(*notes, *result.notes))
    print(summary(result))
    if arguments.json:
        write_atomically(arguments.json, json_text(result).encode())
    if arguments.html:
        write_atomically(arguments.html, page(result).encode())
    return 0 if result.same else 1 if result.is_compared else 2


def _read(arguments: argparse.Namespace) -> list[str | None]:
    """The files that are read."""
    code = arguments.against.rpartition(":")[0]
    return [arguments.model, arguments.against, code or None, arguments.weights, arguments.inputs]


def _cause_folder(arguments: argparse.Namespace) -> str | None:
    """Where the cause goes: what is there stays, so the folder is new, or empty.

    Raises:
        ValueError: --cause is a report's file.
        OSError: --cause has files already, or cannot be written.
    """
    from onnx_acts.files.folders import check_folder

    reports = [os.path.realpath(path) for path in (arguments.json, arguments.html) if path]
    if arguments.cause:
        if os.path.realpath(check_folder(arguments.cause)) in reports:
            raise ValueError(f"--cause {arguments.cause} is a report's file: name another folder")
        return str(arguments.cause)
    if not os.access(".", os.W_OK | os.X_OK):
        print("onnx-acts verify: the current folder is read-only: no --cause", file=sys.stderr)
        return None
    usual = f"{Path(arguments.model).stem}-cause"
    later = (f"{usual}-{number}" for number in itertools.count(2))
    return next(
        name
        for name in itertools.chain([usual], later)
        if not os.path.lexists(name) and os.path.realpath(name) not in reports
    )


def _shape(text: str) -> tuple[str, list[int]]:
    """Reads a `--shape`."""
    name, _, sizes = text.rpartition("=")
    if not name or not re.fullmatch(r"\d+(x\d+)*", sizes):
        raise ValueError(f"--shape {text!r} must have the form NAME=SIZES, as in image=1x3x64x64")
    return name, [int(size) for size in sizes.split("x")]


def _reference(arguments: argparse.Namespace) -> tuple[Any, tuple[str, ...]]:
    """The reference as `verify` takes it, a path or FACTORY's module, and what to say of it."""
    text: str = arguments.against
    is_factory = ":" in text and not Path(text).exists()
    if not is_factory:
        for flag, value in (
            ("--weights", arguments.weights),
            ("--factory-arg", arguments.factory_arguments),
            ("--dtype", arguments.dtype),
        ):
            if value:
                raise ValueError(f"{flag} is for the module of a FACTORY; --against is a file")
        return text, ()
    from onnx_acts.exporting import require_torch
    from onnx_acts.exporting.factory import check_factory

    check_factory(text)
    parse_factory_arguments(arguments.factory_arguments)
    progress("loading PyTorch")
    require_torch()
    progress("building the module")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, is_random = module_of(text, arguments)
    return module, (_RANDOM_WEIGHTS.format(arguments.seed),) if is_random else ()
