"""`onnx-acts triton`: a repository that Triton's own message takes, with every type and size."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import onnx_acts
from onnx_acts.serving.triton import write_repository
from tests.cli.running import run
from tests.environments import environment
from tests.serving.http.running import ONNX_TYPES, elu_model
from tests.serving.http.test_triton_client import REQUIREMENTS

READ = """
import sys
from google.protobuf import json_format, text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
for path in sys.argv[1:]:
    config = text_format.Parse(open(path, encoding="utf-8").read(), ModelConfig())
    print(json_format.MessageToJson(config, preserving_proto_field_name=True, indent=None))
"""


def save(folder: Path, model: onnx.ModelProto, name: str = "m") -> Path:
    """A file."""
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return path


def standard() -> onnx.ModelProto:
    """A scalar, strings and a fixed size, without nodes of ours; a name that needs quoting."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Mul", ["s", "x"], ['y "\n\\é']),
        helper.make_node("Identity", ["t"], ["u"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [value("s", 1, []), value("x", 1, [3, "A"]), value("t", 8, [2])],
        [value('y "\n\\é', 1, [3, "A"]), value("u", 8, [2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.mark.slow
def test_tritons_own_message(tmp_path: Path) -> None:
    """What is written says what the model is, to Triton's own definition of the file."""
    python = environment("tritonclient", *REQUIREMENTS)
    repository = tmp_path / "models"
    for datatype in ONNX_TYPES:
        path = save(tmp_path, elu_model(datatype), datatype)
        write_repository(path, repository, mounted="/models/")
    write_repository(save(tmp_path, elu_model(shape=("N", 4)), "none"), repository, max_batch=0)
    write_repository(save(tmp_path, standard(), "standard"), repository, name="é s")
    names = [*ONNX_TYPES, "none", "é s"]
    paths = [repository / name / "config.pbtxt" for name in names]
    done = subprocess.run([python, "-c", READ, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))
    for datatype in ONNX_TYPES:
        tensor = {"data_type": f"TYPE_{datatype}", "dims": ["4"]}
        assert found[datatype] == {
            "name": datatype,
            "backend": "onnxruntime",
            "max_batch_size": 8,
            "dynamic_batching": {},
            "input": [{"name": "x", **tensor}],
            "output": [{"name": "y", **tensor}],
            "instance_group": [{"kind": "KIND_CPU"}],
            "model_operations": {
                "op_library_filename": [f"/models/{datatype}/1/libonnx_acts_ops.so"]
            },
        }
    assert found["none"]["input"][0]["dims"] == ["-1", "4"]
    assert not {"max_batch_size", "dynamic_batching"} & set(found["none"])
    library = f"{repository.resolve()}/none/1/libonnx_acts_ops.so"
    assert found["none"]["model_operations"]["op_library_filename"] == [library]
    assert Path(library).read_bytes() == Path(onnx_acts.library_path()).read_bytes()
    assert "model_operations" not in found["é s"]
    scalar, x, text = found["é s"]["input"]
    assert (scalar["dims"], scalar["reshape"]) == (["1"], {})
    assert (x["dims"], text["data_type"]) == (["3", "-1"], "TYPE_STRING")
    assert found["é s"]["output"][0]["name"] == 'y "\n\\é'


def test_external_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights beside the file come along, and the model runs where it has been written to."""
    value = helper.make_tensor_value_info
    weights = np.arange(12, dtype=np.float32).reshape(4, 3)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Elu", ["h"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", [value("x", 1, ["N", 4])], [value("y", 1, ["N", 3])],
        [numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    model = onnx_acts.accelerate(model)
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="m.data", size_threshold=0)
    assert run("triton", path, tmp_path / "repository") == 0
    folder = tmp_path / "repository" / "m"
    assert capsys.readouterr().out == f"{folder}\n"
    found = sorted(item.name for item in (folder / "1").iterdir())
    assert found == ["libonnx_acts_ops.so", "m.data", "model.onnx"]
    x = np.array([[1, -1, 0.5, -2]], np.float32)
    (y,) = onnx_acts.session(folder / "1" / "model.onnx").run(None, {"x": x})
    (wanted,) = onnx_acts.session(path).run(None, {"x": x})
    assert y.tobytes() == wanted.tobytes()
    assert sorted(item.name for item in (tmp_path / "repository").iterdir()) == ["m"]


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        (elu_model(shape=(2, 4)), {"max_batch": 4}, "the model has no batches"),
        (elu_model(shape=()), {"max_batch": 4}, "the model has no batches"),
        (elu_model(), {"name": "a/b"}, "cannot have the name 'a/b'"),
        (elu_model(), {"name": ".."}, "cannot have the name"),
        (elu_model(shape=None), {}, "it needs a tensor of known rank"),
    ],
)
def test_refused(model: onnx.ModelProto, more: dict[str, Any], words: str, tmp_path: Path) -> None:
    """What Triton could not serve is refused, and nothing is written."""
    path = save(tmp_path, model)
    with pytest.raises(ValueError, match=words):
        write_repository(path, tmp_path / "repository", **more)
    assert [item.name for item in tmp_path.iterdir()] == ["m.onnx"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A model that is there stays."""
    path = save(tmp_path, elu_model())
    written = write_repository(path, tmp_path)
    before = (written / "config.pbtxt").read_text()
    with pytest.raises(FileExistsError, match="is there already: remove it, or choose another"):
        write_repository(path, tmp_path, max_batch=0)
    assert (written / "config.pbtxt").read_text() == before
    with pytest.raises(ValueError, match=r"\(--max-batch\): 0 to 2147483647, not -1"):
        run("triton", path, tmp_path, "--max-batch", "-1")
    with pytest.raises(ValueError, match=r"\(--max-batch\): .* not 99999999999999999999"):
        run("triton", path, tmp_path, "--max-batch", "99999999999999999999")


def test_batches(tmp_path: Path) -> None:
    """Batches are made where all first axes have one name; else if they are free and asked for."""
    cases: tuple[tuple[Any, dict[str, Any], int], ...] = (
        (("N", 4), {}, 8),
        ((None, 4), {}, 0),
        ((None, 4), {"max_batch": 3}, 3),
        ((2, 4), {}, 0),
        ((), {}, 0),
    )
    for shape, more, size in cases:
        path = save(tmp_path, elu_model(shape=shape))
        written = write_repository(path, tmp_path / "repository", name=f"{shape}{size}", **more)
        text = (written / "config.pbtxt").read_text()
        assert f"\nmax_batch_size: {size}\n" in text
        assert ("dynamic_batching" in text) == bool(size)


def test_data_with_the_name_of_the_model(tmp_path: Path) -> None:
    """Data that is called as Triton wants the model called is not copied over it."""
    model = elu_model()
    stored = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    model.graph.initializer.append(stored)
    model.graph.node.add(op_type="Identity", input=["w"], output=["z"])
    path = tmp_path / "m.onnx"
    onnx.save(model, path, save_as_external_data=True, location="model.onnx", size_threshold=0)
    with pytest.raises(ValueError, match=r"would replace another file of it, model\.onnx"):
        write_repository(path, tmp_path / "models", max_batch=0)
    assert not (tmp_path / "models" / "m").exists()
