"""Attacks on `onnx-acts serve` by requests. Each gets the port of a server that runs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from tests.attacks.attack import Attack
from tests.attacks.connections import (
    HEAD,
    MODEL,
    PATH,
    X,
    connection_to,
    crowded,
    endless_head,
    framing,
    infer,
    noise,
    slow,
    unread,
    vanishing,
)
from tests.serving.http.running import Reply, ask, talk
from tests.serving.load.messages import binary_body, json_body

__all__ = ["ATTACKS", "MAX_BODY", "MODEL", "X", "infer"]

MAX_BODY = 10_000_000

_HEADER = "Inference-Header-Content-Length"


def _refused(reply: Reply, *statuses: int) -> None:
    """The answer has one of those statuses, 400 by default, and one line in JSON."""
    assert reply.status in (statuses or (400,)), (reply.status, reply.body[:300])
    assert json.loads(reply.body)["error"].isprintable()


def _truncated(port: int) -> None:
    body, headers = binary_body({"x": X})
    for length in (0, 1, int(headers[_HEADER]) - 1, int(headers[_HEADER]), len(body) - 1):
        _refused(ask(port, PATH, body[:length], headers))
    _refused(ask(port, PATH, body + b"\0", headers))


def _lies(port: int) -> None:
    body, headers = binary_body({"x": X})
    for lie in ("0", "-1", "1e3", "+5", "5_0", "9" * 18, "9" * 4000, "\xb2"):
        _refused(ask(port, PATH, body, headers | {_HEADER: lie}))
    for lie in ("-32", "true", "1e2", '"32"', "null", "9" * 400):
        text = body[: int(headers[_HEADER])].replace(b'size": 32', f'size": {lie}'.encode())
        _refused(ask(port, PATH, text + X.tobytes(), {_HEADER: str(len(text))}))


def _huge_shapes(port: int) -> None:
    for shape in ([10**9, 4], [2**62, 4], [0, 2**62], [-2, -4], [1] * 10_000, [10**4000]):
        item = {"name": "x", "shape": shape, "datatype": "FP32", "data": [1.0]}
        _refused(ask(port, PATH, json.dumps({"inputs": [item]}).encode()))


def _declared(port: int) -> None:
    for length in (MAX_BODY + 1, 10**12, 2**63 - 1):
        _refused(talk(port, HEAD + f"Content-Length: {length}\r\n\r\n{{".encode()), 413)
    waiting = [connection_to(port) for _ in range(200)]
    for connection in waiting:
        connection.sendall(HEAD + f"Content-Length: {MAX_BODY}\r\n\r\n{{".encode())
    assert infer(port).status == 200
    for connection in waiting:
        connection.close()


def _endless(port: int) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(400):
            yield bytes(100_000)

    reply = ask(port, PATH, chunks())
    _refused(reply, 413)
    assert "the body is longer than" in reply.text


def _bomb(port: int) -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 1)
    assert len(bomb) < MAX_BODY
    _refused(ask(port, PATH, bomb, {"Content-Encoding": "gzip"}), 413)


def _deep(port: int) -> None:
    for text in (b"[" * 10**6, b'{"a":' * 10**5, b'{"inputs":' + b"[" * 10**5):
        _refused(ask(port, PATH, text))


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
        _refused(ask(port, PATH, good.replace(old, new, 1).encode()))


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
        reply = ask(port, PATH, json.dumps({"inputs": inputs}).encode())
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
        _refused(ask(port, PATH, body, {"Content-Type": kind}), 415)


def _rebound(port: int) -> None:
    """A page whose own name has become an address of this machine."""
    body = json_body({"x": X})
    kind = {"Content-Type": "application/json"}
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.x"):
        origin = f"http://{host}"
        _refused(ask(port, PATH, body, {**kind, "Host": host, "Origin": origin}), 421)
        _refused(ask(port, "/v2", None, {"Host": host}), 421)
        _refused(ask(port, PATH, body, {**kind, "Origin": origin}), 403)
    _refused(ask(port, PATH, body, {**kind, "Origin": "null"}), 403)
    for host in ("localhost", f"LOCALHOST.:{port}", "127.0.0.1", f"[::1]:{port}"):
        origin = f"http://{host}"
        assert ask(port, PATH, body, {**kind, "Host": host, "Origin": origin}).status == 200


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
           "llhttp refuses them: 400, and the connection is closed", framing),
    Attack("noise", "random bytes in HTTP's place", "400, and the connection is closed", noise),
    Attack("slow clients", "heads and bodies that come byte by byte for ever",
           "20 seconds, then 64 KB a second for a body: 408, or the connection is closed", slow),
    Attack("endless heads", "headers without end", "64 KB: the connection is closed", endless_head),
    Attack("readers that do not read", "large answers that are never taken",
           "four large requests at once; 20 seconds to take 256 KB, then 64 KB a second", unread),
    Attack("shares", "four large requests that are sent slowly, for others to wait",
           "while somebody waits, those four have 10 seconds, then 1 MB a second", crowded),
    Attack("clients that vanish", "connections closed in the middle of a request",
           "what they held is freed", vanishing),
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
