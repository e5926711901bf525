"""The commands `onnx-acts accelerate` and `onnx-acts lower`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

import onnx

from onnx_acts.cli.arguments import add_ops
from onnx_acts.definition.specs import spec_of
from onnx_acts.files.reading import load_model, save_model
from onnx_acts.files.structure import STANDARD_DOMAINS, walk_nodes
from onnx_acts.graph.accelerate import accelerate_counted
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
    model, counts = accelerate_counted(
        load_model(arguments.model), ops=arguments.ops, approximate=arguments.approximate
    )
    save_model(model, arguments.output)
    left = _left(model, arguments.ops)
    why = "element type, shapes, opset or place not known to fit"
    note = f"; left: {_listed(left)} ({why})" if left else ""
    print(f"{arguments.output}: {_listed(counts) or 'nothing to replace'}{note}")
    return 0


def _lower(arguments: argparse.Namespace) -> int:
    model, counts = lower_counted(load_model(arguments.model), exact=arguments.exact)
    save_model(model, arguments.output)
    print(f"{arguments.output}: {_listed(counts) or 'no onnx_acts nodes'}")
    return 0


def _left(model: onnx.ModelProto, ops: Sequence[str]) -> Counter[str]:
    """Counts the standard nodes that were asked for and are still there."""
    wanted = {
        spec_of(name).standard_name for name in ops if spec_of(name).parameter_source != "draw"
    }
    nodes = (node for node in walk_nodes(model) if node.domain in STANDARD_DOMAINS)
    return Counter(node.op_type for node in nodes if node.op_type in wanted)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {form}" for form, count in counts.most_common())
