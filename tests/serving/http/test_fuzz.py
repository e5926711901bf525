"""Thousands of requests with faults: every one is answered, and none with a fault of ours."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections import Counter

import pytest

import onnx_acts
from onnx_acts.serving import app
from onnx_acts.serving.http.models import ServedModel
from onnx_acts.serving.http.refusals import RefusalError
from tests.serving.http.mutations import X, mutated_body, mutated_message
from tests.serving.http.running import ask, elu_model, outputs, serving
from tests.serving.load.messages import binary_body

BODIES, MESSAGES = 3000, 400


def refusal_of(model: ServedModel, body: bytes, length: int | None) -> RefusalError | None:
    """Why a body is not served; any other exception is a fault."""
    try:
        model.infer(memoryview(body), length, 100, lambda seconds: None)
    except RefusalError as refusal:
        return refusal
    return None


def test_bodies() -> None:
    """Whatever a body says, it is served or refused with one line; both happen often."""
    model = ServedModel("m", onnx_acts.session(elu_model()), None)
    found: Counter[str] = Counter()
    for seed in range(BODIES):
        body, length = mutated_body(seed)
        refusal = refusal_of(model, body, length)
        if refusal is None:
            found["served"] += 1
            continue
        assert 400 <= refusal.status < 500, seed
        assert refusal.message.isprintable(), seed
        assert len(refusal.message) < 600, seed
        found[refusal.message[:12]] += 1
    assert found["served"] > BODIES / 10
    assert sum(found.values()) - found["served"] > BODIES / 2
    assert len(found) > 20


def answer_of(port: int, message: bytes) -> int | None:
    """The status of the answer to a message after which nothing comes; None without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):  # it may have been refused half-way
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
        except (http.client.HTTPException, ConnectionError):
            return None
        return answer.status


def test_messages() -> None:
    """Whatever a message says, the status is 200 to 499, and the next request is served."""
    found: Counter[int | None] = Counter()
    with serving(app({"m": elu_model()})) as port:
        for seed in range(MESSAGES):
            status = answer_of(port, mutated_message(seed))
            assert status is None or 200 <= status < 500, (seed, status)
            found[status] += 1
        body, headers = binary_body({"x": X})
        assert outputs(ask(port, "/v2/models/m/infer", body, headers))["y"].shape == X.shape
    assert found[400] > MESSAGES / 10
    assert found[None] < MESSAGES / 10, found


@pytest.mark.parametrize(
    "path", [b"/\xff\xfe", b"/v2/%", b"http://[::1/", b"//", b"*", b"/v2/models/%ED%A0%80/infer"]
)
def test_targets(path: bytes) -> None:
    """Targets that are no paths."""
    with serving(app({"m": elu_model()})) as port:
        status = answer_of(port, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert status is not None
        assert 400 <= status < 500
