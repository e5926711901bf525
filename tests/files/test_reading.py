"""Reading model files: what is refused, wherever a file comes in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import onnx_acts
from onnx_acts.files.reading import check_model_file, load_model, read_model
from onnx_acts.files.saving import save_model
from tests.files.models import external, model_of, with_external

# Reading


@pytest.mark.parametrize("load", [load_model, check_model_file, read_model, onnx_acts.session])
def test_no_file(load: Callable[[Path], Any], tmp_path: Path, native_is_not_needed: None) -> None:
    """Every way in names a file that is not there."""
    with pytest.raises(FileNotFoundError, match=r"there is no ONNX file at .*none\.onnx"):
        load(tmp_path / "none.onnx")


@pytest.fixture
def native_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session looks at the file even where the native library is not built."""
    monkeypatch.setattr("onnx_acts.ort.sessions.register", lambda options: None)


WHOLE = model_of().SerializeToString()
BROKEN = {
    "empty": (b"", "its 0 bytes hold no graph"),
    "cut off": (WHOLE[: len(WHOLE) // 2], f"its {len(WHOLE) // 2} bytes cannot be decoded"),
    "random": (np.random.default_rng(1).bytes(999), "its 999 bytes cannot be decoded"),
    "text": (b"hello world", "its 11 bytes cannot be decoded"),
    "no graph": (onnx.ModelProto(ir_version=9).SerializeToString(), "its 2 bytes hold no graph"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_no_model(name: str, tmp_path: Path) -> None:
    """Broken files are told with path and size."""
    data, message = BROKEN[name]
    path = tmp_path / "broken.onnx"
    path.write_bytes(data)
    for load in (load_model, check_model_file, read_model):
        with pytest.raises(ValueError, match=f"broken.onnx is not a valid ONNX file: {message}"):
            load(path)
    with pytest.raises(ValueError, match=f"the model is not a valid ONNX file: {message}"):
        read_model(data)


def test_every_cut(tmp_path: Path) -> None:
    """Wherever a file is cut off it is refused with a ValueError, or still is a model."""
    data, path = model_of([1.0]).SerializeToString(), tmp_path / "cut.onnx"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        try:
            load_model(path)
        except ValueError as error:
            assert "cut.onnx is not a valid ONNX file" in str(error)  # noqa: PT017  # may not raise


def test_not_a_plain_file(tmp_path: Path) -> None:
    """A directory or pipe is no model, and nothing waits for a pipe."""
    with pytest.raises(ValueError, match="is not a valid ONNX file: it is a directory"):
        load_model(tmp_path)
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ValueError, match=r"pipe\.onnx is not .*: it is not a plain file"):
        load_model(tmp_path / "pipe.onnx")


def test_too_large(tmp_path: Path) -> None:
    """A file above 2 GiB is refused before it is read."""
    path = tmp_path / "large.onnx"
    with open(path, "wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(ValueError, match=r"it has 2147483648 bytes .* external data"):
        load_model(path)


def test_deep_nesting(tmp_path: Path) -> None:
    """A file with subgraphs nested beyond the limits is refused, whoever finds it first."""
    for depth in (31, 2000):
        path = tmp_path / "deep.onnx"
        path.write_bytes(nested(depth))
        with pytest.raises(ValueError, match=r"deep\.onnx.*(nested too deep|more than 30 deep)"):
            load_model(path)
    path.write_bytes(nested(30))
    load_model(path)


def nested(depth: int) -> bytes:
    """A model with `depth` graphs, each in a node of the one around; written byte by byte."""

    def field(number: int, data: bytes) -> bytes:
        size, encoded = len(data), bytearray()
        while size > 127:
            encoded.append(size & 127 | 128)
            size >>= 7
        return bytes([number << 3 | 2, *encoded, size]) + data

    graph = b""
    for _ in range(depth):
        attribute = field(1, b"body") + field(6, graph) + b"\xa0\x01\x05"
        graph = field(1, field(1, b"c") + field(2, b"y") + field(4, b"If") + field(5, attribute))
    return b"\x08\x09" + field(7, graph) + field(8, b"\x10\x14")


def test_structure_is_checked(tmp_path: Path) -> None:
    """What `check_model` refuses is refused with the file's name."""
    path, model = tmp_path / "new.onnx", model_of()
    model.opset_import[0].version = 999
    path.write_bytes(model.SerializeToString())
    for load in (load_model, check_model_file):
        with pytest.raises(ValueError, match=r"new\.onnx: the model imports ai\.onnx version 999"):
            load(path)
    for source in (model, model.SerializeToString()):
        with pytest.raises(ValueError, match=r"the model imports ai\.onnx version 999; versions 1"):
            read_model(source)


def test_read_model_copies() -> None:
    """A model in memory is copied."""
    model = model_of()
    copy = read_model(model)
    assert copy == model
    copy.graph.name = "changed"
    assert model.graph.name == "g"


def test_read_model_type() -> None:
    """Anything else is refused by its type."""
    with pytest.raises(TypeError, match="expected a path, bytes or a ModelProto, got list"):
        read_model([1])  # type: ignore[arg-type]  # the point of the test


# External data


LOCATIONS = {
    "": "is not a path inside the model's folder",
    "..": "is not a path inside the model's folder",
    "../w.data": "is not a path inside the model's folder",
    "a/../../w.data": "is not a path inside the model's folder",
    "/etc/passwd": "is not a path inside the model's folder",
    "/dev/zero": "is not a path inside the model's folder",
    "w\0.data": "is not a path inside the model's folder",
    ".": "is not a path inside the model's folder",
    "none.data": "there is no file .*none.data; copy it beside the model",
    "link": "goes through a symbolic link",
    "linked/w.data": "goes through a symbolic link",
    "broken": "goes through a symbolic link",
    "second": r"has 2 names \(hard links\); it is not opened: make a copy",
    "folder": "is not a plain file",
    "pipe": "is not a plain file",
}


@pytest.mark.parametrize("location", LOCATIONS)
def test_location(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only plain files with one name inside the model's folder are opened."""
    outside, folder = tmp_path / "outside", tmp_path / "inside"
    (outside / "folder").mkdir(parents=True)
    (folder / "folder").mkdir(parents=True)
    (outside / "w.data").write_bytes(bytes(16))
    (folder / "link").symlink_to(outside / "w.data")
    (folder / "linked").symlink_to(outside)
    (folder / "broken").symlink_to("nowhere")
    (folder / "second").hardlink_to(outside / "w.data")
    os.mkfifo(folder / "pipe")
    path = with_external(folder, external(location))
    opened: list[object] = []
    loader = "onnx.external_data_helper.load_external_data_for_tensor"
    monkeypatch.setattr(loader, lambda *arguments: opened.append(arguments))
    for load in (load_model, check_model_file, onnx_acts.accelerate, onnx_acts.lower):
        with pytest.raises(
            ValueError, match=f"external data of tensor 'w': .*{LOCATIONS[location]}"
        ):
            load(path)
    assert not opened


RANGES: dict[str, tuple[dict[str, Any], str]] = {
    "offset": ({"offset": 17}, r"bytes 17 to 33 are wanted, .*w\.data has 16"),
    "length": ({"offset": 8, "length": 16}, r"bytes 8 to 24 are wanted, .*w\.data has 16"),
    "huge": ({"offset": 2**63, "length": 2**62}, r"bytes 9\d+ to 13\d+ are wanted, .* has 16"),
    "too short": ({"offset": 4}, r"bytes 4 to 20 are wanted, .*w\.data has 16"),
    "short length": ({"length": 8}, r"8 bytes from 0 on, but .* shape \[4\] needs 16"),
    "too long": ({"length": 12, "shape": (2,)}, r"12 bytes from 0 on, but .* \[2\] needs 8"),
    "negative offset": ({"offset": -1}, "offset '-1' is not a number of bytes"),
    "negative length": ({"length": -1}, "length '-1' is not a number of bytes"),
    "text": ({"offset": "abc"}, "offset 'abc' is not a number of bytes"),
    "empty": ({"offset": ""}, "offset '' is not a number of bytes"),
    "spaces": ({"offset": " 4 "}, "offset ' 4 ' is not a number of bytes"),
    "other digits": ({"offset": "٤"}, "offset '٤' is not a number of bytes"),
    "very long": ({"offset": "9" * 5000}, "offset '9+' is not a number of bytes"),
}


@pytest.mark.parametrize("name", RANGES)
def test_range(name: str, tmp_path: Path) -> None:
    """A range outside the file, or too small for the tensor, is told with file and bytes."""
    entries, message = RANGES[name]
    path = with_external(tmp_path, external(**entries))
    with pytest.raises(ValueError, match=f"external data of tensor 'w': 'w.data'.*{message}"):
        load_model(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((-1, 4), "negative dimension"),
        ((2**40, 2**40), "0 to 4835703278458516698824704 are wanted"),
    ],
)
def test_impossible_shape(shape: tuple[int, ...], message: str, tmp_path: Path) -> None:
    """A shape that no file can fill is refused; the product does not overflow."""
    with pytest.raises(ValueError, match=message):
        load_model(with_external(tmp_path, external(shape=shape)))


def test_good_range(tmp_path: Path) -> None:
    """A range inside the file is loaded, by default from the start."""
    path = with_external(tmp_path, external(), size=16)
    values = np.array([1, 2, 3, 4], np.float32)
    (tmp_path / "w.data").write_bytes(values.tobytes())
    assert numpy_helper.to_array(load_model(path).graph.initializer[0]).tolist() == [1, 2, 3, 4]
    path = with_external(tmp_path, external(shape=(2,), offset=4, length=8))
    (tmp_path / "w.data").write_bytes(values.tobytes())
    assert numpy_helper.to_array(load_model(path).graph.initializer[0]).tolist() == [2, 3]
    model = load_model(path, load_external_data=False)
    assert model.graph.initializer[0] == external(shape=(2,), offset=4, length=8)


@pytest.mark.parametrize("length", [{}, {"length": 0}])
def test_length_left_out(length: dict[str, Any], tmp_path: Path) -> None:
    """A tensor without a length ends where its shape ends: others may follow in the file."""
    path = with_external(tmp_path, external(shape=(2,), offset=4, **length), size=16)
    (tmp_path / "w.data").write_bytes(np.array([1, 2, 3, 4], np.float32).tobytes())
    assert numpy_helper.to_array(load_model(path).graph.initializer[0]).tolist() == [2, 3]
    saved = tmp_path / "saved.onnx"
    save_model(onnx_acts.lower(path), saved)
    assert numpy_helper.to_array(load_model(saved).graph.initializer[0]).tolist() == [2, 3]


def places() -> dict[str, onnx.ModelProto]:
    """Models with a tensor outside the folder, in every place that can hold a tensor."""
    bad = external("../w.data")
    found = {name: model_of() for name in ("constant", "list", "sparse", "subgraph", "training")}
    constant = helper.make_node("Constant", [], ["k"])
    constant.attribute.add(name="value", type=onnx.AttributeProto.TENSOR).t.CopyFrom(bad)
    found["constant"].graph.node.append(constant)
    several = helper.make_node("Identity", ["x"], ["k"])
    several.attribute.add(name="a", type=onnx.AttributeProto.TENSORS).tensors.append(bad)
    found["list"].graph.node.append(several)
    found["sparse"].graph.sparse_initializer.add().values.CopyFrom(bad)
    found["sparse"].graph.sparse_initializer[0].values.name = "s"
    branch = helper.make_graph([constant], "b", [], [])
    found["subgraph"].graph.node.append(
        helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch)
    )
    found["training"].training_info.add().algorithm.initializer.append(bad)
    found["function"] = model_of()
    found["function"].functions.add(name="F", domain="d").node.append(constant)
    attribute = found["function"].functions[0].attribute_proto.add(name="q")
    attribute.type = onnx.AttributeProto.INT
    found["default of a function"] = model_of()
    function = found["default of a function"].functions.add(name="F", domain="d")
    function.attribute_proto.append(constant.attribute[0])
    return found


@pytest.mark.parametrize("place", places())
def test_every_place(place: str, tmp_path: Path) -> None:
    """A bad reference is found wherever it hides."""
    path = tmp_path / "m.onnx"
    path.write_bytes(places()[place].SerializeToString())
    with pytest.raises(ValueError, match=r"'\.\./w\.data' is not a path inside"):
        load_model(path)


# Running


RUN = [onnx_acts.session, onnx_acts.reference_evaluator]


@pytest.mark.parametrize("run", RUN)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_model_is_not_run(run: Callable[[Any], Any], name: str, tmp_path: Path) -> None:
    """A session and the evaluator say the same of bytes and files as every other way in."""
    data, message = BROKEN[name]
    with pytest.raises(ValueError, match=f"the model is not a valid ONNX file: {message}"):
        run(data)
    (tmp_path / "broken.onnx").write_bytes(data)
    with pytest.raises(ValueError, match=rf"broken\.onnx is not a valid ONNX file: {message}"):
        run(tmp_path / "broken.onnx")
    with pytest.raises(ValueError, match="it is a directory"):
        run(tmp_path)
    with pytest.raises(TypeError, match="expected a path, bytes or a ModelProto, got list"):
        run([data])


@pytest.mark.parametrize("run", RUN)
@pytest.mark.parametrize("location", ["w.data", "../w.data", "/etc/passwd", "link"])
def test_external_data_needs_a_file(
    run: Callable[[Any], Any], location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory there is no folder, so not even the current one is looked into."""
    path = with_external(tmp_path, external(location))
    (tmp_path / "link").symlink_to("w.data")
    monkeypatch.chdir(tmp_path)
    for source in (onnx.load_model(path, load_external_data=False), path.read_bytes()):
        with pytest.raises(ValueError, match=r"tensor 'w' has its data in another file.* the path"):
            run(source)
    if location == "w.data":
        assert run(path).run(None, {"x": np.array(1, np.float32)})[0].tolist() == [1] * 4
    else:
        with pytest.raises(ValueError, match="external data of tensor 'w'"):
            run(path)
