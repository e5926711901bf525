"""Vectors in a folder: a set that `onnx-acts vectors` wrote, or saved failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onnx_acts.conformance.vectors.folders import DATA_SET
from onnx_acts.conformance.vectors.frozen import Vectors
from onnx_acts.conformance.vectors.index import INDEX, Test, read_index

__all__ = ["vectors_in"]


def vectors_in(folder: Path) -> Vectors:
    """The vectors in a folder; the files of a test are read when they are asked for.

    Raises:
        ValueError: the folder has no index, or a damaged one.
    """
    path = folder / INDEX
    if not path.is_file():
        raise ValueError(f"{folder} holds no vectors, or not all of them: there is no {INDEX}")
    return Vectors(read_index(path.read_bytes(), str(path)), lambda test: _inputs(folder, test))


def _inputs(folder: Path, test: Test) -> Mapping[str, bytes]:
    """The input files of a test."""
    place = folder / test.name / DATA_SET
    return {f"{DATA_SET}/{path.name}": path.read_bytes() for path in place.glob("input_*.pb")}
