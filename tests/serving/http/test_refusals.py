"""Wrong requests: each gets a status of 400 to 499, and one line that says what is wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from onnx_acts.serving import app
from tests.serving.http.running import Reply, ask, elu_model, outputs, serving, talk
from tests.serving.load.messages import DATATYPES, binary_body, json_body

X = np.ones((2, 4), np.float32)
HEADER = "Inference-Header-Content-Length"
MAX_BODY = 50_000

GOOD = {"name": "x", "shape": [2, 4], "datatype": "FP32", "data": [1.0] * 8}


def with_crop() -> onnx.ModelProto:
    """A model that only ONNX Runtime knows to need six elements at least."""
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    value = helper.make_tensor_value_info
    shape = helper.make_tensor("shape", 7, [2], [-1, 6])
    graph = helper.make_graph(
        [node], "g", [value("x", 1, ["N"])], [value("y", 1, ["A", 6])], [shape]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with small limits."""
    models: dict[str, Any] = {name: elu_model(name) for name in DATATYPES}
    models |= {"crop": with_crop(), "bool": passed_on(9), "UINT8": passed_on(2)}
    with serving(app(models, max_body=MAX_BODY, max_json=20_000)) as found:
        yield found


def passed_on(kind: int) -> onnx.ModelProto:
    """A model of one input of an ONNX type."""
    value = helper.make_tensor_value_info
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", [value("x", kind, ["N"])], [value("y", kind, ["N"])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def check_refused(reply: Reply, words: str, status: int = 400) -> None:
    """The answer is an error in the protocol's form, and says what is wrong."""
    assert reply.status == status, reply.text
    error = json.loads(reply.body)["error"]
    assert words in error, error
    assert error.isprintable()
    assert len(error) < 600


