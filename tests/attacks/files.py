"""Attacks through files: models, their external data, checkpoints, and names of factories."""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import onnx_acts
from onnx_acts.definition.specs import spec_of
from onnx_acts.files.reading import check_model_file, check_model_in_memory, load_model
from onnx_acts.serving.http.app import app
from onnx_acts.serving.placement import placement
from tests.attacks.attack import Attack
from tests.cli.running import run
from tests.helpers import one_node_model

__all__ = ["ATTACKS"]

SECRET = b"a secret that no model may have" * 4


def elu() -> onnx.ModelProto:
    """A good model."""
    return one_node_model(spec_of("ELU"), "float32")


def is_refused(path: Path, words: str) -> None:
    """Every way into the package refuses a model file, with these words."""
    ways: tuple[Callable[[Path], object], ...] = (
        check_model_file,
        load_model,
        onnx_acts.session,
        onnx_acts.reference_evaluator,
        onnx_acts.accelerate,
        onnx_acts.lower,
    )
    for way in (*ways, *_commands(path.parent)):
        with pytest.raises(ValueError, match=words):
            way(path)


def _commands(folder: Path) -> tuple[Callable[[Path], object], ...]:
    """The ways that are commands, or stand behind them."""
    good, written = folder / "good of ours.onnx", folder / "written"
    onnx.save_model(elu(), good)
    return (
        lambda path: onnx_acts.verify(path, good),
        lambda path: onnx_acts.verify(good, path),
        placement,
        lambda path: app({"m": path}),
        lambda path: run("info", path),
        lambda path: run("verify", path, "--against", good),
        lambda path: run("verify", good, "--against", path),
        lambda path: run("serve", path, "--port", "0"),
        lambda path: run("triton", path, written),
        lambda path: run("accelerate", path, "-o", written),
        lambda path: run("lower", path, "-o", written),
    )


def outside(folder: Path) -> Path:
    """A file beside the model's folder; the model's folder is `folder / "model"`."""
    (folder / "model").mkdir()
    secret = folder / "secret.bin"
    secret.write_bytes(SECRET)
    return secret


def write_external(folder: Path, location: str, **entries: str) -> Path:
    """A model with one tensor whose data is somewhere else."""
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[len(SECRET)])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "external",
        [],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [len(SECRET)])],
        [tensor],
    )
    path = folder / "model.onnx"
    path.write_bytes(helper.make_model(graph, ir_version=9).SerializeToString())
    return path


def absolute_path(folder: Path) -> None:
    secret = outside(folder)
    is_refused(write_external(folder / "model", str(secret)), "absolute|outside|folder")


def parent_folder(folder: Path) -> None:
    outside(folder)
    is_refused(write_external(folder / "model", "../secret.bin"), r"\.\.|outside|folder")


def symbolic_link(folder: Path) -> None:
    secret = outside(folder)
    (folder / "model" / "weights").symlink_to(secret)
    is_refused(write_external(folder / "model", "weights"), "link")


def linked_folder(folder: Path) -> None:
    outside(folder)
    (folder / "model" / "part").symlink_to(folder)
    is_refused(write_external(folder / "model", "part/secret.bin"), "link|outside")


def hard_link(folder: Path) -> None:
    secret = outside(folder)
    os.link(secret, folder / "model" / "weights")
    is_refused(write_external(folder / "model", "weights"), "link")


def device(folder: Path) -> None:
    os.mkfifo(folder / "weights")
    is_refused(write_external(folder, "weights"), "plain|regular")


def beyond_the_end(folder: Path) -> None:
    (folder / "weights").write_bytes(SECRET)
    is_refused(write_external(folder, "weights", offset="100"), "bytes|ends|outside")


def negative_offset(folder: Path) -> None:
    (folder / "weights").write_bytes(SECRET)
    is_refused(write_external(folder, "weights", offset="-1"), "offset")


def from_memory(folder: Path) -> None:
    model = onnx.load_model(write_external(folder, "weights"), load_external_data=False)
    for way in (onnx_acts.session, check_model_in_memory):
        with pytest.raises(ValueError, match="data in another file"):
            way(model.SerializeToString())


def every_cut(folder: Path) -> None:
    data, whole = elu().SerializeToString(), 0
    for end in range(0, len(data), 7):
        path = folder / "cut.onnx"
        path.write_bytes(data[:end])
        try:
            check_model_file(path)
            whole += 1  # cut between two fields it may still be a model
        except ValueError as error:
            assert "cut.onnx" in str(error)  # noqa: PT017
    assert whole < 5


def nested(folder: Path) -> None:
    depth = 5000
    graph = b""
    for _ in range(depth):  # GraphProto.node.attribute.g, each inside the next
        attribute = b"\x32" + length(graph) + graph
        node = b"\x2a" + length(attribute) + attribute
        graph = b"\x0a" + length(node) + node
    path = folder / "deep.onnx"
    path.write_bytes(b"\x08\x09\x3a" + length(graph) + graph)
    is_refused(path, "nested|deep|not a valid ONNX file")


