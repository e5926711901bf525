"""Protobuf's wire format, as far as large tensors are taken out of a model's bytes and put back.

Only what leads to a tensor is looked into; all else, unknown fields included, stays as it is.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import onnx
from google.protobuf.message import Message

__all__ = [
    "DELIMITED",
    "Data",
    "Field",
    "Piece",
    "Range",
    "UnusualError",
    "delimited",
    "fields",
    "rewritten",
    "size",
]

DELIMITED = 2
"""The wire type of bytes, strings, messages and packed numbers: a length comes first."""

_FIXED = {1: 8, 5: 4}
"""The sizes of numbers, by wire type."""

_VARINT = 0
_LONGEST_VARINT = 10
_DEEPEST = 100
"""Messages in messages; protobuf reads no more than these."""


class UnusualError(ValueError):
    """Bytes that are damaged, or valid in a way that only protobuf itself is to judge."""


class Data(Protocol):
    """Bytes in memory or in a file."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


@dataclasses.dataclass(frozen=True)
class Range:
    """Bytes of the file that a model came from."""

    start: int
    length: int


Piece = bytes | Range


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes:
        number: its number.
        kind: its wire type.
        start: where it begins.
        content: where its content begins, after its number and length.
        stop: where it ends.
    """

    number: int
    kind: int
    start: int
    content: int
    stop: int

    @property
    def length(self) -> int:
        """Bytes of its content."""
        return self.stop - self.content


def fields(data: Data, start: int, stop: int) -> Iterator[Field]:
    """Yields the fields of the message between two places.

    Raises:
        UnusualError: they do not fill it exactly, or there is a group (an old form of messages).
    """
    at = start
    while at < stop:
        head = data[at : min(at + 2 * _LONGEST_VARINT, stop)]
        key, used = _varint(head, 0)
        number, kind = key >> 3, key & 7
        length = _FIXED.get(kind, 0)
        if kind == DELIMITED:
            length, used = _varint(head, used)
        elif kind == _VARINT:
            _, used = _varint(head, used)
        elif kind not in _FIXED:
            raise UnusualError(f"wire type {kind} at byte {at}")
        content = at + used
        if not number or content + length > stop:
            raise UnusualError(f"field {number} of {length} bytes at byte {at}")
        yield Field(number, kind, at, content, content + length)
        at = content + length


def rewritten(
    data: Data,
    is_wanted: Callable[[int, int], bool],
    change: Callable[[int, int], list[Piece] | None],
) -> list[Piece]:
    """Returns the bytes of a model with other tensors in it.

    Args:
        data: the serialised model.
        is_wanted: tells, of the message between two places, whether to look into it.
        change: the bytes to put in the place of those of a tensor; None leaves it.

    Raises:
        UnusualError: as in `fields`; or a message is given in two parts, which protobuf joins.
    """
    walk = _Walk(data, is_wanted, change)
    pieces = walk.message(0, len(data), onnx.ModelProto.DESCRIPTOR, 0)
    return [data[0 : len(data)]] if pieces is None else pieces


def delimited(number: int, content: Sequence[Piece]) -> list[Piece]:
    """A field with a length before its content."""
    return [_encoded(number << 3 | DELIMITED) + _encoded(size(content)), *content]


def size(pieces: Sequence[Piece]) -> int:
    """Bytes of several pieces."""
    return sum(piece.length if isinstance(piece, Range) else len(piece) for piece in pieces)


@dataclasses.dataclass(frozen=True)
class _Way:
    """A field of messages: their kind, and whether there can be but one."""

    kind: Any
    is_single: bool


@dataclasses.dataclass(frozen=True)
class _Walk:
    """`rewritten`, with its arguments."""

    data: Data
    is_wanted: Callable[[int, int], bool]
    change: Callable[[int, int], list[Piece] | None]

    def message(self, start: int, stop: int, kind: Any, depth: int) -> list[Piece] | None:
        """The message between two places; None where it stays as it is."""
        if kind is onnx.TensorProto.DESCRIPTOR:
            return self.change(start, stop)
        if depth > _DEEPEST:
            raise UnusualError("messages nested too deep")
        pieces: list[Piece] = []
        kept, seen = start, set()
        ways = _ways(kind)
        for field in fields(self.data, start, stop):
            way = ways.get(field.number) if field.kind == DELIMITED else None
            if way is None:
                continue
            if way.is_single and field.number in seen:
                raise UnusualError(f"field {field.number} of {kind.name} in two parts")
            seen.add(field.number)
            if not self.is_wanted(field.content, field.stop):
                continue
            new = self.message(field.content, field.stop, way.kind, depth + 1)
            if new is not None:
                pieces += [self.data[kept : field.start], *delimited(field.number, new)]
                kept = field.stop
        return [*pieces, self.data[kept:stop]] if pieces else None


@functools.cache
def _ways(kind: Any) -> dict[int, _Way]:
    """The fields of a kind of message that may lead to a tensor, by number."""
    empty = kind._concrete_class()
    return {
        field.number: _Way(field.message_type, isinstance(getattr(empty, field.name), Message))
        for field in kind.fields
        if field.message_type is not None and _leads_to_tensor(field.message_type)
    }


@functools.cache
def _leads_to_tensor(kind: Any) -> bool:
    waiting, seen = [kind], set()
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            waiting += [field.message_type for field in kind.fields if field.message_type]
    return onnx.TensorProto.DESCRIPTOR in seen


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise UnusualError("a number without an end")


def _encoded(value: int) -> bytes:
    """A number as a varint."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
