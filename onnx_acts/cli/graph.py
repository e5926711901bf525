"""The commands `onnx-acts accelerate` and `onnx-acts lower`."""

from __future__ import annotations

import argparse
from collections import Counter

from onnx_acts.cli.arguments import add_ops
from onnx_acts.files.reading import load_model, save_model
from onnx_acts.graph.accelerate import accelerate_reported
from onnx_acts.graph.lower import lower_counted

__all__ = ["add_parser"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds both commands."""
    faster = subparsers.add_parser(
        "accelerate",
        help="turn standard activations of an ONNX file into onnx_acts nodes with bodies",
        description="Turns PRelu, Elu and known decompositions into onnx_acts nodes with function"
        " bodies. OUT may be IN: it is replaced whole or not at all.",
    )
    _add_files(faster)
    add_ops(faster, "operators to put in")
    faster.add_argument(
        "--approximate",
        action="store_true",
        help="also replace forms that round differently, or differ at NaN or infinity"
        " (docs/semantics.md says how)",
    )
    faster.set_defaults(run=_accelerate)
    lower = subparsers.add_parser(
        "lower",
        help="turn onnx_acts nodes of an ONNX file into standard operators",
        description="Turns onnx_acts nodes into standard ONNX operators only, for runtimes that"
        " know no functions. OUT may be IN: it is replaced whole or not at all.",
    )
    _add_files(lower)
    lower.add_argument(
        "--exact",
        action="store_true",
        help="put the function bodies in everywhere: keeps ELU's digits near zero",
    )
    lower.set_defaults(run=_lower)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="IN.onnx", help="the model to read")
    parser.add_argument("-o", "--output", metavar="OUT.onnx", required=True, help="where to write")


def _accelerate(arguments: argparse.Namespace) -> int:
    model, report = accelerate_reported(
        load_model(arguments.model), ops=arguments.ops, approximate=arguments.approximate
    )
    save_model(model, arguments.output)
    print(f"{arguments.output}: {_listed(report.replaced) or 'nothing to replace'}")
    for left, count in report.left.most_common():
        if left.operator in arguments.ops:
            print(f"  left: {count} {left.form}: {left.reason}")
    return 0


def _lower(arguments: argparse.Namespace) -> int:
    model, counts = lower_counted(load_model(arguments.model), exact=arguments.exact)
    save_model(model, arguments.output)
    print(f"{arguments.output}: {_listed(counts) or 'no onnx_acts nodes'}")
    return 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {form}" for form, count in counts.most_common())
