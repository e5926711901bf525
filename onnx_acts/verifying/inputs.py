"""The inputs of a verification: from a file, or random numbers that make sense."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from onnx_acts.comparing.tolerance import is_real
from onnx_acts.text.spelling import suggestion
from onnx_acts.verifying.graphs import Graph, names_read

__all__ = ["Feeds", "checked", "from_file", "random_feeds"]

Feeds = dict[str, NDArray[Any]]
"""Arrays by the names of the model's inputs."""

_SIZES = (32, 1, 8, 224, 16)
"""Of dimensions that are free, but for the first: which of them a model can run on is tried."""

_BATCHES = (2, 1, 3)
"""Of a free first dimension, in turn."""

_HANDING_ON = ("Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Flatten")
_MASKS = ("mask", "attention", "valid")


def from_file(path: str | os.PathLike[str]) -> Feeds:
    """Reads a .npz file of arrays; it opens no pickle.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no .npz file, or has something else than arrays of numbers.
    """
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"there are no inputs at {source}")
    try:
        with np.load(source, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError(f"{source} is a single array: save it with np.savez(file, x=...)")
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        if str(source) in str(error):
            raise
        raise ValueError(f"{source} is no .npz file of arrays: {error}") from error


def checked(given: Mapping[str, Any], inputs: Sequence[onnx.ValueInfoProto]) -> Feeds:
    """The caller's inputs, if they are what the model takes.

    A single input may have any name. A real array takes the model's type, if that loses nothing.

    Raises:
        ValueError: an input is missing or has another name, shape or element type.
        TypeError: something else than arrays.
    """
    names = [item.name for item in inputs]
    if len(inputs) == 1 and len(given) == 1:
        given = {names[0]: next(iter(given.values()))}
    for name in given:
        if name not in names:
            raise ValueError(
                f"the model has no input {name!r}{suggestion(name, names)}; it has"
                f" {', '.join(map(repr, names)) or 'none'}"
            )
    missing = [name for name in names if name not in given]
    if missing:
        raise ValueError(
            f"input {missing[0]!r} is missing; the model takes {', '.join(map(_wanted, inputs))}"
        )
    return {item.name: _fitted(given[item.name], item) for item in inputs}


def _fitted(given: Any, item: onnx.ValueInfoProto) -> NDArray[Any]:
    """One input in the model's element type."""
    array = np.asarray(given)
    if array.dtype.kind == "O" or (array.dtype.kind == "V" and not is_real(array.dtype)):
        if array.dtype.itemsize == 2 and _dtype(item) == ml_dtypes.bfloat16:
            array = array.view(ml_dtypes.bfloat16)  # as np.load gives what np.savez has stored
        else:
            raise TypeError(f"input {item.name!r} is no array of numbers")
    wanted = _dtype(item)
    if array.dtype != wanted:
        with np.errstate(all="ignore"):
            fitted = array.astype(wanted)
        is_same_kind = is_real(array.dtype) == is_real(wanted)
        if not is_same_kind or (not is_real(wanted) and not np.array_equal(fitted, array)):
            raise ValueError(
                f"input {item.name!r} is {array.dtype.name}; the model takes {_wanted(item)}"
            )
        array = fitted
    shape = _shape(item)
    fits = shape is None or (
        len(shape) == array.ndim
        and all(not isinstance(a, int) or a == b for a, b in zip(shape, array.shape, strict=True))
    )
    if not fits:
        raise ValueError(
            f"input {item.name!r} has the shape {list(array.shape)}; the model takes"
            f" {_wanted(item)}"
        )
    return array


def _wanted(item: onnx.ValueInfoProto) -> str:
    shape = _shape(item)
    sizes = "?" if shape is None else ", ".join("?" if s is None else str(s) for s in shape)
    return f"{item.name!r} of {_dtype(item).name} [{sizes}]"


def random_feeds(
    graph: Graph, seed: int, run: int, choice: int, shapes: Mapping[str, Sequence[int]]
) -> Feeds:
    """Makes inputs: standard normal numbers, flags, and integers in the range that their use has.

    An integer that is an index of a stored table is within it; any other is 0 or 1, an unsigned
    byte anything. The first dimension, where it is free, is 2, 1 and 3 in turn.

    Args:
        graph: the model's graph.
        seed: of the numbers.
        run: which set of inputs this is, counted from 0.
        choice: which of the sizes to try for free dimensions that are not the first.
        shapes: shapes that the caller wants, by input.

    Raises:
        ValueError: an input of a type that no numbers are made for.
    """
    generator = np.random.Generator(np.random.PCG64([seed, run]))
    symbols: dict[str, int] = {}
    feeds = {}
    for item in graph.inputs:
        sizes = shapes.get(item.name) or _sizes(item, run, choice, symbols)
        feeds[item.name] = _random(graph, item, tuple(sizes), generator)
    return feeds


def count_of_choices(graph: Graph) -> int:
    """How many sizes there are to try for free dimensions: one, where there are none."""
    free = any(
        not isinstance(size, int) for item in graph.inputs for size in (_shape(item) or ())[1:]
    )
    return len(_SIZES) if free else 1


def _sizes(item: onnx.ValueInfoProto, run: int, choice: int, symbols: dict[str, int]) -> list[int]:
    """A size for each dimension; the same symbol has the same one."""
    shape = _shape(item)
    if shape is None:
        raise ValueError(
            f"the shape of input {item.name!r} is unknown: give the inputs (--inputs), or its shape"
            f" (--shape {item.name}=1x3x224x224)"
        )
    sizes = []
    for place, size in enumerate(shape):
        if isinstance(size, int):
            sizes.append(size)
            continue
        usual = _SIZES[choice] if place else _BATCHES[run % len(_BATCHES)]
        sizes.append(symbols.setdefault(size, usual) if size else usual)
    return sizes


def _random(
    graph: Graph, item: onnx.ValueInfoProto, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[Any]:
    dtype = _dtype(item)
    if is_real(dtype):
        return generator.standard_normal(shape).astype(dtype)
    if dtype == np.bool_:
        return np.asarray(generator.integers(0, 2, shape)).astype(np.bool_)
    if dtype.kind not in "iu":
        raise ValueError(
            f"input {item.name!r} is of the type {dtype.name}, for which no random values are made:"
            " give the inputs (--inputs)"
        )
    if any(word in item.name.lower() for word in _MASKS):
        low, high = 0, 2
    else:
        low, high = _range(graph, item.name) or ((0, 256) if dtype == np.uint8 else (0, 2))
    return np.asarray(generator.integers(low, high, shape)).astype(dtype)


def _range(graph: Graph, name: str) -> tuple[int, int] | None:
    """The range of an integer input that is an index; None where it is none."""
    names, found = {name}, []
    for node in graph.nodes:
        read = [i for i, text in enumerate(node.input) if text in names]
        if not read and not names.intersection(names_read(node)):
            continue
        if node.op_type in _HANDING_ON and read == [0]:
            names.add(node.output[0])
        table = graph.stored.get(node.input[0]) if node.input else None
        if node.op_type in ("Gather", "GatherElements") and read == [1] and table is not None:
            axis = next((item.i for item in node.attribute if item.name == "axis"), 0)
            found.append(int(table.dims[axis]))
    return (0, min(found)) if found else None


def _shape(item: onnx.ValueInfoProto) -> tuple[int | str | None, ...] | None:
    kind = item.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(
        int(size.dim_value) if size.HasField("dim_value") and size.dim_value >= 0
        else size.dim_param or None
        for size in kind.shape.dim
    )  # fmt: skip


def _dtype(item: onnx.ValueInfoProto) -> np.dtype[Any]:
    """The element type of an input.

    Raises:
        ValueError: it is no tensor.
    """
    element = item.type.tensor_type.elem_type
    if not element:
        raise ValueError(f"input {item.name!r} is no tensor; such inputs cannot be verified")
    return np.dtype(helper.tensor_dtype_to_np_dtype(element))
