"""Connections that are slow, endless, or gone: none holds the server up, or costs it memory."""

from __future__ import annotations

import contextlib
import http.client
import resource
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from onnx_acts.serving import app
from onnx_acts.serving.http import connections, inference, pace
from onnx_acts.serving.http.pace import Room
from tests.serving.http.running import Reply, ask, elu_model, outputs, serving, talk
from tests.serving.load.clients import post
from tests.serving.load.messages import binary_body

pytestmark = pytest.mark.slow

PATIENCE = 0.4
"""Seconds here in place of 20."""

HEAD = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: a\r\n"
X = np.ones((2, 4), np.float32)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server without much patience."""
    monkeypatch.setattr(pace, "_PATIENCE", PATIENCE)
    monkeypatch.setattr(connections, "_PATIENCE", PATIENCE)
    with serving(app({"m": elu_model()})) as found:
        yield found


def open_to(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def check_alive(port: int) -> None:
    """The server answers what is right."""
    body, headers = binary_body({"x": X})
    assert outputs(ask(port, "/v2/models/m/infer", body, headers))["y"].shape == X.shape


def is_cut_off(connection: socket.socket, piece: bytes, pause: float) -> bool:
    """Whether the server hangs up on a client that goes on to send, within five seconds."""
    start, sent = time.monotonic(), 0
    while time.monotonic() < start + 5 and sent < 100 * 2**20:
        try:
            connection.sendall(piece)
        except ConnectionError:
            return True
        sent += len(piece)
        time.sleep(pause)
    return False


def test_slow_body(port: int) -> None:
    """A body that does not come is not waited for; the answer says so, and the server hangs up."""
    reply = talk(port, HEAD + b"Content-Length: 100\r\n\r\n{")
    assert reply.status == 408
    assert "the body comes too slowly: 1 bytes so far" in reply.text
    check_alive(port)


def test_dripping_body(port: int) -> None:
    """Nor is one that comes byte by byte: bytes do not set the clock back."""
    with open_to(port) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        start = time.monotonic()
        connection.settimeout(0.05)
        while time.monotonic() < start + 5:
            connection.sendall(b" ")
            try:
                found = connection.recv(100)
            except TimeoutError:
                continue
            break
    assert found.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start < 10 * PATIENCE


@pytest.mark.parametrize("start", [b"", b"POST", HEAD, HEAD + b"X: "])
def test_slow_head(port: int, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that does not end: the server hangs up."""
    monkeypatch.setattr("onnx_acts.serving.http.server._KEEP_ALIVE", PATIENCE)
    with serving(app({"m": elu_model()})) as found, open_to(found) as connection:
        connection.sendall(start)
        assert connection.recv(100) == b""


def test_dripping_head(port: int) -> None:
    """Nor does a head that grows for ever."""
    with open_to(port) as connection:
        connection.sendall(HEAD)
        assert is_cut_off(connection, b"X: y\r\n", pause=0.02)


def test_endless_head() -> None:
    """A head of megabytes is refused before they are kept, long before patience ends."""
    with serving(app({"m": elu_model()})) as port:
        with open_to(port) as connection:
            connection.sendall(HEAD + b"X: ")
            assert is_cut_off(connection, b"y" * 100_000, pause=0)
        check_alive(port)


def test_refused_body_that_goes_on(port: int) -> None:
    """What has been refused may still come, for a while; then the server hangs up."""
    with open_to(port) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000000000000\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 413
        answer.read()
        assert is_cut_off(connection, bytes(10_000), pause=0.02)


def test_end_of_what_a_client_sends(port: int) -> None:
    """A client that has sent all, and says so, still gets its answer; half a request gets a 400."""
    body, headers = binary_body({"x": X})
    whole = post("/v2/models/m/infer", body, headers)
    for message, status in ((whole, 200), (whole[:-1], 400), (whole[:30], 400)):
        with open_to(port) as connection:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert Reply(answer).status == status