def length(data: bytes) -> bytes:
    """A protobuf length."""
    number, found = len(data), b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def recursive_function(folder: Path) -> None:
    model = elu()
    model.functions.append(
        helper.make_function(
            "theirs", "F", ["x"], ["y"], [helper.make_node("F", ["x"], ["y"], domain="theirs")], []
        )
    )
    model.opset_import.append(helper.make_opsetid("theirs", 1))
    onnx.save_model(model, folder / "endless.onnx")
    is_refused(folder / "endless.onnx", "calls itself|recurs")


def names_a_library(folder: Path) -> None:
    mark = folder / "loaded"
    model = elu()
    for key in ("library", "custom_op_library", "ONNX_ACTS_LIBRARY"):
        model.metadata_props.add(key=key, value=str(mark))
    onnx.save_model(model, folder / "model.onnx")
    session = onnx_acts.session(folder / "model.onnx")
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert str(mark) not in onnx_acts.library_path()


class Opens:
    """A pickle that makes a file when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


def pickled_checkpoint(folder: Path) -> None:
    import torch

    from onnx_acts.exporting.checkpoints import load_weights

    mark = folder / "code ran"
    for number, name in enumerate(("w.safetensors", "w.pt", "w")):
        path = folder / name
        path.write_bytes(pickle.dumps(Opens(mark), protocol=2 + number))
        with pytest.raises(ValueError, match="pickle"):
            load_weights(torch.nn.PReLU(), path)
        torch.save({"weight": Opens(mark)}, path)
        with pytest.raises(ValueError, match="pickle"):
            load_weights(torch.nn.PReLU(), path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Opens(mark)))  # the attack works on who opens pickles
    assert mark.exists()


def lying_checkpoint(folder: Path) -> None:
    import torch

    from onnx_acts.exporting.checkpoints import load_weights

    path = folder / "w.safetensors"
    entry = {"weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    header = json.dumps(entry).encode()
    for data in (
        struct.pack("<Q", len(header)) + header,
        struct.pack("<Q", 2**62) + header,
        struct.pack("<Q", len(header)) + header.replace(b"[0, ", b"[-9, "),
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"w\.safetensors"):
            load_weights(torch.nn.PReLU(), path)


def expressions_as_factory(folder: Path) -> None:
    from onnx_acts.exporting.factory import build_module

    mark = folder / "code ran"
    expression = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    for text in (f"builtins:{expression}", f"os:({expression})", f"{expression}:x", "os:"):
        with pytest.raises((ValueError, AttributeError, TypeError)):
            build_module(text)
    assert not mark.exists()


ATTACKS = (
    Attack(
        "external data", "read a file by its absolute path",
        "only paths relative to the model's folder are taken", absolute_path,
    ),
    Attack("external data", "read a file through `..`", "`..` is refused", parent_folder),
    Attack(
        "external data", "read a file through a symbolic link", "links are refused", symbolic_link
    ),
    Attack(
        "external data", "read a file through a linked folder",
        "the folder is resolved first and must be in the model's", linked_folder,
    ),
    Attack(
        "external data", "read a file through a hard link",
        "files with more than one name are refused", hard_link,
    ),
    Attack("external data", "hang on a pipe or a device", "only plain files are opened", device),
    Attack(
        "external data", "read past the end of the data file",
        "offset and length are checked against the file's size", beyond_the_end,
    ),
    Attack(
        "external data", "read before the data with a negative offset", "the same",
        negative_offset,
    ),
    Attack(
        "a model in memory", "read files of the working directory as external data",
        "models without a folder may have none", from_memory,
    ),
    Attack("a model file", "crash the reader with a cut file", "an error that names it", every_cut),
    Attack(
        "a model file", "exhaust the stack with nested graphs",
        "the depth is limited before anything recurses", nested,
    ),
    Attack(
        "a model file", "loop for ever in a function that calls itself",
        "calls are checked for cycles", recursive_function,
    ),
    Attack(
        "a model file", "have a native library loaded that it names",
        "nothing in a model says where the library is", names_a_library,
    ),
    Attack(
        "a checkpoint", "run code from a pickle, whatever its file is called",
        "the kind is told by content, and no pickle is opened", pickled_checkpoint,
    ),
    Attack(
        "a checkpoint", "allocate terabytes, or read outside of the file, by a lying header",
        "safetensors checks the header against the file's size", lying_checkpoint,
    ),
    Attack(
        "the name of a factory", "run an expression instead of naming a callable",
        "names are looked up, never evaluated; what they name does run", expressions_as_factory,
    ),
)  # fmt: skip
"""What an attacker can try who has no more than a file or a name to give."""
