"""`accelerate_file` and `lower_file`: the same result as in memory, the weights where they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import onnx_acts
from onnx_acts.definition.specs import SPECS
from onnx_acts.files import opened, saving, writing
from onnx_acts.files.reading import load_model
from onnx_acts.files.saving import save_model
from onnx_acts.graph import accelerate, accelerate_file, lower, lower_file
from onnx_acts.graph.overview import overview
from tests.files.models import listing
from tests.graph.models import operators

SIZE = 2000
"""Channels; a float32 for each is more than what stays in a light model."""

SLOPES = np.linspace(0.1, 0.9, SIZE, dtype=np.float32).reshape(SIZE, 1)
ALL = tuple(spec.name for spec in SPECS)


def slope(name: str = "s", values: Any = SLOPES) -> TensorProto:
    """A large slope with raw data."""
    return numpy_helper.from_array(np.asarray(values), name)


def model_of(
    nodes: list[onnx.NodeProto], weights: list[TensorProto], opset: int = 20
) -> onnx.ModelProto:
    """A model from x to y, [N, channels, 3] each."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, ["N", SIZE, 3])],
        [helper.make_tensor_value_info("y", 1, ["N", SIZE, 3])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    model.metadata_props.add(key="note", value="kept")
    return model


def prelu(tensor: TensorProto) -> onnx.ModelProto:
    """PRelu with a stored slope, and a weight beside it."""
    weight = numpy_helper.from_array(np.ones((SIZE, 1), np.float32), "w")
    nodes = [helper.make_node("PRelu", ["x", "s"], ["h"]), helper.make_node("Add", "hw", ["y"])]
    return model_of(nodes, [tensor, weight])


def constant(tensor: TensorProto) -> onnx.NodeProto:
    """A Constant node."""
    return helper.make_node("Constant", [], [tensor.name], value=tensor)


def in_floats() -> TensorProto:
    """The slope in `float_data`, and with a place that says that it is there."""
    tensor = TensorProto(name="s", dims=SLOPES.shape, data_type=TensorProto.FLOAT)
    tensor.float_data.extend(SLOPES.ravel())
    tensor.data_location = TensorProto.DEFAULT
    return tensor


def maximum(values: Any) -> onnx.ModelProto:
    """max(x, slope*x), which is PReLU if no slope is above 1; the slope has been reshaped."""
    nodes = [
        helper.make_node("Reshape", ["s", "to"], ["t"]),
        helper.make_node("Mul", ["x", "t"], ["m"]),
        helper.make_node("Max", ["x", "m"], ["y"]),
    ]
    return model_of(nodes, [slope("s", values), numpy_helper.from_array(np.array([SIZE, 1]), "to")])


def in_branch() -> onnx.ModelProto:
    """PRelu in a branch, with its slope there, once stored and once in a Constant."""
    outputs = [helper.make_tensor_value_info("z", 1, ["N", SIZE, 3])]
    node = helper.make_node("PRelu", ["x", "t"], ["z"])
    stored = helper.make_graph([node], "stored", [], outputs, [slope("t")])
    made = helper.make_graph([constant(slope("t")), node], "made", [], outputs)
    condition = helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0)
    test = helper.make_node("Cast", ["m"], ["c"], to=TensorProto.BOOL)
    chosen = helper.make_node("If", ["c"], ["y"], then_branch=stored, else_branch=made)
    return model_of([condition, test, chosen], [])


def in_function() -> onnx.ModelProto:
    """PRelu in a function, with its slope there; called twice."""
    calls = ("x", "h"), ("h", "y")
    nodes = [helper.make_node("F", [a], [b], domain="d") for a, b in calls]
    model = model_of(nodes, [])
    body = [constant(slope()), helper.make_node("PRelu", ["a", "s"], ["b"])]
    opsets = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("d", "F", ["a"], ["b"], body, opsets))
    model.opset_import.append(helper.make_opsetid("d", 1))
    return model


def sparse() -> onnx.ModelProto:
    """Elu, and a sparse weight."""
    nodes = [helper.make_node("Elu", ["x"], ["h"]), helper.make_node("MatMul", ["h", "p"], ["y"])]
    model = model_of(nodes, [])
    found = model.graph.sparse_initializer.add(dims=[3, 3000])
    found.values.CopyFrom(numpy_helper.from_array(np.ones(3000, np.float32), "p"))
    found.indices.CopyFrom(numpy_helper.from_array(np.arange(3000), "i"))
    return model


MODELS: dict[str, Callable[[], onnx.ModelProto]] = {
    "raw": lambda: prelu(slope()),
    "floats": lambda: prelu(in_floats()),
    "Constant": lambda: model_of(
        [constant(slope()), helper.make_node("PRelu", ["x", "s"], ["y"])], []
    ),
    "folded": lambda: maximum(SLOPES),
    "too steep": lambda: maximum(SLOPES * 2),
    "branches": in_branch,
    "function": in_function,
    "sparse": sparse,
}


