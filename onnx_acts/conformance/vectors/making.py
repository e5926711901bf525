"""The files of a set of vectors, made from the suite's cases; the same bytes every time."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.cases import GROUPS, cases
from onnx_acts.conformance.vectors.folders import files_of, forms_of, test_of
from onnx_acts.conformance.vectors.index import INDEX, Index, Test, index_bytes
from onnx_acts.definition.reference import rounded
from onnx_acts.definition.specs import OPERATORS, spec_of

__all__ = ["chosen_cases", "make"]

_LONG = 10_000
"""Elements from which on a case has one form alone, the one that more runtimes read."""

_LONGEST = 2**16
"""More of them are there in float32 alone: they are about threads, not about types."""

_EPSILON = 2.0**-63
"""The unit of the reference's 64 bits beside 1, on machines that have more of them too."""

_LIMIT = 25_000_000
"""Bytes of all files."""


def make(version: str, chosen: Iterable[Case]) -> dict[str, bytes]:
    """The files of a set, by their paths.

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


def chosen_cases(operators: Iterable[str] | None = None, number: int = 1) -> Iterator[Case]:
    """The cases of a quick run that files can hold.

    Files have no strides, and no bare nodes; models of several nodes, what must be refused and laws
    of random draws have no place in ONNX's layout.

    Args:
        operators: the names of the operators; None for all.
        number: the set: later cases belong to a later one.
    """
    specs = OPERATORS if operators is None else [spec_of(name) for name in operators]
    for spec, group in itertools.product(specs, GROUPS):
        for dtype in spec.element_types:
            for case in cases(spec, dtype, group, quick=True):
                is_plain = case.is_one_node and not (
                    case.refused or case.bare or case.law or case.runs > 1
                )
                is_plain &= case.vectors <= number
                is_plain &= all(array.flags.c_contiguous for array in case.inputs)
                if is_plain and (case.inputs[0].size <= _LONGEST or dtype == "float32"):
                    yield _settled(case)


def _settled(case: Case) -> Case:
    """The case with ones in place of elements whose true values are too near to a tie.

    The true values of float64 have 64 bits, of which the last may be wrong. Expected outputs must
    be right to the last of their bits.
    """
    if case.dtype != "float64" or case.is_certain:
        return case
    x, kind = case.inputs[0], case.inputs[0].dtype
    is_open = np.zeros(x.shape, bool)
    for exact in case.exact():
        slack = exact.dtype.type(8 * _EPSILON)
        with np.errstate(over="ignore"):
            ends = [rounded(exact * (1 + sign * slack), kind) for sign in (-1, 1)]
        is_open |= (ends[0] != ends[1]) & np.isfinite(exact)
    return dataclasses.replace(case, inputs=[np.where(is_open, 1, x), *case.inputs[1:]])
