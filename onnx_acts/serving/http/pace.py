"""What a client may hold: a server's time and memory."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Pace", "Room", "Share"]

_PATIENCE = 20.0
"""Seconds that a client may stand still, and that a body may take, however short it is."""

_SLOWEST = 64 * 1024
"""Bytes that must move in each second after that."""

_PATIENCE_WITH_OTHERS = 10.0
"""The same seconds for clients with a share of the memory, while others wait for one."""

_SLOWEST_WITH_OTHERS = 2**20
"""The same bytes."""


class Room:
    """The memory for large requests, in equal shares.

    Who has one keeps it while the client sends and reads. So that a few slow clients do not keep
    all others from being served, they must be faster while somebody waits.
    """

    def __init__(self, shares: int) -> None:
        self._free = asyncio.Semaphore(shares)
        self._taken: set[Share] = set()
        self._waiting = 0

    @property
    def is_taken(self) -> bool:
        """Whether a request has a share."""
        return bool(self._taken)

    @property
    def is_wanted(self) -> bool:
        """Whether a request waits for a share."""
        return self._waiting > 0

    async def take(self, share: Share) -> None:
        """Waits until there is a share; those who have one must hurry meanwhile."""
        self._waiting += 1
        try:
            if self._free.locked():
                for taken in self._taken:
                    taken.hurry()
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self._taken.add(share)

    def give_back(self, share: Share) -> None:
        """Makes room for another."""
        self._taken.remove(share)
        self._free.release()


class Share:
    """A request's share of the memory for large ones: taken when needed, given back at the end."""

    def __init__(self, room: Room) -> None:
        """Takes nothing of the room yet."""
        self._room, self._is_taken = room, False
        self.pace: Pace | None = None
        """How the client moves, while it sends or reads."""

    @property
    def is_taken(self) -> bool:
        """Whether the request is a large one."""
        return self._is_taken

    @property
    def is_wanted(self) -> bool:
        """Whether it has something that others wait for."""
        return self._is_taken and self._room.is_wanted

    async def take(self) -> None:
        """Waits until there is room."""
        await self._room.take(self)
        self._is_taken = True

    def give_back(self) -> None:
        """Makes room for another, if it was taken."""
        if self._is_taken:
            self._room.give_back(self)
        self._is_taken = False

    def hurry(self) -> None:
        """Others wait: the client has less time from now on."""
        if self.pace is not None:
            self.pace.moved(0)


class Pace:
    """A context that raises TimeoutError where a client's bytes move too slowly.

    What moves buys time, but never more than for standing still once: else who has been fast could
    stand still for hours.
    """

    def __init__(self, share: Share) -> None:
        """Of the client whose request has that share."""
        self._clock, self._share = asyncio.timeout(None), share
        self._end = 0.0

    def start(self) -> None:
        """Begins to count anew."""
        self._share.pace = self
        self._end = float("inf")
        self.moved(0)

    def moved(self, count: int) -> None:
        """Counts bytes that have come, or have been taken."""
        patience, slowest = _PATIENCE, _SLOWEST
        if self._share.is_wanted:
            patience, slowest = _PATIENCE_WITH_OTHERS, _SLOWEST_WITH_OTHERS
        latest = asyncio.get_running_loop().time() + patience
        self._end = min(self._end + count / slowest, latest)
        if not self._clock.expired():  # it may have been, and who moves it be another's request
            self._clock.reschedule(self._end)

    def stop(self) -> None:
        """Waits for as long as it takes, until the next start: it is the server that is slow."""
        self._share.pace = None
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
        self._share.pace = None
        await self._clock.__aexit__(kind, error, trace)
