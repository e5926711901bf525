"""Sending an answer, a large one in pieces."""

from __future__ import annotations

import contextlib

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from onnx_acts.serving.http.answers import Answer
from onnx_acts.serving.http.bodies import LARGE
from onnx_acts.serving.http.pace import Pace, Share

__all__ = ["sendable"]

_PIECE = 256 * 1024
"""Bytes that are handed over at once: the next ones wait until these have left."""


def sendable(answer: Answer, share: Share) -> Response:
    """The response of an answer, which gives the share back when it has been sent."""
    headers, kind = {}, "application/json"
    if answer.header_length is not None:
        headers["inference-header-content-length"] = str(answer.header_length)
        kind = "application/octet-stream"
    if answer.size <= LARGE:
        share.give_back()
        return Response(b"".join(answer.parts), headers=headers, media_type=kind)
    headers["content-length"] = str(answer.size)
    return _Pieces(answer, share, headers, kind)


class _Pieces(Response):
    """An answer of which no copy is made."""

    def __init__(self, answer: Answer, share: Share, headers: dict[str, str], kind: str) -> None:
        super().__init__(None, headers=headers, media_type=kind)
        self._answer, self._share = answer, share

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; the server hangs up on a client that does not read it."""
        with contextlib.suppress(TimeoutError):  # uvicorn hangs up: the answer is not complete
            await self._send(send)

    async def _send(self, send: Send) -> None:
        try:
            async with Pace(self._share) as pace:
                await self._send_at(pace, send)
        finally:
            self._share.give_back()

    async def _send_at(self, pace: Pace, send: Send) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        for part in self._answer.parts:
            for start in range(0, len(part), _PIECE):
                piece = memoryview(part)[start : start + _PIECE]
                await _send_body(send, piece, True)
                pace.moved(len(piece))
        await _send_body(send, b"", False)


async def _send_body(send: Send, piece: bytes | memoryview, is_more: bool) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": is_more})
