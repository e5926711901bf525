"""Making a new version: the same bytes each time, from whatever cases there are."""

import io
import tarfile
from collections.abc import Iterator

import numpy as np
import pytest

from onnx_acts.conformance.case import Case
from onnx_acts.conformance.vectors import freeze as module
from onnx_acts.conformance.vectors.folders import DATA_SET, case_of
from onnx_acts.conformance.vectors.freeze import chosen_cases, freeze, packed
from onnx_acts.conformance.vectors.index import INDEX, read_index
from onnx_acts.conformance.vectors.tensors import read_tensor
from onnx_acts.definition.reference import rounded


def some_cases() -> Iterator[Case]:
    """Those of one group."""
    return (case for case in chosen_cases() if case.group == "attributes")


def test_the_same_bytes() -> None:
    """Twice the same, and the archive gives back what was put in."""
    files = freeze("vectors 9", some_cases())
    assert files == freeze("vectors 9", some_cases())
    once = packed(files)
    assert once == packed(files)
    with tarfile.open(fileobj=io.BytesIO(once), mode="r:xz") as archive:
        found = {entry.name: archive.extractfile(entry) for entry in archive}
        assert {name: stream.read() for name, stream in found.items() if stream} == files
        assert {(entry.mtime, entry.uid, entry.uname) for entry in archive} == {(0, 0, "")}


def test_files_give_back_their_cases() -> None:
    """A case that is read from its files is the one that was written, to the bits."""
    chosen = {}
    for case in some_cases():
        chosen[case.operator, case.dtype, case.group, case.name] = case
    files = freeze("vectors 9", chosen.values())
    index = read_index(files[INDEX], INDEX)
    assert index.vectors == "vectors 9"
    for test in index.tests:
        mine = {p.partition("/")[2]: d for p, d in files.items() if p.startswith(f"{test.name}/")}
        found = case_of(test, mine)
        wanted = chosen[test.operator, test.dtype, test.group, test.case]
        assert repr(found.values) == repr(wanted.values)
        assert (found.outputs, len(found.inputs)) == (wanted.outputs, len(wanted.inputs))
        for one, other in zip(found.inputs, wanted.inputs, strict=True):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()


def test_expected_float64_is_certain() -> None:
    """No true value of float64 is so near to a tie that its last bits could turn the rounding."""
    open_values, changed = 0, 0
    for case in chosen_cases():
        if case.dtype == "float64" and case.group in ("dense", "training"):
            for exact in case.exact():
                slack = 4 * np.finfo(exact.dtype).eps
                with np.errstate(all="ignore"):
                    low, high = (rounded(exact * (1 + s * slack), np.float64) for s in (-1, 1))
                open_values += int(((low != high) & np.isfinite(exact)).sum())
            changed += int((case.inputs[0] == 1).sum())
    assert open_values == 0
    assert changed > 10


def test_names_that_are_alike() -> None:
    """Two cases may not share a folder."""
    (first, *_) = some_cases()
    with pytest.raises(ValueError, match="two cases give test_acts_"):
        freeze("vectors 9", [first, first])


def test_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is too large is refused."""
    monkeypatch.setattr(module, "_LIMIT", 1000)
    with pytest.raises(ValueError, match="the limit is 1000"):
        freeze("vectors 9", some_cases())


def test_large_cases_have_one_form() -> None:
    """The one that more runtimes read."""
    (case, *_) = (case for case in chosen_cases() if case.inputs[0].size > 10_000)
    index = read_index(freeze("vectors 9", [case])[INDEX], INDEX)
    assert [test.form == "acts" for test in index.tests] == [False]


def test_signed_zeros_survive() -> None:
    """-0 as an attribute and in a tensor."""
    (case,) = (c for c in some_cases() if (c.operator, c.dtype, c.name) == _MINUS_ZERO)
    files = freeze("vectors 9", [case])
    index = read_index(files[INDEX], INDEX)
    assert all(np.signbit(test.attributes["alpha"]) for test in index.tests)
    data = files[f"{index.tests[0].name}/{DATA_SET}/input_0.pb"]
    assert np.signbit(read_tensor(data)[read_tensor(data) == 0]).any()


_MINUS_ZERO = ("ELU", "float32", "alpha=-0")
