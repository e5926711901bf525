"""The wire format: fields, what is unusual, and what is left to protobuf."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto

from onnx_acts.files.wire import (
    Piece,
    Range,
    UnusualError,
    delimited,
    fields,
    rewritten,
    size,
)


def test_fields() -> None:
    """Each kind of field that protobuf writes is found with its content."""
    tensor = TensorProto(dims=[3, 300], data_type=1, name="t" * 200, raw_data=b"abcd")
    attribute = onnx.AttributeProto(f=1.0, i=-1)
    found = list(fields(tensor.SerializeToString(), 0, tensor.ByteSize()))
    assert [item.number for item in found] == [1, 1, 2, 8, 9]
    last = found[-1]
    assert tensor.SerializeToString()[last.content : last.stop] == b"abcd"
    assert (last.length, last.stop) == (4, tensor.ByteSize())
    assert found[3].content - found[3].start == 3  # a length above 127 has two bytes
    parts = [(f.number, f.kind) for f in fields(attribute.SerializeToString(), 0, 16)]
    assert parts == [(2, 5), (3, 0)]
    assert next(fields(b"abc\x09" + bytes(8), 3, 12)).stop == 12


DAMAGED = {
    "cut in a number": b"\x08",
    "cut in a long number": b"\x08\xff\xff",
    "cut in a length": b"\x0a\x80",
    "cut in a content": b"\x0a\x02a",
    "cut in a fixed number": b"\x0d\x00",
    "number of 11 bytes": b"\x08" + b"\xff" * 10 + b"\x01",
    "field 0": b"\x00\x00",
    "group": b"\x0b\x0c",
    "end of a group": b"\x0c",
    "wire type 6": b"\x0e\x00",
    "length beyond all": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name: str) -> None:
    """What does not end where it should, or is of an old form, is not read on."""
    with pytest.raises(UnusualError):
        list(fields(DAMAGED[name], 0, len(DAMAGED[name])))


def change_tensors(data: bytes) -> list[Piece]:
    """The bytes of a model with the word "new" in the place of every tensor."""
    return rewritten(data, lambda start, stop: True, lambda start, stop: [b"ne", Range(7, 1)])


def test_every_tensor_is_found() -> None:
    """Tensors are changed wherever ONNX has them, and lengths around them are right."""
    model = onnx.ModelProto(ir_version=9)
    holders = [model.graph.initializer.add(), model.graph.sparse_initializer.add().indices]
    attribute = model.graph.node.add().attribute.add()
    holders += [attribute.t, attribute.tensors.add(), attribute.sparse_tensor.values]
    holders += [attribute.g.initializer.add(), attribute.graphs.add().initializer.add()]
    holders += [model.functions.add().node.add().attribute.add().t]
    holders += [model.training_info.add().initialization.initializer.add()]
    for number, tensor in enumerate(holders):
        tensor.name = "x" * number  # the lengths differ
    pieces = change_tensors(model.SerializeToString())
    assert pieces.count(Range(7, 1)) == len(holders)
    for tensor in holders:
        tensor.Clear()
        tensor.MergeFromString(b"\x42\x01w")  # as long as "new"
    assert size(pieces) == model.ByteSize()
    joined = b"".join(b"\0" if isinstance(piece, Range) else piece for piece in pieces)
    assert joined == model.SerializeToString().replace(b"\x42\x01w", b"ne\0")


def test_no_tensor() -> None:
    """Without a tensor the bytes stay as they are."""
    data = onnx.ModelProto(ir_version=9, producer_name="p").SerializeToString()
    assert change_tensors(data) == [data]


def test_two_parts() -> None:
    """A message in two parts is left to protobuf, which joins them; lists may go on later."""
    one = onnx.ModelProto()
    one.graph.initializer.add()
    data = one.SerializeToString()
    with pytest.raises(UnusualError, match="field 7 of ModelProto in two parts"):
        change_tensors(data + data)
    graph = one.graph.SerializeToString()
    inner = b"".join(piece for piece in delimited(7, [graph, graph]) if isinstance(piece, bytes))
    assert change_tensors(inner).count(Range(7, 1)) == 2


def test_nested_too_deep() -> None:
    """Beyond the depth that protobuf reads, it is the one to say so."""
    data = b""
    for _ in range(60):
        for number in (6, 5, 1):  # a graph in an attribute in a node
            data = b"".join(p for p in delimited(number, [data]) if isinstance(p, bytes))
    data = b"".join(p for p in delimited(7, [data]) if isinstance(p, bytes))
    with pytest.raises(UnusualError, match="nested too deep"):
        change_tensors(data)
