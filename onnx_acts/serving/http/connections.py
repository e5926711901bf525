"""Connections: how long a client may take to ask, and to read the answer."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Connection"]

_LONGEST_HEAD = 64 * 1024
"""Bytes of a request's line and headers, about: what has come in one go is read in any case."""

_PATIENCE = 20.0
"""Seconds for a head, for the rest of a body that has been refused, and to read a piece."""

_log = logging.getLogger("onnx_acts.serving")


class Connection(HttpToolsProtocol):
    """A connection of uvicorn's that does not wait for ever, and does not keep endless heads."""

    _is_in_head = _is_in_body = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins; a client that sends nothing is sent away."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._set_timer(False)
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        self._head_bytes += len(data) if self._is_in_head else 0
        try:
            super().data_received(data)
        except Exception as error:  # of a callback: what it cannot decode is the client's fault
            _log.debug("bad request", exc_info=error)
            self.send_400_response("Invalid HTTP request received.")
        if self._is_in_head and self._head_bytes > _LONGEST_HEAD:
            self.send_400_response("The head of the request is too long.")
        is_over = self.cycle is not None and self.cycle.response_complete
        self._set_timer(self._is_in_head or (self._is_in_body and is_over))

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's hangs up in any case
        """The client will send no more; what it has asked for is still answered.

        Returns:
            Whether the connection stays open for that.
        """
        if self._is_in_head or self._is_in_body:
            if self.cycle is None or not self.cycle.response_started or self._is_in_head:
                self.send_400_response("The request ends before it is complete.")
            return False
        if self.cycle is None or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        self._is_in_head, self._is_in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is complete."""
        self._is_in_body = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is written to."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(_PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def _set_timer(self, is_waiting: bool) -> None:
        """Starts the clock, or stops it; what comes meanwhile does not set it back."""
        if is_waiting and self._timer is None:
            self._timer = self.loop.call_later(_PATIENCE, self._give_up)
        elif not is_waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> Any:
        self.transport.close()
