"""`onnx-acts conform --from-outputs`: the verdict on what another program wrote."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from onnx_acts.cli.arguments import named, progress
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES

if TYPE_CHECKING:
    from onnx_acts.conformance.suite import Result

__all__ = ["add_from_outputs", "check_unused", "result_from_outputs"]

_DEFAULT_NAME = "outputs"


def add_from_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that are about files of outputs to `onnx-acts conform`."""
    parser.add_argument(
        "--from-outputs",
        metavar="DIR",
        help="judge the outputs that another program wrote for the tests of `onnx-acts vectors`, as"
        " DIR/TEST/test_data_set_0/output_0.pb or .npy, instead of running anything",
    )
    parser.add_argument(
        "--name",
        metavar="NAME[==VERSION]",
        help=f"that program's name in reports (default: {_DEFAULT_NAME}); what is on record of"
        " onnxruntime and onnxruntime-web counts as known where the version is given",
    )
    parser.add_argument(
        "--vectors",
        metavar="DIR",
        help="the vectors that it ran, where they are a part of the frozen set, or saved failures",
    )


def check_unused(arguments: argparse.Namespace) -> None:
    """Refuses options that are about files of outputs where there are none.

    Raises:
        ValueError: there is one.
    """
    for flag, value in (("--name", arguments.name), ("--vectors", arguments.vectors)):
        if value is not None and arguments.from_outputs is None:
            raise ValueError(f"{flag} says something of --from-outputs, which is not given")


def result_from_outputs(arguments: argparse.Namespace) -> Result:
    """Judges the files.

    Raises:
        ValueError: an option that is about running, a name that there is not, or files that are not
            outputs of the vectors.
        OSError: a folder is missing or cannot be read.
    """
    from onnx_acts.conformance.cases import GROUPS
    from onnx_acts.conformance.vectors.frozen import Vectors, chosen, frozen
    from onnx_acts.conformance.vectors.judging import judge_folder
    from onnx_acts.conformance.vectors.outputs import check_outputs
    from onnx_acts.conformance.vectors.reading import vectors_in

    for flag, value in (
        ("--runtimes", arguments.runtimes),
        ("--runtime", arguments.runtime),
        ("--jobs", arguments.jobs),
        ("--save-failures", arguments.save_failures),
    ):
        if value is not None:
            raise ValueError(f"{flag} is about running; with --from-outputs nothing is run")
    if not arguments.from_outputs:
        raise ValueError("--from-outputs needs the name of a folder; it is empty")
    name, _, version = (_DEFAULT_NAME if arguments.name is None else arguments.name).partition("==")
    if not name.strip():
        raise ValueError(f"--name must begin with a name; got {arguments.name!r}")
    operators = named(arguments.ops, {spec.name: spec.name for spec in OPERATORS}, "--ops")
    types = {name: name for name in (*ELEMENT_TYPES, *QUANTIZED_TYPES)}
    dtypes = named(arguments.dtypes, types, "--dtypes")
    groups = named(arguments.groups, {name: name for name in GROUPS}, "--groups")
    vectors = vectors_in(Path(arguments.vectors)) if arguments.vectors else frozen()
    part = chosen(vectors.index, operators, dtypes, groups, quick=arguments.quick)
    folder = Path(arguments.from_outputs)
    check_outputs(folder, part, [test.name for test in vectors.index.tests])
    judged = Vectors(part, vectors.files)
    return judge_folder(judged, folder, name, version, progress, bool(arguments.html))