@pytest.mark.parametrize("name", MODELS)
def test_same_bytes(name: str, tmp_path: Path) -> None:
    """A file is what the model in memory is, byte for byte, there and back."""
    model = MODELS[name]()
    source, there, back, wanted = (tmp_path / f"{i}.onnx" for i in range(4))
    save_model(model, source)
    counts = accelerate_file(source, there, ops=ALL, approximate=True)
    whole = accelerate(model, ops=ALL, approximate=True)
    assert bool(counts) == (name != "too steep")
    save_model(whole, wanted)
    assert there.read_bytes() == wanted.read_bytes()
    assert accelerate(source, ops=ALL, approximate=True) == whole
    assert accelerate(source.read_bytes(), ops=ALL, approximate=True) == whole
    counts = lower_file(there, back)
    save_model(lower(whole), wanted)
    assert back.read_bytes() == wanted.read_bytes()
    assert lower(there) == lower(whole)
    assert bool(counts) == (name != "too steep")


def test_weights_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight that is no slope never enters the process."""
    save_model(prelu(slope()), tmp_path / "m.onnx")
    weights: list[int] = []
    read = opened.OpenFile._read

    def counting(self: opened.OpenFile, start: int, length: int) -> bytes:
        weights.append(length)
        return read(self, start, length)

    monkeypatch.setattr(opened.OpenFile, "_read", counting)
    monkeypatch.setattr(opened, "_WINDOW", 100)
    accelerate_file(tmp_path / "m.onnx", tmp_path / "n.onnx")
    assert [length for length in weights if length > 1000] == [SLOPES.nbytes]


# External data


def with_external(folder: Path, names: tuple[str, ...] = ("m.onnx",)) -> None:
    """Writes models that share a sidecar with a weight and a slope; the slope is used twice."""
    (folder / "w.data").write_bytes(b"start" + SLOPES.tobytes() * 2)
    model = prelu(slope())
    for tensor, at in zip(model.graph.initializer, (5, 5 + SLOPES.nbytes), strict=True):
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": "w.data", "offset": at, "length": SLOPES.nbytes}.items():
            tensor.external_data.add(key=key, value=str(value))
    again = model.graph.initializer.add()
    again.CopyFrom(model.graph.initializer[0])
    again.name = "again"
    model.graph.node[1].input[:] = ["h2", "w"]
    model.graph.node.insert(1, helper.make_node("PRelu", ["h", "again"], ["h2"]))
    for name in names:
        (folder / name).write_bytes(model.SerializeToString())


def output_of(path: Path) -> Any:
    """What a model gives, by its function bodies or standard nodes."""
    x = np.linspace(-2, 2, SIZE * 3, dtype=np.float32).reshape(1, SIZE, 3)
    return onnx_acts.session(path, accelerated=False).run(None, {"x": x})[0]


@pytest.mark.parametrize("output", ["m.onnx", "n.onnx", "sub/../n.onnx"])
def test_external_data_stays(output: str, tmp_path: Path) -> None:
    """In the same folder the new model refers to the same bytes, which nobody touches."""
    with_external(tmp_path, ("m.onnx", "other.onnx"))
    (tmp_path / "sub").mkdir()
    before, status = output_of(tmp_path / "other.onnx"), (tmp_path / "w.data").stat()
    assert accelerate_file(tmp_path / "m.onnx", tmp_path / output) == {"PRelu -> PReLU": 2}
    assert (tmp_path / "w.data").stat()[:9] == status[:9]
    assert set(listing(tmp_path)) == {"m.onnx", "other.onnx", "w.data", "sub", Path(output).name}
    new = load_model(tmp_path / output, load_external_data=False)
    old = load_model(tmp_path / "other.onnx", load_external_data=False)
    assert list(new.graph.initializer) == list(old.graph.initializer)
    np.testing.assert_array_equal(output_of(tmp_path / output), before)
    lower_file(tmp_path / output, tmp_path / "back.onnx")
    back = load_model(tmp_path / "back.onnx", load_external_data=False)
    assert list(back.graph.initializer) == list(old.graph.initializer)
    assert operators(back) == ["PRelu", "PRelu", "Add"]


@pytest.mark.parametrize("folder", ["else", "linked"])
def test_external_data_is_copied(folder: str, tmp_path: Path) -> None:
    """In another folder it goes to a new sidecar, each range once; no other file is touched."""
    source, target = tmp_path / "here", tmp_path / "else"
    source.mkdir()
    target.mkdir()
    (tmp_path / "linked").symlink_to(target)
    with_external(source)
    (target / "w.data").write_bytes(b"somebody's")
    (target / "m.onnx").write_bytes(b"somebody's, to be replaced")
    accelerate_file(source / "m.onnx", tmp_path / folder / "m.onnx")
    assert (target / "w.data").read_bytes() == b"somebody's"
    (sidecar,) = set(listing(target)) - {"w.data", "m.onnx"}
    assert sidecar.startswith("m.onnx.")
    light = load_model(target / "m.onnx", load_external_data=False)
    entries = [{e.key: e.value for e in t.external_data} for t in light.graph.initializer]
    length = str(SLOPES.nbytes)
    assert entries == [
        {"location": sidecar, "offset": offset, "length": length} for offset in ("0", "8192", "0")
    ]
    assert (target / sidecar).stat().st_size == 8192 + SLOPES.nbytes
    whole = load_model(target / "m.onnx")
    for tensor in whole.graph.initializer:
        np.testing.assert_array_equal(numpy_helper.to_array(tensor), SLOPES)
    np.testing.assert_array_equal(output_of(target / "m.onnx"), output_of(source / "m.onnx"))


def test_small_external_data_comes_in(tmp_path: Path) -> None:
    """Small tensors come into the file: inference has to see shapes and axes."""
    nodes = [helper.make_node("Reshape", ["x", "to"], ["h"]), helper.make_node("Elu", "h", "y")]
    model = model_of(nodes, [TensorProto(name="to", dims=[3], data_type=TensorProto.INT64)])
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w.data")
    (tmp_path / "w.data").write_bytes(np.array([1, SIZE, 3]).tobytes())
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    accelerate_file(tmp_path / "m.onnx", tmp_path / "n.onnx")
    assert load_model(tmp_path / "n.onnx") == accelerate(tmp_path / "m.onnx")
    loaded = load_model(tmp_path / "n.onnx", load_external_data=False).graph.initializer[0]
    assert numpy_helper.to_array(loaded).tolist() == [1, SIZE, 3]


def test_target_is_a_sidecar(tmp_path: Path) -> None:
    """The file of a model's own weights is not replaced by the model."""
    with_external(tmp_path)
    before = (tmp_path / "w.data").read_bytes()
    (tmp_path / "link").symlink_to("w.data")
    for name in ("w.data", "link"):
        with pytest.raises(ValueError, match=r"cannot write .*w\.data: the model has the data of"):
            accelerate_file(tmp_path / "m.onnx", tmp_path / name)
    assert (tmp_path / "w.data").read_bytes() == before


