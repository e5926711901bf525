"""Inference requests: bytes to checked tensors."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from onnx_acts.serving.http.datatypes import Datatype
from onnx_acts.serving.http.refusals import RefusalError, quoted
from onnx_acts.serving.http.tensors import from_bytes, from_json

__all__ = ["Request", "TensorInfo", "parsed"]

_MOST_ELEMENTS = 2**40
"""Of a tensor; sizes beyond that are not multiplied."""

_MOST_AXES = 32

_REFUSED_PARAMETERS = ("shared_memory_region", "classification")
"""Would change what a request means, and are not served; other unknown ones are passed over."""


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or output of a model.

    Attributes:
        name: its name.
        datatype: its element type.
        shape: its sizes, None where one is free; None as a whole where not even the rank is known.
    """

    name: str
    datatype: Datatype
    shape: tuple[int | None, ...] | None


@dataclasses.dataclass(frozen=True)
class Request:
    """What a client asks for.

    Attributes:
        id: the client's name of the request, which the answer repeats; None without.
        feeds: the inputs.
        outputs: names of the outputs that are wanted, and whether as bytes.
    """

    id: str | None
    feeds: dict[str, NDArray[Any]]
    outputs: dict[str, bool]


def parsed(
    body: memoryview,
    header_length: int | None,
    inputs: Mapping[str, TensorInfo],
    outputs: Mapping[str, TensorInfo],
) -> Request:
    """Reads a request: JSON, and the bytes of the tensors that the JSON announces after it.

    Args:
        body: the whole body; arrays of the request may be views of it.
        header_length: bytes of the JSON; None where the whole body is JSON.
        inputs: what the model takes.
        outputs: what it gives.

    Raises:
        RefusalError: anything that is not as the protocol and the model want it.
    """
    if header_length is not None and header_length > len(body):
        raise RefusalError(
            f"Inference-Header-Content-Length is {header_length}, the body has {len(body)} bytes"
        )
    content = _json(body[:header_length])
    binary = _Binary(body[header_length:] if header_length is not None else None)
    feeds: dict[str, NDArray[Any]] = {}
    for number, item in enumerate(_objects(content, "inputs")):
        name = _name(item, f"inputs[{number}]", inputs)
        if name in feeds:
            raise RefusalError(f"input {quoted(name)} is there twice")
        feeds[name] = _tensor(item, inputs[name], binary)
    missing = [quoted(name) for name in inputs if name not in feeds]
    if missing:
        raise RefusalError(f"inputs are missing: {', '.join(missing)}")
    binary.check_end()
    return Request(_identity(content), feeds, _wanted(content, outputs))


def _identity(content: dict[str, Any]) -> str | None:
    found = content.get("id")
    if found is None or (isinstance(found, str) and found.isascii()):
        return found
    if isinstance(found, str) and not any("\ud800" <= letter <= "\udfff" for letter in found):
        return found
    raise RefusalError(f"id must be a string of whole characters, it is {quoted(found)}")


def _json(text: memoryview) -> dict[str, Any]:
    """The object that a text is, with none of the liberties that Python's parser allows."""
    try:
        content = json.loads(bytes(text).decode("utf-8"), **_STRICT)
    except RecursionError:
        raise RefusalError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise RefusalError(f"not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise RefusalError(f"the JSON must be an object, it is {quoted(content)}")
    return content


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(double)} is there twice in one object")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"JSON has no {text}; send such numbers as bytes")


_STRICT: dict[str, Any] = {
    "object_pairs_hook": _without_doubles,
    "parse_constant": _no_constant,
}


class _Binary:
    """The bytes after the JSON, handed out in the order of the inputs."""

    def __init__(self, content: memoryview | None) -> None:
        self._content, self._start = content, 0

    def take(self, size: Any, where: str) -> memoryview:
        """The next bytes; the size is what the client has written."""
        if self._content is None:
            raise RefusalError(
                f"{where}: binary_data_size needs the header Inference-Header-Content-Length"
            )
        if type(size) is not int or size < 0:
            raise RefusalError(f"{where}: binary_data_size must be a count, it is {quoted(size)}")
        left = len(self._content) - self._start
        if size > left:
            raise RefusalError(
                f"{where}: binary_data_size is {quoted(size)}, the body has {left} more"
            )
        self._start += size
        return self._content[self._start - size : self._start]

    def check_end(self) -> None:
        """Requires that nothing is left."""
        left = len(self._content or b"") - self._start
        if left:
            raise RefusalError(
                f"the body has {left} bytes that no input's binary_data_size announces"
            )


