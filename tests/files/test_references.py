"""Light models: nothing but the data is left out, and all comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_acts.files import references
from onnx_acts.files.references import (
    LARGE,
    data_range,
    is_reference,
    lightened,
    put_back,
    restored,
)
from onnx_acts.files.weights import external_tensors
from onnx_acts.files.wire import Range, delimited
from tests.files.models import WEIGHT, external, model_of

MUCH = LARGE + 8


def raw(**fields: Any) -> TensorProto:
    """A large tensor with raw data and other fields."""
    return TensorProto(dims=[MUCH], data_type=2, name="w", raw_data=b"w" * MUCH, **fields)


def typed(field: str, kind: int) -> TensorProto:
    """A large tensor with its values in a field of their type."""
    tensor = TensorProto(dims=[MUCH], data_type=kind, name="w", doc_string="d")
    getattr(tensor, field).extend(range(MUCH))
    return tensor


LEFT_OUT = {
    "raw data": raw(),
    "raw data among other fields": raw(doc_string="d"),
    "a place that is told": raw(data_location=TensorProto.DEFAULT, doc_string="d"),
    "floats": typed("float_data", TensorProto.FLOAT),
    "doubles": typed("double_data", TensorProto.DOUBLE),
    "of no shape that fits": TensorProto(data_type=1, raw_data=b"w" * MUCH),
}
KEPT = {
    "just small enough": TensorProto(dims=[LARGE], data_type=2, raw_data=bytes(LARGE)),
    "external": external("w.data", (MUCH,)),
    "two sorts of data": raw(float_data=[1.0]),
    "external and raw": raw(data_location=TensorProto.EXTERNAL),
    "numbers of any length": typed("int32_data", TensorProto.FLOAT16),
    "texts": TensorProto(data_type=8, string_data=[b"t" * MUCH]),
}


def places(tensor: TensorProto) -> Iterator[tuple[str, onnx.ModelProto]]:
    """Models with a tensor in each place that can hold one."""
    model = model_of([1.0])
    model.graph.initializer[0].CopyFrom(tensor)
    yield "initializer", model
    node = helper.make_node("Constant", [], ["c"])
    node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t.CopyFrom(tensor)
    model = model_of([1.0])
    model.graph.node.append(node)
    yield "Constant", model
    model = model_of([1.0])
    inner = helper.make_graph([node], "inner", [], [], [tensor])
    model.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=inner))
    yield "subgraph", model
    model = model_of([1.0])
    model.functions.add(domain="d", name="f").node.append(node)
    yield "function", model
    model = model_of([1.0])
    model.graph.sparse_initializer.add(dims=[9]).values.CopyFrom(tensor)
    yield "sparse", model
    model = model_of([1.0])
    model.training_info.add().algorithm.initializer.append(tensor)
    yield "training", model


PLACES = [place for place, _ in places(raw())]


def joined(pieces: list[Any], data: bytes) -> bytes:
    """The bytes of pieces, with ranges of `data`."""
    return b"".join(
        data[piece.start : piece.start + piece.length] if isinstance(piece, Range) else piece
        for piece in pieces
    )


@pytest.mark.parametrize("name", LEFT_OUT)
@pytest.mark.parametrize("place", PLACES)
def test_left_out(name: str, place: str) -> None:
    """The data is left out, and its bytes come back to where protobuf writes them."""
    data = dict(places(LEFT_OUT[name]))[place].SerializeToString()
    light = onnx.ModelProto.FromString(lightened(data))
    count = len(list(external_tensors(light)))
    assert count == (2 if place == "subgraph" else 1)
    assert light.ByteSize() < len(data) - count * LARGE + count * 200
    assert joined(restored(light.SerializeToString()), data) == data
    for tensor in external_tensors(light):
        assert is_reference(tensor)
        where = data_range(tensor)
        put_back(tensor, data[where.start : where.start + where.length])
    assert light == onnx.ModelProto.FromString(data)


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("place", PLACES)
def test_kept(name: str, place: str) -> None:
    """What is small, elsewhere, or for protobuf to decide stays."""
    data = dict(places(KEPT[name]))[place].SerializeToString()
    if place == "initializer":
        assert lightened(data) == data
    assert onnx.ModelProto.FromString(lightened(data)) == onnx.ModelProto.FromString(data)
    assert restored(data) == [data]


def field(number: int, content: bytes) -> bytes:
    """A field with a length."""
    pieces = delimited(number, [content])
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def wrapped(tensor: bytes) -> bytes:
    """A model of one initializer."""
    return b"\x08\x09" + field(7, field(2, b"g") + field(5, tensor)) + field(8, b"\x10\x14")


ODD = {
    "data first": field(9, b"w" * MUCH) + TensorProto(dims=[MUCH], data_type=2).SerializeToString(),
    "data twice, the last counts": field(9, b"a" * MUCH) + field(9, b"b" * MUCH) + b"\x10\x02",
    "large data, then small": field(9, b"a" * MUCH) + field(9, b"b") + b"\x10\x02",
    "floats in two parts": field(4, bytes(MUCH)) + b"\x10\x01" + field(4, bytes(MUCH)),
    "an odd number of bytes of floats": b"\x10\x01" + field(9, b"a" * (MUCH + 1)),
    "unknown fields": raw().SerializeToString() + field(99, b"u" * MUCH) + b"\xf8\x07\x05",
    "long lengths": b"\x4a\x88\xa0\x80\x80\x00" + b"w" * MUCH + b"\x10\x02",
    "another wire type": b"\x48\x07" + field(9, b"w" * MUCH),
}


@pytest.mark.parametrize("name", ODD)
def test_odd(name: str) -> None:
    """Valid bytes that protobuf would not write give the same model as with protobuf alone."""
    data = wrapped(ODD[name])
    light = onnx.ModelProto.FromString(lightened(data))
    again = joined(restored(light.SerializeToString()), data)
    whole = onnx.ModelProto.FromString(data)
    assert onnx.ModelProto.FromString(again) == whole
    assert again == whole.SerializeToString()


def test_no_floats() -> None:
    """Floats of a length that is no multiple of 4 stay in, for protobuf to refuse."""
    data = wrapped(field(4, bytes(MUCH + 1)))
    assert lightened(data) == data


def test_foreign_references() -> None:
    """A file cannot make references: the word is drawn in each process, and it is long."""
    assert len(references._MARK) == 32
    tensor = external("0" * 32, (MUCH,), offset=0, length=MUCH, field=9, is_told=0)
    assert not is_reference(tensor)
    assert not is_reference(numpy_helper.from_array(WEIGHT))


def test_copies() -> None:
    """References are copied and moved like any data, and shared ones come back twice."""
    model = model_of()
    data = model.SerializeToString()
    light = onnx.ModelProto.FromString(lightened(data))
    light.graph.initializer.append(light.graph.initializer[0])
    light.graph.initializer[1].name = "longer name"
    model.graph.initializer.append(model.graph.initializer[0])
    model.graph.initializer[1].name = "longer name"
    assert joined(restored(light.SerializeToString()), data) == model.SerializeToString()
    assert np.array_equal(numpy_helper.to_array(model.graph.initializer[1]), WEIGHT)
