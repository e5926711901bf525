"""The Open Inference Protocol over HTTP: what it asks for is answered, with the right bits."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import onnx_acts
from onnx_acts.ort.values import from_ort, to_ort
from onnx_acts.serving import app
from tests.serving.http.running import ask, elu_model, outputs, same_bits, serving
from tests.serving.load.messages import DATATYPES, binary_body, json_body

X = np.random.default_rng(3).standard_normal((3, 4)) * 2
X[0] = np.array([2.0**-14, -0.0, 0.0, -1e-3])


def right(datatype: str, x: Any) -> Any:
    """What a session of the model gives."""
    session = onnx_acts.session(elu_model(datatype))
    (found,) = session.run_with_ort_values(["y"], {"x": to_ort(x)})
    return from_ort(found)


def two_inputs() -> onnx.ModelProto:
    """A float64 sum of two inputs, and their difference."""
    nodes = [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Sub", ["a", "b"], ["d"])]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value(n, 11, ["N"]) for n in "ab"], [value(n, 11, ["N"]) for n in "sd"]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def scalars() -> onnx.ModelProto:
    """A scalar times a tensor of unknown rank, and an int64 and a bool that are passed on."""
    nodes = [
        helper.make_node("Mul", ["scalar", "any"], ["y"]),
        helper.make_node("Identity", ["whole"], ["same"]),
        helper.make_node("Not", ["flag"], ["other"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [
            value("scalar", 1, []),
            value("any", 1, None),
            value("whole", 7, [2]),
            value("flag", 9, [2]),
        ],
        [value("y", 1, None), value("same", 7, [2]), value("other", 9, [2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server of a model for each type, and of some others."""
    models: dict[str, Any] = {datatype: elu_model(datatype) for datatype in DATATYPES}
    models |= {"two": two_inputs(), "scalars": scalars()}
    with serving(app(models)) as found:
        yield found


@pytest.mark.parametrize("datatype", DATATYPES)
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_bytes(port: int, datatype: str, version: str) -> None:
    """Bytes in, bytes out: the bits are those of a session, in every type."""
    x = X.astype(DATATYPES[datatype])
    body, headers = binary_body({"x": x}, id="of mine")
    reply = ask(port, f"/v2/models/{datatype}{version}/infer", body, headers)
    assert same_bits(outputs(reply)["y"], right(datatype, x))
    head = json.loads(reply.body[: int(reply.headers["Inference-Header-Content-Length"])])
    assert (head["model_name"], head["model_version"], head["id"]) == (datatype, "1", "of mine")
    assert reply.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("datatype", DATATYPES)
def test_json(port: int, datatype: str) -> None:
    """Numbers in JSON are read and written without a bit lost, in every type."""
    x = X.astype(DATATYPES[datatype])
    reply = ask(port, f"/v2/models/{datatype}/infer", json_body({"x": x}))
    assert same_bits(outputs(reply)["y"], right(datatype, x))
    assert reply.headers["Content-Type"] == "application/json"
    assert "Inference-Header-Content-Length" not in reply.headers
    assert "id" not in json.loads(reply.body)


def test_nested_json(port: int) -> None:
    """Data may be nested like the shape; members that are null are as good as missing."""
    x = X.astype(np.float32)
    item = {"name": "x", "shape": [3, 4], "datatype": "FP32", "data": x.tolist()}
    content = {
        "id": None,
        "parameters": None,
        "outputs": None,
        "inputs": [item | {"parameters": None}],
    }
    reply = ask(port, "/v2/models/FP32/infer", json.dumps(content))
    assert same_bits(outputs(reply)["y"], right("FP32", x))


