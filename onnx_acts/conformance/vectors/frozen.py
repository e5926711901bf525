"""The frozen set: its files, and a part of them as a folder."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Collection, Mapping

import numpy as np
import onnx

from onnx_acts.conformance.vectors.index import INDEX, Index, Test, index_bytes, read_index
from onnx_acts.conformance.vectors.making import chosen_cases, make

__all__ = ["DIGEST", "VERSION", "Vectors", "chosen", "digest_of", "frozen", "vectors_files"]

VERSION = "vectors 1"
"""The set that this package makes."""

_OPERATORS = ("ELU", "LeakyReLU", "PReLU", "RReLU", "ReLU", "QLinearPReLU", "QLinearELU")
"""The operators of this set: one that joins the table later belongs to the next set."""

DIGEST = "841e2597730285b0ab384bf972115e60d90ea7f7ebfa4fb5281ad32efafd848b"
"""SHA-256 over the paths and the bytes of all of its files: decision 17 says when it changes."""


@dataclasses.dataclass(frozen=True)
class Vectors:
    """A set of tests with their files.

    Attributes:
        index: what each test is.
        files: the files of a test by their paths in its folder.
    """

    index: Index
    files: Callable[[Test], Mapping[str, bytes]]


def digest_of(files: Mapping[str, bytes]) -> str:
    """A hash over files and their names."""
    found = hashlib.sha256()
    for path, data in sorted(files.items()):
        found.update(f"{path}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


@functools.cache
def frozen() -> Vectors:
    """The set of this package.

    Raises:
        RuntimeError: this machine makes other bytes, which others would take for the set.
    """
    made = make(VERSION, chosen_cases(_OPERATORS))
    if digest_of(made) != DIGEST:
        raise RuntimeError(
            f"NumPy {np.__version__} and onnx {onnx.__version__} make other bytes here than those"
            f" of {VERSION} (SHA-256 {digest_of(made)}, not {DIGEST}); constraints.txt has the"
            " versions that make them"
        )
    index = read_index(made[INDEX], INDEX)
    files: dict[str, dict[str, bytes]] = {test.name: {} for test in index.tests}
    for path, data in made.items():
        folder, _, name = path.partition("/")
        if name:
            files[folder][name] = data
    return Vectors(index, lambda test: files[test.name])


def chosen(
    index: Index,
    operators: Collection[str],
    dtypes: Collection[str],
    groups: Collection[str],
    quick: bool = False,
) -> Index:
    """The part of an index with these operators, element types and groups.

    Args:
        index: the whole.
        operators: their names.
        dtypes: the element types.
        groups: the groups of cases.
        quick: only the first test of each operator, type, group and form.

    Raises:
        ValueError: there is no such test.
    """
    tests = [
        test
        for test in index.tests
        if test.operator in operators and test.dtype in dtypes and test.group in groups
        if test.quick or not quick
    ]
    if not tests:
        raise ValueError(
            f"{index.vectors} has no test of {', '.join(operators)} in {', '.join(dtypes)} in the"
            f" groups {', '.join(groups)}"
        )
    return Index(index.vectors, tests)


def vectors_files(vectors: Vectors) -> dict[str, bytes]:
    """The files of a folder of vectors by their paths, the index last."""
    files = {
        f"{test.name}/{path}": data
        for test in vectors.index.tests
        for path, data in vectors.files(test).items()
    }
    return {**files, INDEX: index_bytes(vectors.index)}
