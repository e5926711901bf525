"""The bytes of a model's tensors: in the model, in files beside it, or left out of a copy."""

from __future__ import annotations

import functools
import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from onnx_acts.files.references import LARGE, is_reference
from onnx_acts.files.wire import Range

__all__ = [
    "check_external_data",
    "copy_without_weights",
    "declared_bytes",
    "external_range",
    "external_tensors",
    "has_raw_data_only",
    "is_large",
    "rename_external",
    "set_external",
    "weight_bytes",
]

_DATA_FIELDS = frozenset(
    {"raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"}
)
_SHORT_BITS: dict[int, int] = {
    getattr(TensorProto, name): bits
    for name, bits in (("INT4", 4), ("UINT4", 4), ("FLOAT4E2M1", 4), ("INT2", 2), ("UINT2", 2))
    if hasattr(TensorProto, name)
}
_NAMES_ONLY = ("ValueInfoProto", "OperatorSetIdProto", "StringStringEntryProto", "TypeProto")


def external_tensors(model: onnx.ModelProto) -> Iterator[TensorProto]:
    """Yields every tensor whose bytes are in another file, wherever in the model it is."""
    waiting: list[Any] = [model]
    while waiting:
        message = waiting.pop()
        if isinstance(message, TensorProto):
            if message.data_location == TensorProto.EXTERNAL:
                yield message
            continue
        for field, value in message.ListFields():
            kind = field.message_type
            if kind is not None and kind.name not in _NAMES_ONLY:
                waiting += [value] if isinstance(value, kind._concrete_class) else value


def check_external_data(tensor: TensorProto, folder: Path) -> Path:
    """Requires a tensor's file to be a plain file inside `folder` that has all its bytes.

    The length may be left out or 0: it becomes what the tensor's shape needs (onnx itself would
    read to the end of the file, where other tensors are).

    A hard link is refused like a symbolic one: it can be a second name of any file of the disk,
    and nothing tells whether that file was meant to be read.

    Returns:
        The file.

    Raises:
        ValueError: the message has the tensor, the file and, where bytes are missing, their range.
    """
    entries = {item.key: item.value for item in tensor.external_data}
    location = entries.get("location", "")
    where = f"external data of tensor {tensor.name!r}: {location!r}"
    path = _plain_file(folder, location, where)
    status = path.stat()
    start = _count(entries.get("offset", "0"), f"{where}: offset")
    wanted = declared_bytes(tensor)
    length = _count(entries.get("length") or "0", f"{where}: length")
    if length == 0:
        length = wanted
        _set_length(tensor, wanted)
    if start + length > status.st_size:
        raise ValueError(
            f"{where}: bytes {start} to {start + length} are wanted,"
            f" {folder / location} has {status.st_size}; copy the whole file beside the model"
        )
    if wanted and length != wanted:
        raise ValueError(
            f"{where}: {length} bytes from {start} on, but the tensor's shape"
            f" {list(tensor.dims)} needs {wanted}"
        )
    return path


def external_range(tensor: TensorProto) -> Range:
    """Where in its file the data of a tensor is that `check_external_data` has checked."""
    entries = {item.key: item.value for item in tensor.external_data}
    return Range(int(entries.get("offset", "0")), int(entries["length"]))


def set_external(tensor: TensorProto, location: str, place: Range) -> None:
    """Says in which file the data of a tensor is, and where there.

    Nothing else stays of what was said before: a checksum would be that of another file.
    """
    del tensor.external_data[:]
    entries = {"location": location, "offset": place.start, "length": place.length}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    tensor.data_location = TensorProto.EXTERNAL


def rename_external(model: onnx.ModelProto, old: str, new: str) -> None:
    """Says of the tensors whose data is in the file `old` that it is in `new`."""
    for tensor in external_tensors(model):
        for entry in tensor.external_data:
            if entry.key == "location" and entry.value == old:
                entry.value = new


def _set_length(tensor: TensorProto, length: int) -> None:
    """Writes the length of a tensor's data."""
    for entry in list(tensor.external_data):
        if entry.key == "length":
            tensor.external_data.remove(entry)
    tensor.external_data.add(key="length", value=str(length))