def test_chosen_outputs(port: int) -> None:
    """Outputs come as they are asked for: which, in which order, as bytes or in JSON."""
    a, b = np.array([1.0, 2.5, np.inf]), np.array([0.5, -3.0, 1.0])
    body, headers = binary_body({"a": a, "b": b})
    reply = ask(port, "/v2/models/two/infer", body, headers)
    assert list(outputs(reply)) == ["s", "d"]
    wanted = [{"name": "d"}, {"name": "s", "parameters": {"binary_data": False}}]
    body, headers = binary_body({"b": b[:2], "a": a[:2]}, outputs=wanted)
    reply = ask(port, "/v2/models/two/infer", body, headers)
    found = outputs(reply)
    assert list(found) == ["d", "s"]
    assert same_bits(found["s"], (a + b)[:2])
    assert same_bits(found["d"], (a - b)[:2])
    head = json.loads(reply.body[: int(reply.headers["Inference-Header-Content-Length"])])
    assert "data" in head["outputs"][1]
    body, headers = binary_body({"a": a, "b": b}, outputs=[{"name": "s"}])
    assert list(outputs(ask(port, "/v2/models/two/infer", body, headers))) == ["s"]


def test_bytes_and_json_in_one_request(port: int) -> None:
    """An input as bytes between inputs in JSON; unaligned bytes are no trouble."""
    b = np.array([0.5, -3.0])
    inputs = [
        {"name": "b", "shape": [2], "datatype": "FP64", "parameters": {"binary_data_size": 16}},
        {"name": "a", "shape": [2], "datatype": "FP64", "data": [1, 1e300]},
    ]
    for padding in range(8):
        head = json.dumps({"inputs": inputs}).encode() + b" " * padding
        headers = {"Inference-Header-Content-Length": str(len(head))}
        reply = ask(port, "/v2/models/two/infer", head + b.tobytes(), headers)
        assert same_bits(outputs(reply)["s"], b + np.array([1, 1e300]))


def test_scalars_and_unknown_ranks(port: int) -> None:
    """A scalar has the shape []; where the model leaves the rank open, any is taken."""
    meta = json.loads(ask(port, "/v2/models/scalars").body)
    assert [item["shape"] for item in meta["inputs"]] == [[], [], [2], [2]]
    inputs = [
        {"name": "scalar", "shape": [], "datatype": "FP32", "data": [2]},
        {"name": "any", "shape": [1, 2, 1], "datatype": "FP32", "data": [[[3], [4.5]]]},
        {"name": "whole", "shape": [2], "datatype": "INT64", "data": [-(2**63), 2**63 - 1]},
        {"name": "flag", "shape": [2], "datatype": "BOOL", "data": [True, False]},
    ]
    reply = ask(port, "/v2/models/scalars/infer", json.dumps({"inputs": inputs}))
    found = {item["name"]: item for item in json.loads(reply.body)["outputs"]}
    assert (found["y"]["shape"], found["y"]["data"]) == ([1, 2, 1], [6.0, 9.0])
    assert found["same"]["data"] == [-(2**63), 2**63 - 1]
    assert found["other"]["data"] == [False, True]
    inputs[0]["shape"] = [1]
    reply = ask(port, "/v2/models/scalars/infer", json.dumps({"inputs": inputs}))
    assert (reply.status, "input 'scalar': shape [1] does not fit" in reply.text) == (400, True)


def test_nothing_in_a_batch(port: int) -> None:
    """A batch of none has an answer of none."""
    x = np.zeros((0, 4), np.float32)
    body, headers = binary_body({"x": x})
    assert outputs(ask(port, "/v2/models/FP32/infer", body, headers))["y"].shape == (0, 4)
    assert outputs(ask(port, "/v2/models/FP32/infer", json_body({"x": x})))["y"].shape == (0, 4)


