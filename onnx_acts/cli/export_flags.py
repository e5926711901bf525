"""The flags of `onnx-acts export`, in the groups of its help."""

from __future__ import annotations

import argparse

from onnx_acts.cli.arguments import add_ops
from onnx_acts.cli.modules import add_module_arguments
from onnx_acts.exporting.options import STYLES, VERIFY_WORDS

__all__ = ["add_flags"]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds every argument."""
    parser.add_argument(
        "factory",
        metavar="FACTORY",
        help="package.module:callable or file.py:callable, or a .pt2 file of torch.export.save;"
        " its code runs, and loading a .pt2 file can run code, too",
    )
    parser.add_argument("-o", "--output", metavar="OUT.onnx", required=True, help="file to write")
    _add_module(parser.add_argument_group("the module"))
    _add_inputs(parser.add_argument_group("inputs and outputs"))
    _add_nodes(parser)
    _add_file(parser.add_argument_group("the file"))
    _add_verification(parser.add_argument_group("verification"))


def _add_module(group: argparse._ArgumentGroup) -> None:
    add_module_arguments(group)
    group.add_argument(
        "--training",
        action="store_true",
        help="RReLU modules draw their slopes; everything else is exported in evaluation mode",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=0,
        help="for RReLU in training mode, the example inputs, and random weights",
    )


def _add_inputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--input",
        metavar="[NAME=]SHAPE[:DTYPE[:LOW..HIGH]]",
        action="append",
        default=[],
        dest="examples",
        help="one example input, batch dimension included, as in 1x3x32x32, or"
        " tokens=1x16:int64:0..999 with the parameter's name, type and range; once for each."
        " Default: the module's type, normal numbers, 0 for integers. A .pt2 file has its own",
    )
    group.add_argument(
        "--inputs",
        metavar="FILE",
        dest="example_file",
        help="example inputs from an .npz, .safetensors or .pt file (tensors only), by name or in"
        " order",
    )
    group.add_argument(
        "--dynamic",
        metavar="NAME:AXIS=DIM[,AXIS=DIM]",
        action="append",
        default=[],
        help="dynamic dimensions by name, as in image:0=batch,2=height,3=width; once for each"
        " input; all others are fixed then (default: the first dimension of each input)",
    )
    group.add_argument("--fixed-shapes", action="store_true", help="no dynamic dimensions")
    group.add_argument("--input-names", metavar="NAME[,NAME]", help="names for the graph's inputs")
    group.add_argument(
        "--output-names", metavar="NAME[,NAME]", help="names for the graph's outputs"
    )
    group.add_argument(
        "--keep-io-types",
        action="store_true",
        help="float32 for inputs and outputs of 16 bits, with casts inside",
    )


def _add_nodes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the nodes")
    group.add_argument(
        "--style",
        choices=STYLES,
        default="acts",
        help="onnx_acts nodes with function bodies (default), or standard operators only",
    )
    add_ops(group, "operators that become onnx_acts nodes")
    group.add_argument("--opset", type=int, help="17 or newer (default: torch's)")
    group.add_argument(
        "--translations",
        metavar="MODULE:NAME",
        help="for operators of your own: a dictionary, or a function that returns one, as"
        " custom_translation_table of torch.onnx.export; its code runs",
    )
    group.add_argument(
        "--no-optimize",
        dest="optimize",
        action="store_false",
        help="leave out the optimiser of torch's exporter, where it fails",
    )


def _add_file(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--external-data",
        metavar="WHEN",
        default="auto",
        help="large weights in a file of their own: auto (above 2 GiB, default), always, never, or"
        " above a size, as in 100MB",
    )
    group.add_argument(
        "--metadata",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="into the file, JSON or text, as in stride=32 or 'labels=[\"cat\"]'; once for each",
    )
    group.add_argument("--metadata-file", metavar="FILE.json", help="the same from a JSON object")
    group.add_argument(
        "--card",
        action="store_true",
        help="also write a model card, OUT.card.json and OUT.card.md: sources, versions, hashes",
    )


def _add_verification(group: argparse._ArgumentGroup) -> None:
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--verify",
        choices=VERIFY_WORDS,  # the default comes later: argparse excludes no value that is that
        help="compare with PyTorch on function bodies and library (all, the default), on bodies"
        " alone, or not",
    )
    which.add_argument(
        "--no-verify", dest="verify", action="store_const", const="none", help="--verify none"
    )
    for flag, what in (("--atol", "an absolute"), ("--rtol", "a relative")):
        group.add_argument(
            flag,
            type=float,
            metavar="X",
            help=f"{what} tolerance: atol + rtol * |want| in place of what rounding explains",
        )
