"""The commands `onnx-acts accelerate` and `onnx-acts lower`."""

from __future__ import annotations

import argparse
from collections import Counter

from onnx_acts.cli.arguments import add_ops
from onnx_acts.graph.accelerate import accelerate_file_reported
from onnx_acts.graph.deciding import not_asked_for
from onnx_acts.graph.lower import lower_file
from onnx_acts.text.spelling import printable

__all__ = ["add_accelerate", "add_lower"]

_WEIGHTS = (
    "External data stays where it is if OUT is in the same folder, and is copied to a new file"
    " beside OUT if not."
)


def add_accelerate(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts accelerate`."""
    parser.description = (
        "Turns PRelu, Elu and known decompositions into onnx_acts nodes with function bodies, and"
        " reports what stays and why. OUT may be IN: it is replaced whole or not at all."
        f" {_WEIGHTS}"
    )
    _add_files(parser)
    add_ops(parser, "operators to put in")
    parser.add_argument(
        "--approximate",
        action="store_true",
        help="also replace forms that round differently, or differ at NaN or infinity"
        " (docs/semantics.md says how)",
    )
    parser.add_argument(
        "--unsigned",
        action="store_true",
        help="also make int8 activations of quantized models uint8, with the same results",
    )
    parser.set_defaults(run=_accelerate)


def add_lower(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts lower`."""
    parser.description = (
        "Turns onnx_acts nodes into standard ONNX operators only, for runtimes that know no"
        " functions. OUT may be IN: it is replaced whole or not at all."
        f" {_WEIGHTS}"
    )
    _add_files(parser)
    parser.add_argument(
        "--exact",
        action="store_true",
        help="put the function bodies in everywhere: keeps ELU's digits near zero",
    )
    parser.set_defaults(run=_lower)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="IN.onnx", help="the model to read")
    parser.add_argument("-o", "--output", metavar="OUT.onnx", required=True, help="where to write")


def _accelerate(arguments: argparse.Namespace) -> int:
    report = accelerate_file_reported(
        arguments.model,
        arguments.output,
        ops=arguments.ops,
        approximate=arguments.approximate,
        unsigned=arguments.unsigned,
    )
    print(f"{arguments.output}: {_listed(report.replaced) or 'nothing to replace'}")
    for left, count in report.left.most_common():
        if left.reason != not_asked_for(left.operator):
            print(f"  left: {count} {left.form}: {printable(left.reason)}")
    return 0


def _lower(arguments: argparse.Namespace) -> int:
    counts = lower_file(arguments.model, arguments.output, exact=arguments.exact)
    print(f"{arguments.output}: {_listed(counts) or 'no onnx_acts nodes'}")
    return 0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {printable(form)}" for form, count in counts.most_common())
