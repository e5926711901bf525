"""The frozen set: its files as this package holds them, and a part of them as a folder."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import io
import tarfile
from collections.abc import Callable, Collection, Mapping

from onnx_acts.conformance.vectors.index import INDEX, Index, Test, index_bytes, read_index

__all__ = ["VERSION", "Vectors", "chosen", "frozen", "vectors_files"]

VERSION = "vectors 1"
"""The set that this package holds."""

_ARCHIVE = "vectors-1.tar.xz"


@dataclasses.dataclass(frozen=True)
class Vectors:
    """A set of tests with their files.

    Attributes:
        index: what each test is.
        files: the files of a test by their paths in its folder.
    """

    index: Index
    files: Callable[[Test], Mapping[str, bytes]]


@functools.cache
def _contents() -> dict[str, dict[str, bytes]]:
    """Every file of the archive, by the folder (the index has none) and the path in it."""
    data = importlib.resources.files(__package__).joinpath(_ARCHIVE).read_bytes()
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:xz") as archive:
        for entry in archive:
            stream = archive.extractfile(entry)
            assert stream is not None  # the archive holds plain files alone
            folder, path = entry.name.split("/", 1) if "/" in entry.name else ("", entry.name)
            found.setdefault(folder, {})[path] = stream.read()
    return found


@functools.cache
def frozen() -> Vectors:
    """The set of this package."""
    contents = _contents()
    index = read_index(contents[""][INDEX], f"{_ARCHIVE}/{INDEX}")
    return Vectors(index, lambda test: contents[test.name])


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
