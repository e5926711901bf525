"""Reading and writing model files: what is refused, and that a file is whole whatever happens."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.files import reading
from onnx_acts.files.reading import (
    check_model_file,
    load_model,
    read_model,
    save_model,
    write_atomically,
)

WEIGHT = np.arange(2000, dtype=np.float32)


def model_of(weight: Any = WEIGHT, name: str = "w") -> onnx.ModelProto:
    """Y = x + w."""
    tensor = numpy_helper.from_array(np.asarray(weight), name)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", name], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [tensor],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def external(
    location: str = "w.data", shape: tuple[int, ...] = (4,), **entries: int | str
) -> TensorProto:
    """A float32 tensor in another file."""
    tensor = TensorProto(name="w", dims=shape, data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def with_external(folder: Path, tensor: TensorProto, size: int = 16) -> Path:
    """Writes a model whose weight is `tensor`, and a sidecar of `size` bytes."""
    model = model_of()
    model.graph.initializer[0].CopyFrom(tensor)
    (folder / "w.data").write_bytes(bytes(size))
    (folder / "m.onnx").write_bytes(model.SerializeToString())
    return folder / "m.onnx"


def weight_of(path: Path | str) -> list[float]:
    """The weight of a model file, from wherever it is."""
    return list(numpy_helper.to_array(load_model(path).graph.initializer[0]))


def listing(folder: Path) -> list[str]:
    """The names in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())


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


NAMES = ["with space.onnx", "modèle-été.onnx", "模型.onnx", "-x.onnx", "l" * 240 + ".onnx"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_large", [False, True])
def test_names(name: str, is_large: bool, tmp_path: Path, monkeypatch: Any) -> None:
    """Any name works, with and without a sidecar."""
    if is_large:
        monkeypatch.setattr(reading, "_INLINE_LIMIT", 100)
    folder = tmp_path / "dossier à part"
    folder.mkdir()
    save_model(model_of(), folder / name)
    assert len(listing(folder)) == 1 + is_large
    assert weight_of(folder / name) == list(WEIGHT)
    monkeypatch.chdir(folder)
    assert weight_of(name) == list(WEIGHT)
    save_model(model_of(), name)


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
    loader = "onnx_acts.files.reading.onnx.load_external_data_for_model"
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
    reading.save_model(onnx_acts.lower(path), saved)
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


# Writing


def test_unloaded_reference(tmp_path: Path) -> None:
    """A model whose external data is not in the target's folder is not written there."""
    light = load_model(with_external(tmp_path, external()), load_external_data=False)
    save_model(light, tmp_path / "copy.onnx")
    (tmp_path / "else").mkdir()
    with pytest.raises(ValueError, match=r"there is no file .*else/w\.data; copy it beside"):
        save_model(light, tmp_path / "else" / "copy.onnx")
    assert listing(tmp_path / "else") == []


def test_sidecar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights beyond the limit go to a sidecar, which ONNX Runtime and onnx read."""
    monkeypatch.setattr(reading, "_INLINE_LIMIT", 100)
    model = model_of()
    tensor = model.graph.initializer.add(name="f", dims=[2000], data_type=TensorProto.FLOAT)
    tensor.float_data.extend(WEIGHT)
    tensor.doc_string = "kept"
    small = model.graph.initializer.add()
    small.CopyFrom(numpy_helper.from_array(np.array(1, np.float32), "small"))
    before = model.SerializeToString()
    save_model(model, tmp_path / "m.onnx")
    assert model.SerializeToString() == before
    model_name, sidecar = sorted(listing(tmp_path), key=len)
    assert sidecar.startswith("m.onnx.")
    assert sidecar.endswith(".data")
    assert (tmp_path / "m.onnx").stat().st_size < 1000
    light = load_model(tmp_path / model_name, load_external_data=False)
    assert [t.data_location for t in light.graph.initializer] == [1, 1, 0]
    assert all(int(t.external_data[1].value) % 4096 == 0 for t in light.graph.initializer[:2])
    for loaded in (load_model(tmp_path / "m.onnx"), onnx.load_model(tmp_path / "m.onnx")):
        for got, wanted in zip(loaded.graph.initializer, model.graph.initializer, strict=True):
            assert (got.name, got.doc_string) == (wanted.name, wanted.doc_string)
            np.testing.assert_array_equal(numpy_helper.to_array(got), numpy_helper.to_array(wanted))
    session = onnx_acts.session(tmp_path / "m.onnx", accelerated=False)
    y = session.run(None, {"x": np.array(1, np.float32)})[0]
    np.testing.assert_array_equal(y, WEIGHT + 1)


def test_old_sidecar_stays_until_the_model_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that breaks off between sidecar and model leaves the old pair whole, and no litter."""
    monkeypatch.setattr(reading, "_INLINE_LIMIT", 100)
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)
    before = listing(tmp_path)

    def interrupted(target: Path, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "write_atomically", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_model(model_of(WEIGHT + 1), path)
    monkeypatch.setattr(reading, "write_atomically", write_atomically)
    assert listing(tmp_path) == before
    assert weight_of(path) == list(WEIGHT)
    save_model(model_of(WEIGHT + 1), path)
    assert weight_of(path) == list(WEIGHT + 1)


def test_serialising_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that protobuf cannot write is refused, and the old file stays."""
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)

    class Unwritable:
        def SerializeToString(self) -> bytes:  # noqa: N802  # protobuf's name
            raise ValueError("too large")

    with pytest.raises(ValueError, match=r"cannot write .*m\.onnx.*Constant nodes"):
        reading._encode(Unwritable(), path)  # type: ignore[arg-type]  # 2 GiB would be slow
    assert load_model(path) == model_of()


STEPS = ("fsync", "chmod", "replace")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_interrupted(
    step: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C or a full disk at any step leaves the old file whole and no temporary file."""
    path = tmp_path / "m.onnx"
    save_model(model_of(), path)

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)) as caught:
        save_model(model_of([1.0]), path)
    if isinstance(error, OSError):
        assert caught.match(rf"cannot write {path}: No space left")
        assert caught.value.errno == errno.ENOSPC  # type: ignore[attr-defined]  # an OSError
    assert listing(tmp_path) == ["m.onnx"]
    assert load_model(path) == model_of()


