"""What a client may hold: a server's time and memory."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Pace", "Share"]

_PATIENCE = 20.0
"""Seconds that a body may take, however short it is."""

_SLOWEST = 64 * 1024
"""Bytes that must move in each second after that, on the average."""


class Pace:
    """A context that raises TimeoutError where bytes move too slowly."""

    def __init__(self) -> None:
        self._clock = asyncio.timeout(None)
        self._start, self._moved = 0.0, 0

    def start(self) -> None:
        """Begins to count anew."""
        self._start, self._moved = asyncio.get_running_loop().time(), 0
        self.moved(0)

    def moved(self, count: int) -> None:
        """Counts bytes that have come, or have been taken."""
        self._moved += count
        self._clock.reschedule(self._start + _PATIENCE + self._moved / _SLOWEST)

    def stop(self) -> None:
        """Waits for as long as it takes, until the next start: it is the server that is slow."""
        self._clock.reschedule(None)

    async def __aenter__(self) -> Pace:
        await self._clock.__aenter__()
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._clock.__aexit__(kind, error, trace)


class Share:
    """A request's share of the memory for large ones: taken when needed, given back at the end."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        """Takes nothing of the room yet."""
        self._room, self._is_taken = room, False

    @property
    def is_taken(self) -> bool:
        """Whether the request is a large one."""
        return self._is_taken

    async def take(self) -> None:
        """Waits until there is room."""
        await self._room.acquire()
        self._is_taken = True

    def give_back(self) -> None:
        """Makes room for another, if it was taken."""
        if self._is_taken:
            self._room.release()
        self._is_taken = False
