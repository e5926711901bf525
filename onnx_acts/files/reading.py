"""Reading models with care: what is refused, and what is left in the file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from onnx_acts.files.opened import OpenFile
from onnx_acts.files.references import LARGE, is_reference, lightened
from onnx_acts.files.sources import Source, Weights
from onnx_acts.files.structure import check_model
from onnx_acts.files.weights import check_external_data, declared_bytes, external_tensors
from onnx_acts.files.wire import UnusualError

__all__ = [
    "Model",
    "check_model_file",
    "check_model_in_memory",
    "load_model",
    "opened",
    "opened_file",
    "read_model",
]

Model = str | os.PathLike[str] | bytes | onnx.ModelProto
"""What the package takes as a model: a path, the serialised bytes, or the message itself."""

_PROTOBUF_LIMIT = 2**31 - 1
"""Bytes that one protobuf message can have."""


@contextlib.contextmanager
def opened(model: Model) -> Iterator[Source]:
    """Opens a model to work on; one in memory is not copied.

    Raises:
        TypeError: not a path, bytes or `ModelProto`.
        FileNotFoundError, ValueError: as in `opened_file`.
    """
    if isinstance(model, str | os.PathLike):
        with opened_file(model) as source:
            yield source
    elif isinstance(model, bytes):
        yield Source(_light(model, "the model"), Weights(model))
    elif isinstance(model, onnx.ModelProto):
        check_model(model)
        yield Source(model, Weights())
    else:
        raise _not_a_model(model)


@contextlib.contextmanager
def opened_file(path: str | os.PathLike[str]) -> Iterator[Source]:
    """Opens a model file to work on; the data of large tensors stays in it, or beside it.

    Raises:
        TypeError: not a path.
        FileNotFoundError, ValueError: as in `check_model_file`; or the file has changed meanwhile.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"expected a path, got {type(path).__name__}")
    with _open(Path(path)) as file:
        source = Source(_checked(file), Weights(file))
        for tensor in external_tensors(source.model):
            if not is_reference(tensor) and declared_bytes(tensor) <= LARGE:
                source.weights.load(tensor)  # shapes and axes, which inference reads
        yield source
        file.check_unchanged()


def check_model_file(path: str | os.PathLike[str]) -> str:
    """Checks that `path` is a readable ONNX file whose external data stays in its folder.

    Returns:
        The path as text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a valid ONNX file, one that `onnx_acts.files.structure.check_model`
            refuses, or its external data is missing, too short or outside the folder.
    """
    with _open(Path(path)) as file:
        _checked(file)
    return os.fspath(path)


def load_model(path: str | os.PathLike[str], *, load_external_data: bool = True) -> onnx.ModelProto:
    """Loads a model; errors as in `check_model_file`."""
    with _open(Path(path)) as file:
        model = _checked(file)
        return Weights(file).complete(model, with_external=load_external_data)


def read_model(model: Model) -> onnx.ModelProto:
    """Returns a model of one's own to change: loaded from a path, decoded, or copied.

    Raises:
        TypeError: not a path, bytes or `ModelProto`.
        FileNotFoundError, ValueError: as in `check_model_file`.
    """
    return load_model(model) if isinstance(model, str | os.PathLike) else _in_memory(model)


def check_model_in_memory(model: bytes | onnx.ModelProto) -> onnx.ModelProto:
    """Checks a model that is to run without a file.

    Returns:
        The decoded model, or the `ModelProto` itself.

    Raises:
        TypeError: not bytes or a `ModelProto`.
        ValueError: as in `check_model_file`, or a tensor has its data in another file: there is no
            folder in which to look for it.
    """
    if isinstance(model, onnx.ModelProto):
        check_model(model)
    elif isinstance(model, bytes):
        model = _decode(model, "the model", len(model))
    else:
        raise _not_a_model(model)
    for tensor in external_tensors(model):
        raise ValueError(
            f"tensor {tensor.name!r} has its data in another file, and a model in memory has no"
            " folder to look in: save the model beside that file and give the path"
        )
    return model


def _not_a_model(model: object) -> TypeError:
    return TypeError(f"expected a path, bytes or a ModelProto, got {type(model).__name__}")


def _in_memory(model: bytes | onnx.ModelProto) -> onnx.ModelProto:
    """A model in memory, decoded or copied."""
    if isinstance(model, bytes):
        return _decode(model, "the model", len(model))
    if not isinstance(model, onnx.ModelProto):
        raise _not_a_model(model)
    check_model(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _open(path: Path) -> OpenFile:
    """Opens a model file, after a look at what is there."""
    if path.is_dir():
        raise ValueError(f"{path} is not a valid ONNX file: it is a directory")
    if not path.exists():
        raise FileNotFoundError(f"there is no ONNX file at {path}")
    if not path.is_file():
        raise ValueError(f"{path} is not a valid ONNX file: it is not a plain file")
    size = path.stat().st_size
    if size > _PROTOBUF_LIMIT:
        raise ValueError(
            f"{path} is not a valid ONNX file: it has {size} bytes and one file holds"
            f" {_PROTOBUF_LIMIT}; larger models keep their weights in external data"
        )
    return OpenFile(path)


def _checked(file: OpenFile) -> onnx.ModelProto:
    """The light model of a file, whose external data has been checked."""
    model = _light(file, str(file.path))
    for tensor in external_tensors(model):
        if not is_reference(tensor):
            check_external_data(tensor, file.path.parent)
    return model


def _light(data: OpenFile | bytes, name: str) -> onnx.ModelProto:
    """The model in a file or in bytes, with references to the data of its large tensors."""
    try:
        light = lightened(data)
    except UnusualError:  # protobuf is to say whether it is damaged
        light = data[0 : len(data)]
    return _decode(light, name, len(data))


def _decode(data: bytes, name: str, size: int) -> onnx.ModelProto:
    """Decodes and checks a model; its messages tell the size of the whole."""
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ValueError(
            f"{name} is not a valid ONNX file: its {size} bytes cannot be decoded"
            " (damaged, cut off, or nested too deep)"
        ) from error
    if not model.ir_version or not model.HasField("graph"):
        raise ValueError(f"{name} is not a valid ONNX file: its {size} bytes hold no graph")
    try:
        check_model(model)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return model
