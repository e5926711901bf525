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
    """The input files of a test; of a single input the model too, which may hold others."""
    place = folder / test.name
    paths = list(place.glob(f"{DATA_SET}/input_*.pb"))
    paths += [place / "model.onnx"] if len(paths) == 1 else []
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}
