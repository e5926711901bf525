"""Outputs that another program wrote, as a runtime of the suite.

They lie as the vectors do, `TEST/test_data_set_0/output_0.pb`, or `output_0.npy`. Where a runtime
cannot compute a test, `TEST/not_implemented.txt` says so in its words.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnx_acts.conformance.case import numpy_type
from onnx_acts.conformance.vectors.folders import DATA_SET
from onnx_acts.conformance.vectors.index import Index, Output, Test
from onnx_acts.conformance.vectors.tensors import read_npy, read_tensor
from onnx_acts.text.spelling import printable

__all__ = ["NOT_IMPLEMENTED", "check_outputs", "read_outputs", "refusal"]

Array = NDArray[Any]

NOT_IMPLEMENTED = "not_implemented.txt"
"""A file beside a test's data set, with the runtime's own words."""

_LARGEST = 2**30
"""Bytes of a file: far more than any output has."""

_WORDS = 500
"""Characters of a runtime's words that are kept."""


def check_outputs(folder: Path, index: Index, known: Iterable[str]) -> None:
    """Requires that a folder holds outputs, and of these tests.

    Args:
        folder: where another program wrote.
        index: the tests that are judged.
        known: the names of all tests, of which these may be a part.

    Raises:
        NotADirectoryError: there is no such folder.
        ValueError: it holds the vectors themselves, no outputs, or outputs of tests that there are
            not.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"there is no folder {folder}")
    found = {path.name for path in folder.glob("test_*") if path.is_dir()}
    if any((folder / name / "model.onnx").exists() for name in found):
        raise ValueError(
            f"{folder} holds models: these are vectors, and their outputs are the expected ones;"
            " let the runtime write its outputs to a folder of its own"
        )
    unknown = sorted(found - set(known))
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise ValueError(
            f"{folder} has outputs of {', '.join(unknown[:3])}{more}: there is no such test in"
            f" {index.vectors}; remove them, or name the folder of the vectors with --vectors"
        )
    if not found & {test.name for test in index.tests}:
        raise ValueError(
            f"there is no output in {folder}; expected {index.tests[0].name}/{DATA_SET}/output_0.pb"
            " and so on"
        )


def refusal(folder: Path, test: Test) -> str:
    """What the runtime said where it cannot compute a test, or an empty string."""
    path = folder / test.name / NOT_IMPLEMENTED
    if not path.is_file():
        return ""
    with open(path, encoding="utf-8", errors="replace") as stream:
        text = printable(" ".join(stream.read(_WORDS).split()))
    return text or "not implemented"


def read_outputs(folder: Path, test: Test) -> list[Array]:
    """Reads the outputs of a test.

    Raises:
        ValueError: one is missing, too much, unreadable, or of another type or shape; the message
            names the file.
    """
    place = folder / test.name / DATA_SET
    wanted = {f"output_{number}" for number in range(len(test.outputs))}
    extra = sorted(p.name for p in place.glob("output_*") if p.stem not in wanted)
    if extra:
        count = len(wanted)
        raise ValueError(f"extra file {extra[0]}: the test has {count} output{'s'[: count - 1]}")
    return [_read(place, number, output) for number, output in enumerate(test.outputs)]


def _read(place: Path, number: int, output: Output) -> Array:
    """Reads one output."""
    found = [place / f"output_{number}{suffix}" for suffix in (".pb", ".npy")]
    there = [path for path in found if path.exists()]
    if not there:
        raise ValueError(f"missing file {found[0].name}")
    if len(there) > 1:
        raise ValueError(f"{found[0].name} and {found[1].name} are both there; keep one")
    (path,) = there
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise ValueError(f"unreadable file {path.name}: no plain file of less than 1 GiB")
    kind = numpy_type(output.dtype)
    try:
        data = path.read_bytes()
        array = read_tensor(data) if path.suffix == ".pb" else read_npy(data, kind)
    except (ValueError, OSError) as error:
        raise ValueError(f"unreadable file {path.name}: {error}") from error
    if array.dtype != kind:
        raise ValueError(f"{path.name} has type {array.dtype}, expected {output.dtype}")
    if array.shape != output.shape:
        raise ValueError(f"{path.name} has shape {array.shape}, expected {output.shape}")
    return np.asarray(array)