def _objects(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects; empty where there is none."""
    found = content.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise RefusalError(f"{key} must be a list of objects")
    return found


def _name(item: dict[str, Any], where: str, known: Mapping[str, TensorInfo]) -> str:
    name = item.get("name")
    if not isinstance(name, str):
        raise RefusalError(f"{where}: name must be a string, it is {quoted(name)}")
    if name not in known:
        there = ", ".join(map(quoted, known))
        raise RefusalError(f"{where}: the model has no {quoted(name)}; it has {there}")
    return name


def _tensor(item: dict[str, Any], info: TensorInfo, binary: _Binary) -> NDArray[Any]:
    """One input."""
    where = f"input {quoted(info.name)}"
    if item.get("datatype") != info.datatype.name:
        found = quoted(item.get("datatype"))
        raise RefusalError(f"{where}: the model takes {info.datatype.name}, datatype is {found}")
    shape = _shape(item.get("shape"), info, where)
    parameters = _parameters(item, where)
    if "binary_data_size" not in parameters:
        return from_json(item.get("data"), shape, info.datatype, where)
    if item.get("data") is not None:
        raise RefusalError(f"{where}: it has data and binary_data_size; send one of them")
    content = binary.take(parameters["binary_data_size"], where)
    return from_bytes(content, shape, info.datatype, where)


def _shape(found: Any, info: TensorInfo, where: str) -> tuple[int, ...]:
    if not isinstance(found, list) or not all(type(size) is int for size in found):
        raise RefusalError(f"{where}: shape must be a list of integers")
    if any(size < 0 for size in found):
        raise RefusalError(f"{where}: shape {quoted_shape(found)} has a negative size")
    if len(found) > _MOST_AXES or math.prod(max(1, size) for size in found) > _MOST_ELEMENTS:
        raise RefusalError(f"{where}: shape is too large")
    if info.shape is not None and (
        len(found) != len(info.shape)
        or any(want not in (None, size) for want, size in zip(info.shape, found, strict=True))
    ):
        wanted = quoted_shape([-1 if size is None else size for size in info.shape])
        raise RefusalError(
            f"{where}: shape {quoted_shape(found)} does not fit the model's {wanted}"
        )
    return tuple(found)


def quoted_shape(sizes: list[int]) -> str:
    """A shape, for a message."""
    return quoted_list(sizes) if len(sizes) <= _MOST_AXES else f"of {len(sizes)} sizes"


def quoted_list(sizes: list[int]) -> str:
    """Sizes in brackets; those with too many digits are cut."""
    return f"[{', '.join(map(quoted, sizes))}]"


def _parameters(item: dict[str, Any], where: str) -> dict[str, Any]:
    found = item.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RefusalError(f"{where}: parameters must be an object")
    for name in _REFUSED_PARAMETERS:
        if name in found:
            raise RefusalError(f"{where}: this server has no {name}")
    return found


def _wanted(content: dict[str, Any], known: Mapping[str, TensorInfo]) -> dict[str, bool]:
    """The outputs that are asked for, all of them where none are named; whether as bytes."""
    usual = _flag(_parameters(content, "the request"), "binary_data_output", False, "the request")
    asked = _objects(content, "outputs")
    if not asked:
        return dict.fromkeys(known, usual)
    wanted: dict[str, bool] = {}
    for number, item in enumerate(asked):
        name = _name(item, f"outputs[{number}]", known)
        if name in wanted:
            raise RefusalError(f"output {quoted(name)} is asked for twice")
        where = f"output {quoted(name)}"
        wanted[name] = _flag(_parameters(item, where), "binary_data", usual, where)
    return wanted


def _flag(parameters: dict[str, Any], name: str, usual: bool, where: str) -> bool:
    found = parameters.get(name, usual)
    if not isinstance(found, bool):
        raise RefusalError(f"{where}: {name} must be true or false, it is {quoted(found)}")
    return found
