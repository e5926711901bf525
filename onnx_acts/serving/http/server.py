"""A server process: the application on a socket, until it is told to leave."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import socket
import time
from collections.abc import Callable, Mapping
from types import FrameType

import uvicorn
from fastapi import FastAPI

from onnx_acts.serving.http.app import MAX_BODY, MAX_JSON, app, default_options
from onnx_acts.serving.http.connections import Connection
from onnx_acts.serving.http.draining import Lifecycle

__all__ = ["Settings", "bound", "run", "server_of"]

_BACKLOG = 2048
_KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than clients and proxies commonly keep one."""

_QUIET = 1.0
"""Seconds without a connection after which a server that is leaving has nothing to wait for."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is served, and how.

    Attributes:
        models: files by name.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        standard: run standard activations on the native kernels too.
        threads: of one run in ONNX Runtime; 0 leaves that to it.
        max_body: bytes that a request may have.
        max_json: bytes that its JSON may have.
        workers: processes.
        drain: seconds that clients have to go elsewhere after SIGTERM.
        hosts: names that requests may use beside addresses, localhost and `host`; "*" for any.
    """

    models: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 8000
    standard: bool = False
    threads: int = 0
    max_body: int = MAX_BODY
    max_json: int = MAX_JSON
    workers: int = 1
    drain: float = 10.0
    hosts: tuple[str, ...] = ()


def bound(host: str, port: int) -> socket.socket:
    """A socket that is listened on; port 0 takes a free one.

    Raises:
        OSError: the address cannot be had; the message says which.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}:{port}: {error}; --host and --port choose"
        ) from error
    # Connections inherit it. uvicorn writes head and body apart: without it the body would wait for
    # the client to acknowledge the head, which takes 40 ms (asyncio sets it on its own sockets).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(settings: Settings, listener: socket.socket, is_ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: what to serve.
        listener: a socket that is bound.
        is_ready: is called when requests are answered.

    Raises:
        ValueError, FileNotFoundError, RuntimeError: as in `onnx_acts.serving.app`.
    """
    options = default_options()
    options.intra_op_num_threads = settings.threads
    made = app(
        settings.models,
        standard=settings.standard,
        session_options=options,
        max_body=settings.max_body,
        max_json=settings.max_json,
        hosts=None if "*" in settings.hosts else (settings.host, *settings.hosts),
    )
    server_of(made, settings.drain, is_ready).run([listener])


def server_of(made: FastAPI, drain: float, is_ready: Callable[[], None]) -> uvicorn.Server:
    """A server of an application that `onnx_acts.serving.app` has made.

    Args:
        made: the application.
        drain: seconds that clients have to go elsewhere after SIGTERM.
        is_ready: is called when requests are answered.
    """
    config = uvicorn.Config(
        made,
        http=Connection,
        ws="none",
        loop="asyncio",  # measured: uvloop answers no more requests
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(drain)),
    )
    return _Server(config, made.state.lifecycle, drain, is_ready)


class _Server(uvicorn.Server):
    """A server that sends its clients away before it leaves.

    uvicorn, told to leave, closes the connections that are idle at that moment; a client that is
    just sending its next request on one loses it. This one goes on to serve, with readiness false
    and `Connection: close` in every answer, until no connection is left or the time is over.
    """

    def __init__(
        self, config: uvicorn.Config, lifecycle: Lifecycle, drain: float, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._lifecycle, self._drain, self._ready = lifecycle, drain, ready
        self._end = self._busy = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM sends clients away first; SIGINT, or a second SIGTERM, ends at once."""
        if sig == signal.SIGTERM and not self._lifecycle.is_draining:
            self._busy = time.monotonic()
            self._end = self._busy + self._drain
            self._lifecycle.is_draining = True
        elif sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Is called ten times a second; tells whether to leave."""
        if self._lifecycle.is_draining:
            now = time.monotonic()
            if self.server_state.connections:
                self._busy = now
            self.should_exit |= now > self._end or now > self._busy + _QUIET
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends; a task that is cut off needs no trace in the log."""
        with contextlib.suppress(asyncio.CancelledError):
            await super().shutdown(sockets)