def infer(port: int, content: Any, model: str = "FP32") -> Reply:
    """A request in JSON."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ask(port, f"/v2/models/{model}/infer", text)


WRONG_JSON = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b"\xff\xfe{}", "not valid JSON"),
    (b'{"inputs": []} {}', "not valid JSON"),
    (b"[" * 100_00, "nested too deeply"),
    (b'{"a": ' * 2000 + b"1" + b"}" * 2000, "nested too deeply"),
    (b"[]", "must be an object, it is a list"),
    (b"null", "must be an object"),
    (b"{}", "inputs are missing: 'x'"),
    (b'{"inputs": null}', "inputs are missing: 'x'"),
    (b'{"inputs": {}}', "inputs must be a list of objects"),
    (b'{"inputs": [1]}', "inputs must be a list of objects"),
    (b'{"inputs": [], "inputs": []}', "the key 'inputs' is there twice"),
    (b'{"inputs": [{"name": "x", "name": "x"}]}', "the key 'name' is there twice"),
    (b'{"inputs": [{}]}', "inputs[0]: name must be a string, it is None"),
    (b'{"id": ' + b"9" * 5000 + b"}", "not valid JSON"),
]


@pytest.mark.parametrize(("text", "words"), WRONG_JSON, ids=lambda item: repr(item)[:30])
def test_json(port: int, text: bytes, words: str) -> None:
    """JSON of every wrong form."""
    check_refused(infer(port, text), words)


WRONG_INPUTS = [
    ({"name": "z"}, "the model has no 'z'; it has 'x'"),
    ({"name": "z" * 9999}, "zzz..."),
    ({"name": "\x1b[2J\n\ud800"}, r"\x1b[2J\n\ud800"),
    ({"name": 3}, "name must be a string, it is 3"),
    ({"datatype": "FP64"}, "the model takes FP32, datatype is 'FP64'"),
    ({"datatype": "BYTES"}, "the model takes FP32, datatype is 'BYTES'"),
    ({"datatype": None}, "the model takes FP32"),
    ({"datatype": ["FP32"]}, "datatype is a list"),
    ({"shape": None}, "shape must be a list of integers"),
    ({"shape": 8}, "shape must be a list of integers"),
    ({"shape": [2, True]}, "shape must be a list of integers"),
    ({"shape": [2, 4.0]}, "shape must be a list of integers"),
    ({"shape": [2, "4"]}, "shape must be a list of integers"),
    ({"shape": [-1, 4]}, "has a negative size"),
    ({"shape": [-2, -4]}, "has a negative size"),
    ({"shape": []}, "shape [] does not fit the model's [-1, 4]"),
    ({"shape": [8]}, "shape [8] does not fit the model's [-1, 4]"),
    ({"shape": [2, 4, 1]}, "shape [2, 4, 1] does not fit"),
    ({"shape": [4, 2]}, "shape [4, 2] does not fit"),
    ({"shape": [10**30, 4]}, "shape is too large"),
    ({"shape": [0, 10**400]}, "shape is too large"),
    ({"shape": [1] * 5000}, "shape is too large"),
    ({"shape": [3, 4]}, "shape [3, 4] has 12 elements, data has 8"),
    ({"data": None}, "data must be a list, it is null"),
    ({"data": "1"}, "data must be a list"),
    ({"data": {}}, "data must be a list, it is an object"),
    ({"data": [1.0] * 7}, "shape [2, 4] has 8 elements, data has 7"),
    ({"data": [1.0] * 9}, "shape [2, 4] has 8 elements, data has 9"),
    ({"data": []}, "data has 0"),
    ({"data": [1.0] * 7 + [None]}, "data of FP32 are numbers; there is null"),
    ({"data": [1.0] * 7 + [True]}, "data of FP32 are numbers; there is true"),
    ({"data": [1.0] * 7 + ["1"]}, "data of FP32 are numbers; there is '1'"),
    ({"data": [1.0] * 7 + [[1.0]]}, "data of FP32 are numbers; there is a list"),
    ({"data": [[1.0] * 4, [1.0] * 3]}, "nested like the shape [2, 4]"),
    ({"data": [[1.0] * 4, 1.0]}, "nested like the shape [2, 4]"),
    ({"data": [[[1.0] * 4], [[1.0] * 4]]}, "nested like the shape [2, 4]"),
    ({"data": [[1.0] * 2] * 4}, "nested like the shape [2, 4]"),
    ({"data": [1e39] + [1.0] * 7}, "FP32 holds -3.40"),
    ({"data": [10**400] + [1.0] * 7}, "FP32 holds -3.40"),
    ({"data": [-(10**39)] + [1.0] * 7}, "data has a number outside"),
    ({"parameters": []}, "parameters must be an object"),
    ({"parameters": {"shared_memory_region": "r"}}, "this server has no shared_memory_region"),
    ({"data": None, "parameters": {"binary_data_size": 32}}, "needs the header Inference-Header"),
    ({"parameters": {"binary_data_size": 32}}, "it has data and binary_data_size; send one"),
]


@pytest.mark.parametrize(("change", "words"), WRONG_INPUTS, ids=lambda item: repr(item)[:40])
def test_inputs(port: int, change: dict[str, Any], words: str) -> None:
    """An input that is wrong in one member."""
    check_refused(infer(port, {"inputs": [GOOD | change]}), words)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "nan", "0x1", "1_0"])
def test_numbers(port: int, number: str) -> None:
    """What is no number in JSON, or none that float64 holds."""
    text = json.dumps({"inputs": [GOOD]}).replace("1.0", number, 1).encode()
    reply = infer(port, text)
    assert reply.status == 400
    assert "not valid JSON" in reply.text or "data has a number outside" in reply.text


@pytest.mark.parametrize(
    ("model", "value", "words"),
    [
        ("FP16", 65520.0, "FP16 holds -65"),
        ("BF16", 3.4e38, "BF16 holds -3.38"),
        ("FP64", 10**309, "FP64 holds -1.79"),
        ("UINT8", 256, "UINT8 holds 0 to 255; data has a number outside"),
        ("UINT8", -1, "UINT8 holds 0 to 255"),
        ("UINT8", 1.0, "data of UINT8 are integers; there is 1.0"),
        ("UINT8", True, "data of UINT8 are integers; there is true"),
        ("bool", 1, "data of BOOL are true and false; there is 1"),
    ],
)
def test_range(port: int, model: str, value: Any, words: str) -> None:
    """Numbers that the element type does not hold."""
    datatype = "BOOL" if model == "bool" else model
    shape = [1, 4] if model in DATATYPES else [4]
    item = {"name": "x", "shape": shape, "datatype": datatype, "data": [value] * 4}
    check_refused(infer(port, {"inputs": [item]}, model), words)


WRONG_REQUESTS = [
    ({"inputs": [GOOD, GOOD]}, "input 'x' is there twice"),
    ({"inputs": [GOOD], "id": 3}, "id must be a string"),
    ({"inputs": [GOOD], "id": "\ud800"}, "id must be a string of whole characters"),
    ({"inputs": [GOOD], "outputs": "y"}, "outputs must be a list of objects"),
    ({"inputs": [GOOD], "outputs": [{"name": "z"}]}, "outputs[0]: the model has no 'z'"),
    ({"inputs": [GOOD], "outputs": [{"name": "y"}] * 2}, "output 'y' is asked for twice"),
    (
        {"inputs": [GOOD], "outputs": [{"name": "y", "parameters": {"binary_data": 1}}]},
        "output 'y': binary_data must be true or false, it is 1",
    ),
    (
        {"inputs": [GOOD], "outputs": [{"name": "y", "parameters": {"classification": 3}}]},
        "this server has no classification",
    ),
    ({"inputs": [GOOD], "parameters": {"binary_data_output": "yes"}}, "must be true or false"),
    ({"inputs": [GOOD], "parameters": 3}, "the request: parameters must be an object"),
]


@pytest.mark.parametrize(("content", "words"), WRONG_REQUESTS, ids=lambda item: repr(item)[-40:])
def test_requests(port: int, content: Any, words: str) -> None:
    """What is wrong with the request as a whole, or with the outputs that it asks for."""
    check_refused(infer(port, content), words)


def binary(size: Any, content: bytes, header: str | None = None) -> tuple[bytes, dict[str, str]]:
    """A request of bytes, with lies where they are wanted."""
    item = {key: GOOD[key] for key in ("name", "shape", "datatype")}
    head = json.dumps({"inputs": [item | {"parameters": {"binary_data_size": size}}]}).encode()
    return head + content, {HEADER: str(len(head)) if header is None else header}


@pytest.mark.parametrize(
    ("size", "count", "words"),
    [
        (32, 31, "binary_data_size is 32, the body has 31 more"),
        (32, 0, "binary_data_size is 32, the body has 0 more"),
        (32, 33, "the body has 1 bytes that no input's binary_data_size announces"),
        (28, 28, "FP32 of shape [2, 4] has 32 bytes, not 28"),
        (36, 36, "FP32 of shape [2, 4] has 32 bytes, not 36"),
        (0, 0, "FP32 of shape [2, 4] has 32 bytes, not 0"),
        (-32, 32, "binary_data_size must be a count, it is -32"),
        (True, 1, "binary_data_size must be a count, it is True"),
        (32.0, 32, "binary_data_size must be a count, it is 32.0"),
        ("32", 32, "binary_data_size must be a count, it is '32'"),
        (None, 32, "binary_data_size must be a count, it is None"),
        (10**300, 32, "the body has 32 more"),
    ],
)
def test_bytes(port: int, size: Any, count: int, words: str) -> None:
    """Too few bytes, too many, and counts that are none."""
    check_refused(ask(port, "/v2/models/FP32/infer", *binary(size, bytes(count))), words)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("100000", "the body has"),
        ("9" * 18, "the body has"),
        ("9" * 40, "must be a count of bytes"),
        ("-1", "must be a count of bytes, it is '-1'"),
        ("+9", "must be a count of bytes, it is '+9'"),
        ("1_0", "must be a count of bytes"),
        ("0x9", "must be a count of bytes"),
        ("\xb2", "must be a count of bytes"),
        ("", "must be a count of bytes, it is ''"),
        ("0", "not valid JSON"),
        ("7", "not valid JSON"),
    ],
)
def test_header(port: int, header: str, words: str) -> None:
    """A header that lies about the JSON's length."""
    check_refused(ask(port, "/v2/models/FP32/infer", *binary(32, bytes(32), header)), words)


