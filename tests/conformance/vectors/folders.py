"""Folders of vectors and outputs, for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS
from onnx_acts.conformance.vectors.folders import DATA_SET, case_of
from onnx_acts.conformance.vectors.frozen import Vectors, chosen, frozen, vectors_files
from onnx_acts.conformance.vectors.index import Test
from onnx_acts.conformance.vectors.tensors import read_tensor
from onnx_acts.definition.specs import ELEMENT_TYPES, OPERATORS, QUANTIZED_TYPES
from onnx_acts.files.folders import write_folder

__all__ = ["expected", "part", "write_outputs", "write_vectors"]

Array = NDArray[Any]

_NAMES = tuple(spec.name for spec in OPERATORS)
_TYPES = (*ELEMENT_TYPES, *QUANTIZED_TYPES)


def part(
    operators: Sequence[str] = _NAMES,
    dtypes: Sequence[str] = _TYPES,
    groups: Sequence[str] = tuple(GROUPS),
    quick: bool = False,
) -> Vectors:
    """A part of the frozen set."""
    whole = frozen()
    return Vectors(chosen(whole.index, operators, dtypes, groups, quick), whole.files)


def write_vectors(vectors: Vectors, folder: Path) -> Path:
    """Writes vectors; returns the folder."""
    write_folder(folder, vectors_files(vectors).items())
    return folder


def expected(vectors: Vectors, test: Test) -> list[Array]:
    """The expected outputs of a test."""
    files = vectors.files(test)
    numbers = range(len(test.outputs))
    return [read_tensor(files[f"{DATA_SET}/output_{number}.pb"]) for number in numbers]


def write_outputs(
    vectors: Vectors,
    folder: Path,
    compute: Callable[[Case, list[Array]], Sequence[Array]] = lambda case, outputs: outputs,
) -> Path:
    """Writes the outputs of a runtime that changes the expected ones; returns the folder."""
    for test in vectors.index.tests:
        case = case_of(test, vectors.files(test))
        place = folder / test.name / DATA_SET
        place.mkdir(parents=True)
        for number, array in enumerate(compute(case, expected(vectors, test))):
            tensor = onnx.numpy_helper.from_array(np.array(array, order="C"))
            (place / f"output_{number}.pb").write_bytes(tensor.SerializeToString())
    return folder