@pytest.mark.parametrize(("name", "press"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed(port: int, name: str, press: Any) -> None:
    """Bodies may be compressed."""
    x = X.astype(np.float32)
    body, headers = binary_body({"x": x})
    headers["Content-Encoding"] = name
    reply = ask(port, "/v2/models/FP32/infer", press(body), headers)
    assert same_bits(outputs(reply)["y"], right("FP32", x))


def test_chunks(port: int) -> None:
    """Bodies may come in chunks, without a length."""
    x = X.astype(np.float32)
    body, headers = binary_body({"x": x})
    reply = ask(port, "/v2/models/FP32/infer", iter([body[:7], body[7:]]), headers)
    assert same_bits(outputs(reply)["y"], right("FP32", x))


def test_large(port: int) -> None:
    """A request and an answer of several megabytes, which come and go in pieces."""
    x = np.random.default_rng(0).standard_normal((700_000, 4)).astype(np.float32)
    body, headers = binary_body({"x": x})
    assert same_bits(
        outputs(ask(port, "/v2/models/FP32/infer", body, headers))["y"], right("FP32", x)
    )


def test_server_and_health(port: int) -> None:
    """The server says that it lives, is ready, what it is and what it has."""
    assert json.loads(ask(port, "/v2/health/live").body) == {"live": True}
    assert json.loads(ask(port, "/v2/health/ready").body) == {"ready": True}
    about = json.loads(ask(port, "/v2").body)
    assert about["name"] == "onnx-acts"
    assert "binary_tensor_data" in about["extensions"]
    assert about["models"] == [*DATATYPES, "two", "scalars"]
    assert json.loads(ask(port, "/v2/models/two/ready").body) == {"name": "two", "ready": True}
    for path in ("/v2/models/BF16", "/v2/models/BF16/versions/1"):
        assert json.loads(ask(port, path).body) == {
            "name": "BF16",
            "versions": ["1"],
            "platform": "onnxruntime_onnx",
            "inputs": [{"name": "x", "datatype": "BF16", "shape": [-1, 4]}],
            "outputs": [{"name": "y", "datatype": "BF16", "shape": [-1, 4]}],
        }


def test_metrics(port: int) -> None:
    """Requests are counted by model and status; names that clients make up are not."""

    def count(label: str) -> float:
        lines = ask(port, "/metrics").text.splitlines()
        found = [line for line in lines if line.startswith(f"onnx_acts_requests_total{{{label}}}")]
        return float(found[0].split()[-1]) if found else 0.0

    good, bad = 'model="FP64",status="200"', 'model="FP64",status="400"'
    before = count(good), count(bad)
    ask(port, "/v2/models/FP64/infer", json_body({"x": X}))
    ask(port, "/v2/models/FP64/infer", b"{}")
    ask(port, "/v2/models/made_up/infer", b"{}")
    assert (count(good), count(bad)) == (before[0] + 1, before[1] + 1)
    text = ask(port, "/metrics").text
    assert "made_up" not in text
    assert 'onnx_acts_run_seconds_count{model="FP64"}' in text
    assert "onnx_acts_requests_in_progress 0.0" in text
    assert "process_resident_memory_bytes" in text


def test_paths_and_sessions(tmp_path: Path) -> None:
    """Models may be paths, named after their files, or sessions; standard ones run on ours."""
    onnx.save(elu_model(), tmp_path / "my net.onnx")
    opened = onnx_acts.session(elu_model())
    x = X.astype(np.float32)
    for models in (
        [tmp_path / "my net.onnx"],
        {"my net": opened},
        {"my net": str(tmp_path / "my net.onnx")},
    ):
        with serving(app(models, standard=True)) as found:
            body, headers = binary_body({"x": x})
            reply = ask(found, "/v2/models/my%20net/infer", body, headers)
            assert same_bits(outputs(reply)["y"], right("FP32", x))


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ({}, "there is no model"),
        ({"a/b": elu_model()}, "no place in a URL"),
        ({"": elu_model()}, "no place in a URL"),
        ({"a\n": elu_model()}, "no place in a URL"),
        (["x/a.onnx", "y/a.onnx"], "there is no ONNX file"),
        ({"a": b"nothing"}, "not a valid ONNX"),
    ],
)
def test_models_that_cannot_be_served(models: Any, words: str) -> None:
    """They are refused before a server starts."""
    with pytest.raises((ValueError, OSError), match=words):
        app(models)


def test_strings_are_not_served() -> None:
    """A model with an input that is no tensor of numbers is refused, with the input's name."""
    value = helper.make_tensor_value_info
    node = helper.make_node("Identity", ["text"], ["same"])
    graph = helper.make_graph([node], "g", [value("text", 8, [1])], [value("same", 8, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(ValueError, match=r"model 'm': input 'text' is a tensor\(string\)"):
        app({"m": model})
