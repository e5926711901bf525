"""Model files: reading them with care and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import onnx
from google.protobuf.message import DecodeError, EncodeError

from onnx_acts.files.structure import check_model
from onnx_acts.files.weights import (
    check_external_data,
    external_tensors,
    move_weights,
    weight_bytes,
)

__all__ = [
    "Model",
    "check_model_file",
    "check_model_in_memory",
    "check_target",
    "load_model",
    "read_model",
    "save_model",
    "serialised",
    "write_atomically",
]

Model = str | os.PathLike[str] | bytes | onnx.ModelProto
"""What the package takes as a model: a path, the serialised bytes, or the message itself."""

_PROTOBUF_LIMIT = 2**31 - 1
"""Bytes that one protobuf message can have."""

_INLINE_LIMIT = _PROTOBUF_LIMIT - 2**24
"""Bytes of weights up to which a model is one file; the rest is for its nodes and names."""


def check_model_file(path: str | os.PathLike[str]) -> str:
    """Checks that `path` is a readable ONNX file whose external data stays in its folder.

    Returns:
        The path as text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a valid ONNX file, one that `onnx_acts.files.structure.check_model`
            refuses, or its external data is missing, too short or outside the folder.
    """
    load_model(path, load_external_data=False)
    return os.fspath(path)


def load_model(path: str | os.PathLike[str], *, load_external_data: bool = True) -> onnx.ModelProto:
    """Loads a model; errors as in `check_model_file`."""
    source = Path(path)
    model = _decode(_read(source), str(source))
    for tensor in external_tensors(model):
        check_external_data(tensor, source.parent)
    if load_external_data:
        onnx.load_external_data_for_model(model, str(source.parent))
    return model


def read_model(model: Model) -> onnx.ModelProto:
    """Returns a model of one's own to change: loaded from a path, decoded, or copied.

    Raises:
        TypeError: not a path, bytes or `ModelProto`.
        FileNotFoundError, ValueError: as in `check_model_file`.
    """
    if isinstance(model, onnx.ModelProto):
        check_model(model)
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy
    if isinstance(model, bytes):
        return _decode(model, "the model")
    if isinstance(model, str | os.PathLike):
        return load_model(model)
    raise _not_a_model(model)


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
        model = _decode(model, "the model")
    else:
        raise _not_a_model(model)
    for tensor in external_tensors(model):
        raise ValueError(
            f"tensor {tensor.name!r} has its data in another file, and a model in memory has no"
            " folder to look in: save the model beside that file and give the path"
        )
    return model


def serialised(model: onnx.ModelProto) -> bytes:
    """Returns the bytes of a model.

    Raises:
        ValueError: it is above 2 GiB.
    """
    if weight_bytes(model) <= _INLINE_LIMIT:
        with contextlib.suppress(EncodeError, ValueError):
            return bytes(model.SerializeToString())
    raise ValueError(
        "the model is above 2 GiB, too large to be handed over in memory: save it with"
        " onnx_acts.files.save_model and give the path"
    )


def save_model(model: onnx.ModelProto, path: str | os.PathLike[str]) -> None:
    """Writes a model atomically: the file at `path` is the old one or the whole new one.

    A model above 2 GiB goes to two files, `path` and `path` + ".<16 digits>.data". The sidecar is
    new for every save, so that an old model keeps its own until the new one has taken its place;
    the old sidecar is not deleted (another model may use it).

    Raises:
        ValueError: the model refers to external data that is not in the folder of `path`.
        OSError: it cannot be written; the message names `path`.
    """
    target = check_target(path)
    for tensor in external_tensors(model):
        check_external_data(tensor, target.parent)
    if weight_bytes(model) <= _INLINE_LIMIT:
        write_atomically(target, _encode(model, target))
        return
    sidecar = target.with_name(f"{target.name[:50]}.{secrets.token_hex(8)}.data")
    try:
        with _replacing(sidecar) as stream:
            light = move_weights(model, stream, sidecar.name)
        write_atomically(target, _encode(light, target))
    except BaseException:
        sidecar.unlink(missing_ok=True)
        raise


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` to a temporary file beside `path`, flushes it to disk and renames it.

    A symbolic link is followed: the file that it names is replaced. A process that is killed leaves
    the old file, and may leave a temporary one, `.onnx_acts-*.tmp`.

    Raises:
        OSError: the folder is missing, read-only or full, the file is write-protected, or `path`
            is no plain file; the message names `path`.
    """
    with _replacing(check_target(path)) as stream:
        stream.write(data)


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file that replaces `target` when the block ends well."""
    scratch = target.with_name(f".onnx_acts-{secrets.token_hex(8)}.tmp")
    try:
        with open(scratch, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            os.chmod(scratch, stat.S_IMODE(target.stat().st_mode))
        os.replace(scratch, target)
        _flush_folder(target.parent)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {target}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Makes a rename last through a power failure, on file systems that can."""
    with contextlib.suppress(OSError):  # the file is in its place and whole already
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_target(path: str | os.PathLike[str]) -> Path:
    """Returns the file that `save_model` would write, after a look at what is there.

    Raises:
        OSError: the folder is missing or read-only, or `path` is a directory, write-protected or no
            plain file.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {target}: it is a directory")
    if target.exists() and not target.is_file():
        raise OSError(f"cannot write {target}: it is not a plain file")
    if target.exists() and not target.stat().st_mode & 0o222:
        raise PermissionError(f"cannot write {target}: it is write-protected (chmod +w mends it)")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {target.parent} is read-only")
    return target


def _not_a_model(model: object) -> TypeError:
    return TypeError(f"expected a path, bytes or a ModelProto, got {type(model).__name__}")


def _read(path: Path) -> bytes:
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
    return path.read_bytes()


def _decode(data: bytes, name: str) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ValueError(
            f"{name} is not a valid ONNX file: its {len(data)} bytes cannot be decoded"
            " (damaged, cut off, or nested too deep)"
        ) from error
    if not model.ir_version or not model.HasField("graph"):
        raise ValueError(f"{name} is not a valid ONNX file: its {len(data)} bytes hold no graph")
    try:
        check_model(model)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return model


def _encode(model: onnx.ModelProto, target: Path) -> bytes:
    try:
        return bytes(model.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise ValueError(
            f"cannot write {target}: the model is above 2 GiB without its weights ({error});"
            " turn large Constant nodes into initializers"
        ) from error
