"""Clients that keep a server busy: many connections in one thread, at about 20 us a request.

Each connection has a request of its own and compares every answer, byte by byte, with the one that
it knows to be right.
"""

from __future__ import annotations

import dataclasses
import selectors
import socket
import time
from collections.abc import Callable, Sequence

__all__ = ["Address", "Exchange", "Outcome", "keep_busy", "post"]

Address = tuple[str, int]

_LAST_CHUNK = b"\r\n0\r\n\r\n"

_PATIENCE = 30.0
"""Seconds after which a request without an answer is lost."""


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request's bytes, head and all, and the bytes of tensors that its answer must end with."""

    request: bytes
    answer: bytes


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclasses.dataclass
class Outcome:
    """What happened.

    Attributes:
        latencies: seconds, of answers that were right.
        wrong: answers that were not.
        lost: requests without an answer.
        moved: connections that the server asked to go elsewhere.
        seconds: how long all took.
    """

    latencies: list[float] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    lost: list[str] = dataclasses.field(default_factory=list)
    moved: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Right answers in a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """A latency that so many of a hundred requests stay below, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1e3 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def __str__(self) -> str:
        if not self.latencies:
            return f"no right answer; wrong: {self.wrong[:1]}, lost: {self.lost[:1]}"
        return (
            f"{self.rate:.0f} requests/s, median {self.percentile(50):.1f} ms,"
            f" p99 {self.percentile(99):.1f} ms, {len(self.latencies)} right,"
            f" {len(self.wrong)} wrong, {len(self.lost)} lost, {self.moved} moved"
        )


class _Client:
    """One connection, which is made again where the server has closed it."""

    def __init__(self, exchange: Exchange, addresses: Sequence[Address]) -> None:
        self.exchange, self._addresses, self._turn = exchange, addresses, 0
        self.connect()

    def connect(self) -> None:
        """Connects to the address whose turn it is."""
        self.socket = socket.create_connection(self._addresses[self._turn], timeout=_PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def move(self) -> None:
        """Connects to the next address."""
        self.socket.close()
        self._turn = (self._turn + 1) % len(self._addresses)
        self.connect()

    def ask(self) -> None:
        """Sends the request."""
        self.start, self._received = time.perf_counter(), b""
        self.socket.sendall(self.exchange.request)

    def answer(self) -> tuple[bytes, bytes] | None:
        """Head and body of the answer, if all of it is here.

        Raises:
            OSError: the connection is gone.
        """
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            raise ConnectionResetError("the server has closed the connection")
        self._received += chunk
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None
        head = head.lower()
        if b"transfer-encoding: chunked" in head:  # in one chunk, as KServe does
            chunk, end = body.partition(b"\r\n")[2][: -len(_LAST_CHUNK)], body[-len(_LAST_CHUNK) :]
            return (head, chunk) if end == _LAST_CHUNK else None
        length = int(head.partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0])
        return (head, body) if len(body) >= length else None


def keep_busy(
    exchanges: Sequence[Exchange],
    addresses: Sequence[Address],
    seconds: float,
    each_second: Callable[[float], None] = lambda second: None,
) -> Outcome:
    """Lets each exchange go on over and over, on a connection of its own.

    Args:
        exchanges: one for each connection.
        addresses: of servers; a client that is sent away goes to the next.
        seconds: for how long.
        each_second: is called about once a second, with the seconds so far.
    """
    outcome = Outcome()
    selector = selectors.DefaultSelector()
    begin = time.perf_counter()
    ticks = 0
    for exchange in exchanges:
        client = _Client(exchange, addresses)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask()
    while (now := time.perf_counter()) < begin + seconds:
        if now - begin > ticks:
            each_second(now - begin)
            ticks += 1
        for key, _ in selector.select(0.2):
            _proceed(key.data, selector, outcome)
    outcome.seconds = time.perf_counter() - begin
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)
        key.data.socket.close()
    return outcome


def _proceed(client: _Client, selector: selectors.BaseSelector, outcome: Outcome) -> None:
    """Takes what has come for a client, and asks again."""
    try:
        found = client.answer()
    except OSError as error:
        outcome.lost.append(str(error))
        _move(client, selector)
        return
    if found is None:
        return
    head, body = found
    if head.startswith(b"http/1.1 200") and body.endswith(client.exchange.answer):
        outcome.latencies.append(time.perf_counter() - client.start)
    else:
        outcome.wrong.append(f"{head[:40]!r} {body[:200]!r}")
    if b"\r\nconnection: close" in head:
        outcome.moved += 1
        _move(client, selector)
    else:
        client.ask()


def _move(client: _Client, selector: selectors.BaseSelector) -> None:
    selector.unregister(client.socket)
    client.move()
    selector.register(client.socket, selectors.EVENT_READ, client)
    client.ask()