# Files that change, and writes that break off


def change(path: Path, how: str) -> None:
    """What another program may do to a file in use."""
    if how == "cut off":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "longer":
        with open(path, "ab") as stream:
            stream.write(b"x")
    else:
        status = path.stat()
        with open(path, "r+b") as stream:
            stream.seek(status.st_size // 2)
            stream.write(b"other")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


@pytest.mark.parametrize("how", ["cut off", "longer", "written to"])
@pytest.mark.parametrize("name", ["m.onnx", "w.data"])
def test_changed_meanwhile(
    name: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that another program writes to is told, and nothing is written."""
    source, target = tmp_path / "here", tmp_path / "else"
    source.mkdir()
    target.mkdir()
    if name == "m.onnx":
        save_model(prelu(slope()), source / name)
    else:
        with_external(source)
    (target / "m.onnx").write_bytes(b"old")
    copy, changed = writing._copied_by_system, set[str]()

    def changing(*arguments: Any) -> int:
        if not changed:
            change(source / name, how)
            changed.add(name)
        return copy(*arguments)

    monkeypatch.setattr(writing, "_copied_by_system", changing)
    with pytest.raises(ValueError, match=rf"{name} has changed while it was read: try again"):
        accelerate_file(source / "m.onnx", target / "m.onnx")
    assert changed
    assert listing(target) == ["m.onnx"]
    assert (target / "m.onnx").read_bytes() == b"old"


def test_changed_before_a_constant_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where nothing is written: what was read could be of two files."""
    path = tmp_path / "m.onnx"
    module = sys.modules["onnx_acts.graph.accelerate"]  # the name is the function's

    def restoring(model: onnx.ModelProto) -> Counter[str]:
        change(path, "cut off")
        return Counter()

    monkeypatch.setattr(module, "restore_names", restoring)
    for use in (accelerate, overview):
        save_model(prelu(slope()), path)
        with pytest.raises(ValueError, match="has changed while it was read"):
            use(path)


def test_replaced_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is replaced as a whole, as this package does it, can be read to its end."""
    path = tmp_path / "m.onnx"
    save_model(prelu(slope()), path)
    wanted = accelerate(path)
    copy = writing._copied_by_system

    def replacing(*arguments: Any) -> int:
        save_model(prelu(slope(values=SLOPES / 2)), path)
        return copy(*arguments)

    monkeypatch.setattr(writing, "_copied_by_system", replacing)
    accelerate_file(path, tmp_path / "n.onnx")
    assert load_model(tmp_path / "n.onnx") == wanted


def test_without_help_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not copy, or stops in between, the bytes go through the process."""
    path, out = tmp_path / "m.onnx", tmp_path / "n.onnx"
    save_model(prelu(slope()), path)
    wanted = accelerate(path)
    copy, left = os.copy_file_range, [3, 1]

    def few(source: int, target: int, count: int, start: int) -> int:
        if not left:
            raise OSError(18, "Invalid cross-device link")
        return copy(source, target, min(count, left.pop()), start)

    monkeypatch.setattr(os, "copy_file_range", few)
    monkeypatch.setattr(writing, "_CHUNK", 1000)
    accelerate_file(path, out)
    assert not left
    assert load_model(out) == wanted


KILLED = """
import os, signal, sys
import onnx_acts
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[1], die)
onnx_acts.accelerate_file(sys.argv[2], sys.argv[3])
"""


@pytest.mark.parametrize("step", ["copy_file_range", "fsync", "replace"])
@pytest.mark.parametrize("kind", ["inline", "external"])
def test_killed(step: str, kind: str, tmp_path: Path) -> None:
    """Kill -9 leaves the old model whole, in place and elsewhere; the next run works."""
    source, target = tmp_path / "here", tmp_path / "else"
    source.mkdir()
    target.mkdir()
    path = source / "m.onnx"
    if kind == "inline":
        save_model(prelu(slope()), path)
    else:
        with_external(source)
    before = {name: (source / name).read_bytes() for name in listing(source)}
    (target / "m.onnx").write_bytes(b"old")
    out = path if kind == "inline" else target / "m.onnx"
    command = [sys.executable, "-c", KILLED, step, str(path), str(out)]
    done = subprocess.run(command, check=False, cwd=Path(onnx_acts.__file__).parents[1])
    assert done.returncode == -signal.SIGKILL
    assert all((source / name).read_bytes() == data for name, data in before.items())
    assert (target / "m.onnx").read_bytes() == b"old"
    accelerate_file(path, out)
    assert "PReLU" in " ".join(operators(load_model(out)))


def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told with the target's path, and leaves nothing."""
    with_external(tmp_path)
    (tmp_path / "else").mkdir()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for out in (tmp_path / "n.onnx", tmp_path / "else" / "n.onnx"):
        with pytest.raises(OSError, match=r"cannot write .*n\.onnx.*: No space left on device"):
            accelerate_file(tmp_path / "m.onnx", out)
    assert listing(tmp_path) == ["else", "m.onnx", "w.data"]
    assert listing(tmp_path / "else") == []


# Above 2 GiB


@pytest.mark.parametrize("kind", ["inline", "external"])
def test_above_the_limit(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that would not fit into one file any more go to a sidecar; external ones stay."""
    if kind == "inline":
        save_model(prelu(in_floats()), tmp_path / "m.onnx")
    else:
        with_external(tmp_path)
    before = output_of(tmp_path / "m.onnx")
    monkeypatch.setattr(saving, "_INLINE_LIMIT", 100)
    accelerate_file(tmp_path / "m.onnx", tmp_path / "n.onnx")
    new = set(listing(tmp_path)) - {"m.onnx", "n.onnx", "w.data"}
    assert len(new) == (kind == "inline")
    light = load_model(tmp_path / "n.onnx", load_external_data=False)
    found = [{e.key: e.value for e in t.external_data} for t in light.graph.initializer]
    assert {item["location"] for item in found} == (new or {"w.data"})
    if kind == "inline":
        assert [int(item["offset"]) % 4096 for item in found] == [0, 0]
    np.testing.assert_array_equal(output_of(tmp_path / "n.onnx"), before)


def test_too_large_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants that do not fit into a file are told, before anything is written."""
    save_model(in_function(), tmp_path / "m.onnx")
    monkeypatch.setattr(saving, "_PROTOBUF_LIMIT", SLOPES.nbytes * 3 // 2)
    with pytest.raises(ValueError, match=r"above 2 GiB without its weights .*Constant nodes"):
        accelerate_file(tmp_path / "m.onnx", tmp_path / "n.onnx")
    assert listing(tmp_path) == ["m.onnx"]


# Arguments


def test_not_a_path(tmp_path: Path) -> None:
    """Only files go to files."""
    for function in (accelerate_file, lower_file):
        with pytest.raises(TypeError, match="expected a path, got bytes"):
            function(b"", tmp_path / "n.onnx")  # type: ignore[arg-type]  # the point of the test
        with pytest.raises(FileNotFoundError, match="there is no ONNX file at"):
            function(tmp_path / "none.onnx", tmp_path / "n.onnx")
        save_model(prelu(slope()), tmp_path / "m.onnx")
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            function(tmp_path / "m.onnx", tmp_path / "none" / "n.onnx")
