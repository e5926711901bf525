"""Attacks on `onnx-acts serve` by requests. Each gets the port of a server that runs."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import random
import socket
import threading
import time

import numpy as np

from tests.attacks.attack import Attack
from tests.serving.http.running import Reply, ask, talk
from tests.serving.load.clients import post
from tests.serving.load.messages import binary_body, json_body

__all__ = ["ATTACKS", "MAX_BODY", "MODEL", "X", "infer"]

MODEL = "victim"
MAX_BODY = 10_000_000
X = np.linspace(-2, 2, 8, dtype=np.float32).reshape(2, 4)

_PATH = f"/v2/models/{MODEL}/infer"
_HEADER = "Inference-Header-Content-Length"
_HEAD = f"POST {_PATH} HTTP/1.1\r\nHost: localhost\r\n".encode()


def infer(port: int) -> Reply:
    """A request as it should be."""
    body, headers = binary_body({"x": X})
    return ask(port, _PATH, body, headers)


def _refused(reply: Reply, *statuses: int) -> None:
    """The answer has one of those statuses, 400 by default, and one line in JSON."""
    assert reply.status in (statuses or (400,)), (reply.status, reply.body[:300])
    assert json.loads(reply.body)["error"].isprintable()


def _connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def _hung_up(connection: socket.socket, piece: bytes, pause: float) -> None:
    """The server hangs up on a client that goes on to send."""
    deadline = time.monotonic() + 10
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < deadline:
            connection.sendall(piece)
            time.sleep(pause)
        raise AssertionError("the server goes on to listen")


def _truncated(port: int) -> None:
    body, headers = binary_body({"x": X})
    for length in (0, 1, int(headers[_HEADER]) - 1, int(headers[_HEADER]), len(body) - 1):
        _refused(ask(port, _PATH, body[:length], headers))
    _refused(ask(port, _PATH, body + b"\0", headers))


def _lies(port: int) -> None:
    body, headers = binary_body({"x": X})
    for lie in ("0", "-1", "1e3", "+5", "5_0", "9" * 18, "9" * 4000, "\xb2"):
        _refused(ask(port, _PATH, body, headers | {_HEADER: lie}))
    for lie in ("-32", "true", "1e2", '"32"', "null", "9" * 400):
        text = body[: int(headers[_HEADER])].replace(b'size": 32', f'size": {lie}'.encode())
        _refused(ask(port, _PATH, text + X.tobytes(), {_HEADER: str(len(text))}))


def _huge_shapes(port: int) -> None:
    for shape in ([10**9, 4], [2**62, 4], [0, 2**62], [-2, -4], [1] * 10_000, [10**4000]):
        item = {"name": "x", "shape": shape, "datatype": "FP32", "data": [1.0]}
        _refused(ask(port, _PATH, json.dumps({"inputs": [item]}).encode()))


def _declared(port: int) -> None:
    for length in (MAX_BODY + 1, 10**12, 2**63 - 1):
        _refused(talk(port, _HEAD + f"Content-Length: {length}\r\n\r\n{{".encode()), 413)
    waiting = [_connection(port) for _ in range(200)]
    for connection in waiting:
        connection.sendall(_HEAD + f"Content-Length: {MAX_BODY}\r\n\r\n{{".encode())
    assert infer(port).status == 200
    for connection in waiting:
        connection.close()


def _endless(port: int) -> None:
    def chunks() -> object:
        for _ in range(200):
            yield bytes(100_000)

    _refused(ask(port, _PATH, chunks()), 413)


def _bomb(port: int) -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 1)
    assert len(bomb) < MAX_BODY
    _refused(ask(port, _PATH, bomb, {"Content-Encoding": "gzip"}), 413)


def _deep(port: int) -> None:
    for text in (b"[" * 10**6, b'{"a":' * 10**5, b'{"inputs":' + b"[" * 10**5):
        _refused(ask(port, _PATH, text))


def _ambiguous(port: int) -> None:
    good = json_body({"x": X}).decode()
    for old, new in (
        ('"name": "x"', '"name": "x", "name": "y"'),
        ('{"inputs"', '{"inputs": [], "inputs"'),
        ("-2.0", "NaN"),
        ("-2.0", "-Infinity"),
        ("-2.0", "1e999"),
        ("-2.0", "null"),
        ("-2.0", "true"),
        ("-2.0", '"-2.0"'),
    ):
        assert old in good
        _refused(ask(port, _PATH, good.replace(old, new, 1).encode()))


def _framing(port: int) -> None:
    """Two lengths, a length beside chunks, chunks that lie: what a proxy may read otherwise."""
    for lines in (
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: 0x5\r\n\r\nhello",
        b"Bad Name: 1\r\n\r\n",
    ):
        assert talk(port, _HEAD + lines).status in (400, 413), lines


def _noise(port: int) -> None:
    for seed in range(50):
        noise = random.Random(seed).randbytes(2000)
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            assert 400 <= talk(port, noise + b"\r\n\r\n").status < 500


def _slow(port: int) -> None:
    assert talk(port, _HEAD + b"Content-Length: 100\r\n\r\n{").status == 408
    for start, piece in ((_HEAD, b"X: y\r\n"), (_HEAD + b"Content-Length: 9999\r\n\r\n", b" ")):
        with _connection(port) as connection:
            connection.sendall(start)
            _hung_up(connection, piece, 0.05)


def _long_head(port: int) -> None:
    with _connection(port) as connection:
        connection.sendall(_HEAD + b"X: ")
        _hung_up(connection, b"y" * 100_000, 0)


def _unread(port: int) -> None:
    body, headers = binary_body({"x": np.zeros((500_000, 4), np.float32)})
    message = post(_PATH, body, headers)
    waiting = [_connection(port) for _ in range(8)]
    for connection in waiting:
        connection.settimeout(10)
        connection.sendall(message)
    assert infer(port).status == 200
    for connection in waiting:
        connection.close()


def _crowded(port: int) -> None:
    """All shares taken, and more clients waiting, each fast enough to go on for a minute."""
    body, headers = binary_body({"x": np.zeros((600_000, 4), np.float32)})
    message = post(_PATH, body, headers)
    is_over = threading.Event()
    slow = [_connection(port) for _ in range(6)]

    def drip() -> None:
        while not is_over.wait(0.1):
            for connection in slow:
                with contextlib.suppress(OSError):  # it is full, or closed
                    connection.send(bytes(20_000))

    for connection in slow:
        connection.sendall(message[:1_200_000])
        connection.setblocking(False)
    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert ask(port, _PATH, body, headers).status == 200
    finally:
        is_over.set()
        dripping.join()
        for connection in slow:
            connection.close()


def _gone(port: int) -> None:
    body, headers = binary_body({"x": np.zeros((500_000, 4), np.float32)})
    message = post(_PATH, body, headers)
    for share in (10, 200, len(message) // 2, len(message)):
        with _connection(port) as connection:
            connection.sendall(message[:share])


def _elsewhere(port: int) -> None:
    for path in (
        "/v2/repository/index",
        f"/v2/repository/models/{MODEL}/unload",
        f"/v2/repository/models/{MODEL}/load",
        "/v2/systemsharedmemory/region/a/register",
        "/v2/models/..%2f..%2fetc%2fpasswd/infer",
        "/v2/models/%00/infer",
        "/v2/trace/setting",
        "/v2/logging",
    ):
        _refused(ask(port, path, b"{}"), 404)
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert ask(port, f"/v2/models/{MODEL}", method=method).status == 405


def _names(port: int) -> None:
    """Names that a terminal, a log or a header would obey come back escaped, or not at all."""
    for name in ("\x1b[2J", "a\r\nSet-Cookie: b", "\x00", "\ud800", "x" * 100_000):
        inputs = [{"name": name, "shape": [1], "datatype": "FP32", "data": [1]}]
        reply = ask(port, _PATH, json.dumps({"inputs": inputs}).encode())
        _refused(reply)
        assert len(reply.body) < 1000
        assert reply.headers["Set-Cookie"] is None


def _labels(port: int) -> None:
    before = len(ask(port, "/metrics").body)
    for number in range(100):
        ask(port, f"/v2/models/made_up_{number}/infer", b"{}")
    text = ask(port, "/metrics").body
    assert b"made_up" not in text
    assert len(text) < before + 1000


def _pages(port: int) -> None:
    """What a web page may send to any address without being asked."""
    body = json_body({"x": X})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        _refused(ask(port, _PATH, body, {"Content-Type": kind}), 415)


def _rebound(port: int) -> None:
    """A page whose own name has become an address of this machine."""
    body = json_body({"x": X})
    kind = {"Content-Type": "application/json"}
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.x"):
        origin = f"http://{host}"
        _refused(ask(port, _PATH, body, {**kind, "Host": host, "Origin": origin}), 421)
        _refused(ask(port, "/v2", None, {"Host": host}), 421)
        _refused(ask(port, _PATH, body, {**kind, "Origin": origin}), 403)
    _refused(ask(port, _PATH, body, {**kind, "Origin": "null"}), 403)
    for host in ("localhost", f"LOCALHOST.:{port}", "127.0.0.1", f"[::1]:{port}"):
        origin = f"http://{host}"
        assert ask(port, _PATH, body, {**kind, "Host": host, "Origin": origin}).status == 200


ATTACKS: tuple[Attack[int], ...] = (
    Attack("short and long bodies", "tensors cut off anywhere, or with bytes after them",
           "every count is compared with what is there: 400", _truncated),
    Attack("lying headers", "lengths of JSON and tensors that are negative, no numbers, too large",
           "counts are digits, at most 19, and at most what is left: 400", _lies),
    Attack("huge shapes", "sizes whose product overflows or asks for terabytes",
           "sizes are checked before anything is allocated, which the bytes that came decide: 400",
           _huge_shapes),
    Attack("declared sizes", "200 clients that announce the largest body and send one byte",
           "memory is taken for what has come; above the limit nothing is read: 413", _declared),
    Attack("endless bodies", "chunks without end", "reading stops at `--max-body`: 413", _endless),
    Attack("bombs", "a small body that inflates to 200 MB",
           "inflating stops at `--max-body`: 413", _bomb),
    Attack("nesting", "JSON a million lists deep", "the parser's own limit of depth: 400", _deep),
    Attack("two meanings", "keys that are there twice, NaN, null, numbers as text, 1e999",
           "the strictest reading of JSON, and no conversion between kinds: 400", _ambiguous),
    Attack("framing", "two lengths, a length beside chunks (request smuggling)",
           "llhttp refuses them: 400, and the connection is closed", _framing),
    Attack("noise", "random bytes in HTTP's place", "400, and the connection is closed", _noise),
    Attack("slow clients", "heads and bodies that come byte by byte for ever",
           "20 seconds, then 64 KB a second for a body: 408, or the connection is closed", _slow),
    Attack("endless heads", "headers without end", "64 KB: the connection is closed", _long_head),
    Attack("readers that do not read", "large answers that are never taken",
           "four large requests at once; 20 seconds to take 256 KB, then 64 KB a second", _unread),
    Attack("shares", "four large requests that are sent slowly, for others to wait",
           "while somebody waits, those four have 10 seconds, then 1 MB a second", _crowded),
    Attack("clients that vanish", "connections closed in the middle of a request",
           "what they held is freed", _gone),
    Attack("other doors", "loading, unloading, shared memory, logging, paths of files",
           "the server has none of them: 404, 405", _elsewhere),
    Attack("names", "names with control characters, line ends, half characters, 100,000 letters",
           "answers have them escaped and cut; no header repeats them: 400", _names),
    Attack("labels", "a name of a model in each request, to fill /metrics",
           "labels are the server's own names: 404", _labels),
    Attack("web pages", "a page in a browser that posts to 127.0.0.1",
           "Content-Types that a page may send without asking are not taken: 415", _pages),
    Attack("names that move", "a page whose name is pointed at 127.0.0.1 (DNS rebinding)",
           "`Host` must be an address, localhost, `--host` or `--allow-host`: 421; `Origin`: 403",
           _rebound),
)  # fmt: skip