def test_header_twice(port: int) -> None:
    """A header that says two things."""
    body, headers = binary(32, bytes(32))
    lines = f"{HEADER}: {headers[HEADER]}\r\n{HEADER}: 3\r\nContent-Length: {len(body)}\r\n\r\n"
    head = f"POST /v2/models/FP32/infer HTTP/1.1\r\nHost: a\r\n{lines}".encode()
    check_refused(talk(port, head + body), "is there twice")


def test_bools(port: int) -> None:
    """A byte that is no BOOL."""
    item = {"name": "x", "shape": [2], "datatype": "BOOL", "parameters": {"binary_data_size": 2}}
    head = json.dumps({"inputs": [item]}).encode()
    headers = {HEADER: str(len(head))}
    reply = ask(port, "/v2/models/bool/infer", head + b"\x01\x02", headers)
    check_refused(reply, "a BOOL is one byte, 0 or 1; there is a 2")


def test_what_only_the_runtime_knows(port: int) -> None:
    """Sizes that the model's own nodes refuse: its reason, on one line."""
    body, headers = binary_body({"x": np.ones(7, np.float32)})
    reply = ask(port, "/v2/models/crop/infer", body, headers)
    check_refused(reply, "the model cannot run on these inputs")
    assert "Reshape" in reply.text


