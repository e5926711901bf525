"""Light models: the data of large tensors stays in the file, and the model says where it is.

A tensor without its data looks like one with external data. Its location is a word that is drawn
anew in every process: no file can have it, so none can make us read what it likes.
"""

from __future__ import annotations

import secrets

from onnx import TensorProto

from onnx_acts.files.wire import DELIMITED, Data, Field, Piece, Range, delimited, fields, rewritten

__all__ = ["LARGE", "data_range", "is_reference", "lightened", "put_back", "refer", "restored"]

LARGE = 4096
"""Bytes up to which data stays in a tensor: shapes and axes, which inference reads."""

_MARK = secrets.token_hex(16)

_WIDTHS = {
    TensorProto.FLOAT_DATA_FIELD_NUMBER: 4,
    TensorProto.RAW_DATA_FIELD_NUMBER: 1,
    TensorProto.DOUBLE_DATA_FIELD_NUMBER: 8,
}
"""The fields whose bytes are those of the elements, and the size of one item.

The other fields have numbers of many lengths, which protobuf must see to know whether they are
right. They are rare, and stay in.
"""

_PLACES = frozenset(
    {
        *_WIDTHS,
        TensorProto.INT32_DATA_FIELD_NUMBER,
        TensorProto.INT64_DATA_FIELD_NUMBER,
        TensorProto.UINT64_DATA_FIELD_NUMBER,
        TensorProto.STRING_DATA_FIELD_NUMBER,
        TensorProto.EXTERNAL_DATA_FIELD_NUMBER,
        TensorProto.DATA_LOCATION_FIELD_NUMBER,
    }
)
"""The fields that say what the data is or where. Of a tensor with several, protobuf decides."""

_HERE = TensorProto(data_location=TensorProto.DEFAULT).SerializeToString()
"""What some tools write to say that the data is in the tensor, as it is without saying so."""


def lightened(data: Data) -> bytes:
    """Returns the bytes of a model whose large tensors refer to their data.

    Raises:
        UnusualError: the bytes are damaged, or of a kind that is to be read whole.
    """

    def without_data(start: int, stop: int) -> list[Piece] | None:
        found = [field for field in fields(data, start, stop) if field.number in _PLACES]
        others = [data[field.start : field.stop] for field in found if not _is_large(field)]
        if len(found) != len(others) + 1 or others not in ([], [_HERE]):
            return None
        (field,) = filter(_is_large, found)
        place = Range(field.content, field.length)
        reference = _reference(field.number, place, is_told=bool(others)).SerializeToString()
        return [data[start : field.start], data[field.stop : stop], reference]

    pieces = rewritten(data, lambda start, stop: stop - start > LARGE, without_data)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def restored(light: bytes) -> list[Piece]:
    """Returns the bytes of a model, given those of the light one: with its data in their places."""
    mark = _MARK.encode()

    def with_data(start: int, stop: int) -> list[Piece] | None:
        tensor = TensorProto.FromString(light[start:stop])
        if not is_reference(tensor):
            return None
        place, number = data_range(tensor), _forget(tensor)
        head = tensor.SerializeToString()
        later = (f.start for f in fields(head, 0, len(head)) if f.number > number)
        at = next(later, len(head))  # where protobuf would write it
        return [head[:at], *delimited(number, [place]), head[at:]]

    return rewritten(light, lambda start, stop: light.find(mark, start, stop) >= 0, with_data)


def refer(tensor: TensorProto, place: Range) -> None:
    """Makes a tensor without its raw data a reference to it."""
    is_told = tensor.HasField("data_location")
    tensor.MergeFrom(_reference(TensorProto.RAW_DATA_FIELD_NUMBER, place, is_told=is_told))


def is_reference(tensor: TensorProto) -> bool:
    """Tells whether a tensor's data was left in the file that its model came from."""
    is_external = tensor.data_location == TensorProto.EXTERNAL
    return is_external and any(item.value == _MARK for item in tensor.external_data)


def data_range(tensor: TensorProto) -> Range:
    """Where in that file the data of a reference is."""
    entries = {item.key: item.value for item in tensor.external_data}
    return Range(int(entries["offset"]), int(entries["length"]))


def put_back(tensor: TensorProto, data: bytes) -> None:
    """Makes a reference a tensor with its data again."""
    number = _forget(tensor)
    if number == TensorProto.RAW_DATA_FIELD_NUMBER:
        tensor.raw_data = data
    else:
        tensor.MergeFromString(b"".join(delimited(number, [data])))  # type: ignore[arg-type]


def _is_large(field: Field) -> bool:
    width = _WIDTHS.get(field.number)
    is_whole = width is not None and field.length % width == 0
    return field.kind == DELIMITED and is_whole and field.length > LARGE


def _reference(field: int, place: Range, *, is_told: bool) -> TensorProto:
    """What a tensor gets in the place of its data."""
    tensor = TensorProto(data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=_MARK)
    numbers = {"offset": place.start, "length": place.length, "field": field}
    for key, number in {**numbers, "is_told": int(is_told)}.items():
        tensor.external_data.add(key=key, value=str(number))
    return tensor


def _forget(tensor: TensorProto) -> int:
    """Takes the reference out of a tensor; returns the number of the field with the data."""
    entries = {item.key: item.value for item in tensor.external_data}
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    if int(entries["is_told"]):
        tensor.data_location = TensorProto.DEFAULT
    return int(entries["field"])
