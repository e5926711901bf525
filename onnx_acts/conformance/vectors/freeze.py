"""Makes a new version of the frozen set from the suite's cases of today.

    python -m onnx_acts.conformance.vectors.freeze "vectors 2" FILE.tar.xz

Only contributors run this, and only for a new version: decision 17 says when and how.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import sys
import tarfile
from collections.abc import Iterable, Iterator

import numpy as np

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.vectors.folders import files_of, forms_of, test_of
from onnx_acts.conformance.vectors.index import INDEX, Index, Test, index_bytes
from onnx_acts.definition.reference import rounded
from onnx_acts.definition.specs import OPERATORS

__all__ = ["chosen_cases", "freeze", "packed"]

_LONG = 10_000
"""Elements from which on a case has one form alone, the one that more runtimes read."""

_LONGEST = 2**16
"""More of them are there in float32 alone: they are about threads, not about types."""

_LIMIT = 20_000_000
"""Bytes of all files."""


def freeze(version: str, chosen: Iterable[Case]) -> dict[str, bytes]:
    """The files of a new set, by their paths.

    Args:
        version: its name, "vectors" and a number.
        chosen: its cases.

    Raises:
        ValueError: two cases give the same name, or the files are too large.
    """
    files: dict[str, bytes] = {}
    tests: dict[str, Test] = {}
    seen = set()
    for case in chosen:
        for form in forms_of(case)[int(case.inputs[0].size > _LONG) :]:
            key = (case.operator, case.dtype, case.group, form)
            test = dataclasses.replace(test_of(case, form), quick=key not in seen)
            seen.add(key)
            if test.name in tests:
                raise ValueError(f"two cases give {test.name}: {case.name!r} is one of them")
            tests[test.name] = test
            found = files_of(case, form)
            files |= {f"{test.name}/{path}": data for path, data in found.items()}
    files[INDEX] = index_bytes(Index(version, [tests[name] for name in sorted(tests)]))
    size = sum(map(len, files.values()))
    if size > _LIMIT:
        raise ValueError(f"{size} bytes; the limit is {_LIMIT}")
    return dict(sorted(files.items()))


def chosen_cases() -> Iterator[Case]:
    """The cases of a quick run, but for those about strides, which files do not have."""
    for spec, group in itertools.product(OPERATORS, GROUPS):
        for dtype in spec.element_types:
            for case in cases(spec, dtype, group, quick=True):
                is_plain = all(array.flags.c_contiguous for array in case.inputs)
                if is_plain and (case.inputs[0].size <= _LONGEST or dtype == "float32"):
                    yield _settled(case)


def _settled(case: Case) -> Case:
    """The case with ones in place of elements whose true values are too near to a tie.

    The true values of float64 have 64 bits, of which the last may be wrong. Expected outputs must
    be right to the last of their bits.
    """
    if case.dtype != "float64":
        return case
    x, kind = case.inputs[0], case.inputs[0].dtype
    is_open = np.zeros(x.shape, bool)
    for exact in case.exact():
        slack = 8 * np.finfo(exact.dtype).eps
        ends = [rounded(exact * (1 + sign * slack), kind) for sign in (-1, 1)]
        is_open |= (ends[0] != ends[1]) & np.isfinite(exact)
    return dataclasses.replace(case, inputs=[np.where(is_open, 1, x), *case.inputs[1:]])


def packed(files: dict[str, bytes]) -> bytes:
    """The files as a compressed archive, without times and owners."""
    stream = io.BytesIO()
    with tarfile.open(
        fileobj=stream, mode="w:xz", preset=9, format=tarfile.USTAR_FORMAT
    ) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


if __name__ == "__main__":
    _, name, target = sys.argv
    with open(target, "xb") as output:
        output.write(packed(freeze(name, chosen_cases())))