@pytest.mark.parametrize("datatype", DATATYPES)
def test_results_that_json_has_not(port: int, datatype: str) -> None:
    """NaN and infinity come as bytes; into JSON they do not go, and nothing takes their place."""
    x = np.array([[np.nan, np.inf, 1, -1]]).astype(DATATYPES[datatype])
    body, headers = binary_body({"x": x})
    found = outputs(ask(port, f"/v2/models/{datatype}/infer", body, headers))["y"]
    assert np.isnan(found[0, 0])
    assert np.isposinf(found[0, 1])
    body, headers = binary_body(
        {"x": x}, outputs=[{"name": "y", "parameters": {"binary_data": False}}]
    )
    reply = ask(port, f"/v2/models/{datatype}/infer", body, headers)
    check_refused(reply, "output 'y' has NaN or infinity, which JSON does not; ask for bytes", 406)


def test_limits(port: int) -> None:
    """Too long a body, declared or in chunks, or inflated; too much JSON, either way."""
    path = "/v2/models/FP32/infer"
    long = bytes(MAX_BODY + 1)
    words = "the body is longer than the server's limit of 50000 bytes"
    check_refused(ask(port, path, long), words, 413)
    check_refused(ask(port, path, iter([long[:9], long[9:]])), words, 413)
    head = "POST /v2/models/FP32/infer HTTP/1.1\r\nHost: a\r\nContent-Length: "
    for length in (MAX_BODY + 1, 10**15, 2**63 - 1):
        check_refused(talk(port, f"{head}{length}\r\n\r\n{{".encode()), words, 413)
    bomb = gzip.compress(bytes(10**7))
    assert len(bomb) < MAX_BODY
    check_refused(ask(port, path, bomb, {"Content-Encoding": "gzip"}), words, 413)
    rows = np.ones((2500, 4), np.float32)
    check_refused(infer(port, json_body({"x": rows[:1500]})), "the JSON is longer than", 413)
    body, headers = binary_body(
        {"x": rows}, outputs=[{"name": "y", "parameters": {"binary_data": False}}]
    )
    check_refused(
        ask(port, path, body, headers), "has 10000 elements, more than 2500; ask for bytes"
    )


@pytest.mark.parametrize(
    ("body", "encoding", "words", "status"),
    [
        (b"{}", "gzip", "the body is not gzip", 400),
        (
            gzip.compress(b"{}", mtime=0)[:-1],
            "gzip",
            "the body ends before the end of its gzip",
            400,
        ),
        (gzip.compress(b"{}", mtime=0) + b"x", "gzip", "goes on after the end of its gzip", 400),
        (b"", "deflate", "the body ends before the end of its deflate", 400),
        (b"{}", "br", "Content-Encoding may be gzip or deflate, not 'br'", 415),
        (b"{}", "gzip, gzip", "Content-Encoding may be gzip or deflate", 415),
    ],
)
def test_encodings(port: int, body: bytes, encoding: str, words: str, status: int) -> None:
    """Bodies that are not compressed as they claim."""
    reply = ask(port, "/v2/models/FP32/infer", body, {"Content-Encoding": encoding})
    check_refused(reply, words, status)


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=a", "image/png", "\xff"]
)
def test_content_types(port: int, kind: str) -> None:
    """What a web page may send to anybody without being asked is not taken."""
    body = json.dumps({"inputs": [GOOD]}).encode()
    reply = ask(port, "/v2/models/FP32/infer", body, {"Content-Type": kind})
    check_refused(reply, "Content-Type must be application/json or application/octet-stream", 415)
    good = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert ask(port, "/v2/models/FP32/infer", body, good).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/v2/models/none", 404),
        ("GET", "/v2/models/FP32/versions/2", 404),
        ("GET", "/v2/models/FP32/versions/1/none", 404),
        ("POST", "/v2/models/none/infer", 404),
        ("POST", "/v2/models/FP32/versions/0/infer", 404),
        ("POST", "/v2/models/..%2f..%2fetc%2fpasswd/infer", 404),
        ("POST", "/v2/models/%00/infer", 404),
        ("POST", "/v2/models/%ff%0d%0a/infer", 404),
        ("POST", "/v2/repository/index", 404),
        ("POST", "/v2/repository/models/FP32/load", 404),
        ("POST", "/v2/repository/models/FP32/unload", 404),
        ("POST", "/v2/logging", 404),
        ("GET", "/v2/models/FP32/infer", 405),
        ("PUT", "/v2/models/FP32", 405),
        ("DELETE", "/v2/models/FP32", 405),
        ("POST", "/v2/health/ready", 405),
    ],
)
def test_paths(port: int, method: str, path: str, status: int) -> None:
    """There is nothing but health, metadata, metrics and inference, and nothing changes a model."""
    check_refused(ask(port, path, b"{}" if method == "POST" else None, method=method), "", status)
    assert infer(port, {"inputs": [GOOD]}).status == 200