def test_clients_that_go(port: int) -> None:
    """Connections that are closed in the middle, at any place, leave nothing behind."""
    body, headers = binary_body({"x": np.ones((400_000, 4), np.float32)})
    message = post("/v2/models/m/infer", body, headers)
    for share in (1, 50, 500, len(message) // 2, len(message) - 1, len(message)):
        with open_to(port) as connection:
            connection.sendall(message[:share])
    check_alive(port)
    deadline = time.monotonic() + 10
    while "onnx_acts_requests_in_progress 0.0" not in ask(port, "/metrics").text:
        assert time.monotonic() < deadline


def test_reader_that_does_not_read(port: int) -> None:
    """An answer of megabytes that nobody takes is thrown away, with the connection."""
    body, headers = binary_body({"x": np.ones((1_000_000, 4), np.float32)})
    with open_to(port) as connection:
        connection.sendall(post("/v2/models/m/infer", body, headers))
        time.sleep(6 * PATIENCE)
        received = 0
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(1 << 20):
                received += len(chunk)
        assert received < len(body)
    check_alive(port)


def test_dripping_reader(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a client keep the memory of a large answer by reading it byte by byte."""
    monkeypatch.setattr(pace, "_SLOWEST", 10**9)
    monkeypatch.setattr(connections, "_PATIENCE", 20.0)
    body, headers = binary_body({"x": np.ones((1_500_000, 4), np.float32)})
    with open_to(port) as connection:
        connection.sendall(post("/v2/models/m/infer", body, headers))
        for _ in range(40):
            connection.recv(100)
            time.sleep(0.05)
        check_alive(port)
        assert "onnx_acts_requests_in_progress 0.0" in ask(port, "/metrics").text
        received = 0
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(1 << 20):
                received += len(chunk)
        assert received < len(body) - 4 * 10**6


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """The room of the servers of a test: for one large request."""
    room = Room(1)
    monkeypatch.setattr(inference, "Room", lambda shares: room)
    return room


def wait_for(condition: Callable[[], object]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def sending(connection: socket.socket, message: bytes) -> Iterator[None]:
    """Sends a message meanwhile: one for which there is no room would block."""
    thread = threading.Thread(target=connection.sendall, args=(message,))
    thread.start()
    yield
    thread.join()


def large_message() -> bytes:
    """A request of 6.4 MB."""
    body, headers = binary_body({"x": np.ones((400_000, 4), np.float32)})
    return post("/v2/models/m/infer", body, headers)


def check_answered(connection: socket.socket) -> None:
    """A large request has its answer."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert answer.status == 200
    assert len(answer.read()) > 6_000_000


def test_large_ones_wait_for_each_other(room: Room) -> None:
    """So many large requests are in memory at once; others wait, and small ones do not."""
    message = large_message()
    with serving(app({"m": elu_model()})) as port, open_to(port) as first, open_to(port) as second:
        first.sendall(message[:-1])
        wait_for(lambda: room.is_taken)
        with sending(second, message):
            wait_for(lambda: room.is_wanted)
            check_alive(port)
            assert not select.select([second], [], [], 0.3)[0]
            first.sendall(message[-1:])
            check_answered(first)
            check_answered(second)
        wait_for(lambda: not room.is_taken)


@pytest.mark.parametrize("share", [0.5, 1.0], ids=["sender", "reader"])
def test_slow_ones_give_way(room: Room, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large request that is sent, or whose answer is read, slowly does not keep others waiting:
    it is fast enough for itself, and may go on until somebody wants its place.
    """
    monkeypatch.setattr(pace, "_PATIENCE", 1000.0)
    monkeypatch.setattr(connections, "_PATIENCE", 1000.0)
    monkeypatch.setattr(pace, "_PATIENCE_WITH_OTHERS", PATIENCE)
    message = large_message()
    with serving(app({"m": elu_model()})) as port, open_to(port) as slow, open_to(port) as second:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(message[: int(len(message) * share)])
        wait_for(lambda: room.is_taken)
        time.sleep(3 * PATIENCE)
        assert room.is_taken
        with sending(second, message):
            check_answered(second)
        if share < 1:
            answer = http.client.HTTPResponse(slow)
            answer.begin()
            assert answer.status == 408


def test_declared_sizes_cost_nothing(port: int) -> None:
    """A hundred clients that announce a quarter of a gigabyte each, and send a byte."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    waiting = [open_to(port) for _ in range(100)]
    for connection in waiting:
        connection.sendall(HEAD + b"Content-Length: 268435456\r\n\r\n{")
    check_alive(port)
    for connection in waiting:
        connection.close()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
