"""Tensors as bytes and as JSON, checked."""

from __future__ import annotations

import itertools
import math
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from onnx_acts.serving.http.datatypes import Datatype
from onnx_acts.serving.http.refusals import RefusalError, quoted

__all__ = ["as_bytes", "from_bytes", "from_json"]

_JSON_KINDS: dict[str, set[type]] = {"float": {int, float}, "int": {int}, "bool": {bool}}
_JSON_WORDS = {"float": "numbers", "int": "integers", "bool": "true and false"}


def from_bytes(
    content: memoryview, shape: tuple[int, ...], datatype: Datatype, where: str
) -> NDArray[Any]:
    """A tensor of little-endian bytes, row-major; a view of them where they are aligned.

    Raises:
        RefusalError: not as many bytes as the shape needs, or a BOOL that is neither 0 nor 1.
    """
    dtype, count = datatype.dtype, math.prod(shape)
    wanted = count * dtype.itemsize
    if len(content) != wanted:
        raise RefusalError(
            f"{where}: {datatype.name} of shape {list(shape)} has {wanted} bytes,"
            f" not {len(content)}"
        )
    raw = np.frombuffer(content, np.uint8)
    if datatype.kind == "bool" and raw.max(initial=0) > 1:
        raise RefusalError(f"{where}: a BOOL is one byte, 0 or 1; there is a {raw.max()}")
    if raw.ctypes.data % dtype.itemsize:
        raw = raw.copy()
    return raw.view(dtype).reshape(shape)


def as_bytes(array: NDArray[Any]) -> memoryview:
    """The bytes of an array, row-major; a view of it where it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def from_json(data: Any, shape: tuple[int, ...], datatype: Datatype, where: str) -> NDArray[Any]:
    """A tensor of a JSON list: flat in row-major order, or nested like the shape.

    Raises:
        RefusalError: not such a list, elements that do not belong to the type, or not as many as
            the shape needs.
    """
    flat = _flat(data, shape, where)
    wrong = {type(item) for item in flat} - _JSON_KINDS[datatype.kind]
    if wrong:
        found = next(item for item in flat if type(item) in wrong)
        words = _JSON_WORDS[datatype.kind]
        raise RefusalError(
            f"{where}: data of {datatype.name} are {words}; there is {_shown(found)}"
        )
    if len(flat) != math.prod(shape):
        raise RefusalError(
            f"{where}: shape {list(shape)} has {math.prod(shape)} elements, data has {len(flat)}"
        )
    return _converted(flat, datatype, where).reshape(shape)


def _flat(data: Any, shape: tuple[int, ...], where: str) -> list[Any]:
    """The elements of a flat list, or of one that is nested like the shape."""
    if not isinstance(data, list):
        raise RefusalError(f"{where}: data must be a list, it is {_shown(data)}")
    if not any(isinstance(item, list) for item in data[:1]):
        return data
    level: list[Any] = [data]
    for size in shape:
        if not all(type(item) is list and len(item) == size for item in level):
            raise RefusalError(
                f"{where}: data must be a flat list or nested like the shape {list(shape)}"
            )
        level = list(itertools.chain.from_iterable(level))
    return level


def _converted(flat: list[Any], datatype: Datatype, where: str) -> NDArray[Any]:
    """Elements of the right kind as an array of the type.

    Numbers are read as float64 and rounded to the type.

    Raises:
        RefusalError: a number that the type cannot hold.
    """
    dtype = datatype.dtype
    if datatype.kind == "bool":
        return np.array(flat, dtype)
    limits: Any = (np.iinfo if datatype.kind == "int" else ml_dtypes.finfo)(dtype)
    refusal = RefusalError(
        f"{where}: {datatype.name} holds {limits.min} to {limits.max}; data has a number outside"
    )
    if datatype.kind == "int":
        if flat and not limits.min <= min(flat) <= max(flat) <= limits.max:
            raise refusal
        return np.array(flat, dtype)
    try:
        with np.errstate(over="ignore"):
            array = np.array(flat, np.float64).astype(dtype)
    except OverflowError:  # an integer beyond float64
        raise refusal from None
    if not np.isfinite(array).all():
        raise refusal
    return array


def _shown(item: Any) -> str:
    """A JSON value, in JSON's words."""
    words = {None: "null", True: "true", False: "false"}
    return words[item] if item is None or isinstance(item, bool) else quoted(item)
