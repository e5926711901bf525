"""Attacks on `onnx-acts serve` by connections: what clients do with them, and how fast."""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time

import numpy as np

from tests.serving.http.running import Reply, ask, talk
from tests.serving.load.clients import post
from tests.serving.load.messages import binary_body, json_body

__all__ = [
    "HEAD",
    "MODEL",
    "PATH",
    "X",
    "connection_to",
    "crowded",
    "endless_head",
    "framing",
    "infer",
    "noise",
    "slow",
    "unread",
    "vanishing",
]

MODEL = "victim"
PATH = f"/v2/models/{MODEL}/infer"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n".encode()
X = np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4)

_BUFFERED = 40_000_000
"""More bytes than the system takes for a server that does not read."""


def infer(port: int) -> Reply:
    """A request as it should be."""
    body, headers = binary_body({"x": X})
    return ask(port, PATH, body, headers)


def connection_to(port: int) -> socket.socket:
    """A connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def _hung_up(connection: socket.socket, piece: bytes, pause: float) -> None:
    """The server hangs up on a client that goes on to send, and has not taken much."""
    deadline, sent = time.monotonic() + 10, 0
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < deadline:
            connection.sendall(piece)
            sent += len(piece)
            assert sent < _BUFFERED, "the server goes on to read"
            time.sleep(pause)
        raise AssertionError("the server goes on to listen")


def framing(port: int) -> None:
    """Two lengths, a length beside chunks, chunks that lie: what a proxy may read otherwise. The
    body is good, so that a server which is not so strict would serve it.
    """
    good = json_body({"x": X})
    length, size = len(good), b"%x" % len(good)
    chunks = size + b"\r\n" + good + b"\r\n0\r\n\r\n"
    for lines, body in (
        (b"Content-Length: %d\r\nContent-Length: %d\r\n" % (length, length + 1), good),
        (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(chunks), chunks),
        (b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
        (b"Transfer-Encoding: chunked, identity\r\n", chunks),
        (b"Transfer-Encoding: chunked\r\n", b"zz" + chunks),
        (b"Transfer-Encoding: chunked\r\n", b"-" + chunks),
        (b"Content-Length: -%d\r\n" % length, good),
        (b"Content-Length: 0x%s\r\n" % size, good),
        (b"Bad Name: 1\r\nContent-Length: %d\r\n" % length, good),
    ):
        with connection_to(port) as connection:
            connection.sendall(HEAD + lines + b"\r\n" + body)
            answer = http.client.HTTPResponse(connection, method="POST")
            answer.begin()
            assert answer.status == 400, lines
            answer.read()
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b"", lines


def noise(port: int) -> None:
    """Random bytes."""
    answered = 0
    for seed in range(50):
        noise = random.Random(seed).randbytes(2000)
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            assert talk(port, noise + b"\r\n\r\n").status == 400
            answered += 1
    assert answered > 40


def slow(port: int) -> None:
    """A body that does not come, and heads and bodies that come byte by byte."""
    assert talk(port, HEAD + b"Content-Length: 100\r\n\r\n{").status == 408
    for start, piece in ((HEAD, b"X: y\r\n"), (HEAD + b"Content-Length: 9999\r\n\r\n", b" ")):
        with connection_to(port) as connection:
            connection.sendall(start)
            _hung_up(connection, piece, 0.05)


def endless_head(port: int) -> None:
    """A header without end."""
    with connection_to(port) as connection:
        connection.sendall(HEAD + b"X: ")
        _hung_up(connection, b"y" * 100_000, 0)


def unread(port: int) -> None:
    """Answers that nobody reads."""
    body, headers = binary_body({"x": np.zeros((500_000, 4), np.float32)})
    message = post(PATH, body, headers)
    waiting = [connection_to(port) for _ in range(16)]
    for connection in waiting:
        connection.settimeout(20)  # until those before have lost their places
        connection.sendall(message)
    assert infer(port).status == 200
    for connection in waiting:
        connection.close()


def crowded(port: int) -> None:
    """All shares taken, and more clients waiting, each fast enough to go on for a minute."""
    body, headers = binary_body({"x": np.zeros((600_000, 4), np.float32)})
    message = post(PATH, body, headers)
    is_over = threading.Event()
    crowd = [connection_to(port) for _ in range(6)]

    def drip() -> None:
        while not is_over.wait(0.1):
            for connection in crowd:
                with contextlib.suppress(OSError):  # it is full, or closed
                    connection.send(bytes(20_000))

    for connection in crowd:
        connection.sendall(message[:1_200_000])
        connection.setblocking(False)
    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert ask(port, PATH, body, headers).status == 200
    finally:
        is_over.set()
        dripping.join()
        for connection in crowd:
            connection.close()


def vanishing(port: int) -> None:
    """Clients that go, at several places of a request."""
    body, headers = binary_body({"x": np.zeros((500_000, 4), np.float32)})
    message = post(PATH, body, headers)
    for share in (10, 200, len(message) // 2, len(message)):
        with connection_to(port) as connection:
            connection.sendall(message[:share])
