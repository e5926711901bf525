"""`onnx-acts vectors`: the conformance cases as files that any runtime reads."""

from __future__ import annotations

import argparse

from onnx_acts.cli.arguments import named
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES

__all__ = ["add_vectors", "run"]


def add_vectors(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `onnx-acts vectors`."""
    parser.description = (
        "Write the frozen conformance cases as folders that runtimes and ONNX's own backend runner"
        " read: a model, inputs, expected outputs. vectors.json says what each output must keep."
        " `onnx-acts conform --from-outputs` judges what another program made of them."
    )
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    for flag, what in (("--ops", "operators"), ("--dtypes", "element types")):
        parser.add_argument(flag, metavar="NAME[,NAME]", help=f"only these {what}")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only the first test of each operator, type, group and form",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the folder; returns 0.

    Raises:
        ValueError: a name that there is not, or no test has these operators and types.
        OSError: the folder is not empty, or cannot be written.
    """
    from onnx_acts.conformance.cases import GROUPS
    from onnx_acts.conformance.vectors.frozen import Vectors, chosen, frozen, vectors_files
    from onnx_acts.files.folders import check_folder, write_folder

    operators = named(_words(arguments.ops), {spec.name: spec.name for spec in OPERATORS}, "--ops")
    known = {name: name for name in (*ELEMENT_TYPES, *QUANTIZED_TYPES)}
    dtypes = named(_words(arguments.dtypes), known, "--dtypes")
    target = check_folder(arguments.folder)
    whole = frozen()
    part = Vectors(chosen(whole.index, operators, dtypes, GROUPS, arguments.quick), whole.files)
    files = vectors_files(part)
    write_folder(target, files.items())
    size = sum(map(len, files.values()))
    print(f"{part.index.vectors}: {len(part.index.tests)} tests, {size / 1e6:.1f} MB in {target}")
    return 0


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [text]
