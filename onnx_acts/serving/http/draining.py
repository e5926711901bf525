"""Leaving without losing a request."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Draining", "Lifecycle"]


class Lifecycle:
    """Whether an application wants more requests."""

    def __init__(self) -> None:
        self.is_draining = False


class Draining:
    """Tells the clients of an application that is going away to connect elsewhere.

    Every answer then has `Connection: close`: a client that has read it sends nothing more on the
    connection, which a server that closes idle connections by itself cannot know.
    """

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app, self._lifecycle = app, lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._lifecycle.is_draining:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, closing if scope["type"] == "http" else send)