KILLED = """
import os, signal, sys
from onnx_acts.files.reading import write_atomically
step, path = sys.argv[1:]
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, step, die)
write_atomically(path, b"new")
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed(step: str, tmp_path: Path) -> None:
    """Kill -9 at any step leaves the old file whole; the next save works."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", KILLED, step, str(path)]
    done = subprocess.run(command, check=False, cwd=Path(onnx_acts.__file__).parents[1])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_atomically(path, b"newer")
    assert path.read_bytes() == b"newer"
    left = [name for name in listing(tmp_path) if name != "m.onnx"]
    assert all(name.startswith(".onnx_acts-") and name.endswith(".tmp") for name in left)


def write_often(path: Path, letter: str) -> None:
    """Writes a long file many times."""
    for _ in range(60):
        write_atomically(path, letter.encode() * 300_000)


def test_two_writers(tmp_path: Path) -> None:
    """Two processes that write one file leave one of the two, and a reader sees only whole ones."""
    path = tmp_path / "m.onnx"
    write_atomically(path, b"a" * 300_000)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        data = path.read_bytes()
        assert data in (b"a" * 300_000, b"b" * 300_000)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert listing(tmp_path) == ["m.onnx"]


def test_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which nothing can be made is told with the target's path, not a scratch name."""

    def refused(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(arguments[0]))

    monkeypatch.setattr(reading, "open", refused, raising=False)
    with pytest.raises(PermissionError) as caught:
        save_model(model_of(), tmp_path / "m.onnx")
    assert str(caught.value) == f"[Errno 13] cannot write {tmp_path / 'm.onnx'}: Permission denied"


def test_bad_targets(tmp_path: Path) -> None:
    """Targets that are no files, or that somebody protected, are refused and left alone."""
    with pytest.raises(FileNotFoundError, match=r"cannot write .*m\.onnx: there is no folder"):
        save_model(model_of(), tmp_path / "none" / "m.onnx")
    with pytest.raises(IsADirectoryError, match="it is a directory"):
        save_model(model_of(), tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe: it is not a plain file"):
        save_model(model_of(), tmp_path / "pipe")
    protected = tmp_path / "protected.onnx"
    protected.write_bytes(b"old")
    protected.chmod(0o444)
    with pytest.raises(PermissionError, match="it is write-protected"):
        save_model(model_of(), protected)
    assert protected.read_bytes() == b"old"
    assert listing(tmp_path) == ["pipe", "protected.onnx"]


def test_device(tmp_path: Path) -> None:
    """A device is not replaced by a file."""
    with pytest.raises(OSError, match="/dev/null: it is not a plain file"):
        write_atomically("/dev/null", b"x")


def test_symbolic_link(tmp_path: Path) -> None:
    """A link stays a link: the file that it names is replaced."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "m.onnx").write_bytes(b"old")
    (tmp_path / "link.onnx").symlink_to("real/m.onnx")
    save_model(model_of(), tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink()
    assert load_model(tmp_path / "real" / "m.onnx") == model_of()
    assert load_model(tmp_path / "link.onnx") == model_of()


def test_permissions(tmp_path: Path) -> None:
    """A file keeps its permissions; a new one has those of any new file."""
    path, other = tmp_path / "m.onnx", tmp_path / "plain"
    other.write_bytes(b"")
    save_model(model_of(), path)
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o640)
    save_model(model_of(), path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_folder_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rename the folder is flushed; a file system that cannot do that is no error."""
    flushed: list[bool] = []
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        flushed.append(is_folder)
        assert not is_folder or listing(tmp_path) == ["m.onnx"]
        if is_folder and len(flushed) > 2:
            raise OSError(errno.EINVAL, "not here")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "m.onnx", b"one")
    write_atomically(tmp_path / "m.onnx", b"two")
    assert flushed == [False, True, False, True]
    assert (tmp_path / "m.onnx").read_bytes() == b"two"


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


def test_session_on_a_model_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `ModelProto` that protobuf cannot serialise is sent by way of a file."""
    onnx_acts.session(model_of())
    monkeypatch.setattr(reading, "_INLINE_LIMIT", 100)
    with pytest.raises(ValueError, match=r"above 2 GiB.*onnx_acts\.files\.save_model and give"):
        onnx_acts.session(model_of())