def weight_bytes(model: onnx.ModelProto) -> int:
    """Returns the size of the graph's initializers in memory, in bytes."""
    inside = (t for t in model.graph.initializer if not _is_external(t) or is_reference(t))
    return sum(declared_bytes(tensor) for tensor in inside)


def has_raw_data_only(tensor: TensorProto) -> bool:
    """Tells whether a tensor has its data in the field for raw bytes, and nowhere else."""
    others = _DATA_FIELDS - {"raw_data"}
    is_elsewhere = any(len(getattr(tensor, name)) for name in others) or tensor.external_data
    return tensor.HasField("raw_data") and not is_elsewhere


def copy_without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Copies a model, leaving out the data of the graph's large initializers.

    Tools that serialise a model cannot take one above 2 GiB; types and shapes do not need it.
    """
    light = onnx.ModelProto()
    _copy_fields(model, light, {"graph"})
    _copy_fields(model.graph, light.graph, {"initializer"})
    light.graph.SetInParent()
    for tensor in model.graph.initializer:
        without = _DATA_FIELDS if is_large(tensor) else frozenset()
        _copy_fields(tensor, light.graph.initializer.add(), without)
    return light


def _plain_file(folder: Path, location: str, where: str) -> Path:
    """The path of a sidecar, after checks that open nothing."""
    parts = Path(location).parts
    if not parts or "\0" in location or Path(location).is_absolute() or ".." in parts:
        raise ValueError(f"{where} is not a path inside the model's folder; it is not opened")
    for step in range(1, len(parts) + 1):
        if folder.joinpath(*parts[:step]).is_symlink():
            raise ValueError(
                f"{where} goes through a symbolic link; it is not opened: copy the file itself"
            )
    path = folder / location
    if not path.exists():
        raise ValueError(f"{where}: there is no file {path}; copy it beside the model")
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{where} is not a plain file; it is not opened")
    if status.st_nlink > 1:
        raise ValueError(
            f"{where} has {status.st_nlink} names (hard links); it is not opened: make a copy of it"
        )
    return path


def _count(text: str, what: str) -> int:
    """Reads a number of bytes."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(f"{what} {text[:40]!r} is not a number of bytes")
    return int(text)


def declared_bytes(tensor: TensorProto) -> int:
    """The bytes that a tensor's shape and element type ask for; 0 where the type has no size.

    Raises:
        ValueError: a negative dimension.
    """
    if any(size < 0 for size in tensor.dims):
        raise ValueError(f"tensor {tensor.name!r} has a negative dimension: {list(tensor.dims)}")
    elements = math.prod(int(size) for size in tensor.dims)
    bits = _SHORT_BITS.get(tensor.data_type) or 8 * _item_size(tensor.data_type)
    return -(-elements * bits // 8)


def _item_size(element_type: int) -> int:
    if element_type == TensorProto.STRING or element_type not in TensorProto.DataType.values():
        return 0
    if element_type == TensorProto.UNDEFINED:
        return 0
    return int(helper.tensor_dtype_to_np_dtype(element_type).itemsize)


def is_large(tensor: TensorProto) -> bool:
    """Tells whether a tensor has much data itself."""
    return not _is_external(tensor) and declared_bytes(tensor) > LARGE


def _is_external(tensor: TensorProto) -> bool:
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def _copy_fields(source: Any, target: Any, without: frozenset[str] | set[str]) -> None:
    """Copies every field of a message but some.

    `ListFields` would make the bytes of those that are left out, too, which takes as long as
    a copy of the weights.
    """
    for field in source.DESCRIPTOR.fields:
        if field.name in without:
            continue
        value = getattr(source, field.name)
        is_one = field.name in _singular(source.DESCRIPTOR)
        if is_one and not source.HasField(field.name):
            continue
        if hasattr(value, "MergeFrom"):  # a message or a repeated field
            getattr(target, field.name).MergeFrom(value)
        else:
            setattr(target, field.name, value)


@functools.cache
def _singular(descriptor: Any) -> frozenset[str]:
    """The fields of a message that are no lists."""
    message = getattr(onnx, descriptor.name)()
    return frozenset(
        field.name
        for field in descriptor.fields
        if hasattr(getattr(message, field.name), "DESCRIPTOR")
        or not hasattr(getattr(message, field.name), "MergeFrom")
    )
