"""How slow a client may be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from onnx_acts.serving.http import pace
from onnx_acts.serving.http.pace import Pace, Room, Share

PATIENCE = 0.2


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without much patience, least of all while others wait; a byte buys a second."""
    monkeypatch.setattr(pace, "_PATIENCE", PATIENCE)
    monkeypatch.setattr(pace, "_SLOWEST", 1)
    monkeypatch.setattr(pace, "_PATIENCE_WITH_OTHERS", 0.0)


def run(scene: Callable[[Room], Awaitable[None]]) -> None:
    """Runs a scene with a room for one."""

    async def limited() -> None:
        try:
            async with asyncio.timeout(20) as limit:
                await scene(Room(1))
        finally:
            assert not limit.expired()

    asyncio.run(limited())


def test_what_has_moved_buys_no_long_rest() -> None:
    """A client that has sent a gigabyte may not stand still for hours."""

    async def scene(room: Room) -> None:
        async with Pace(Share(room)) as moving:
            moving.moved(10**9)
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError):
        run(scene)


def test_moving_buys_time() -> None:
    """A client that goes on moving may take long."""

    async def scene(room: Room) -> None:
        async with Pace(Share(room)) as moving:
            for _ in range(8):
                await asyncio.sleep(PATIENCE / 4)
                moving.moved(1)

    run(scene)


def test_the_server_may_take_long() -> None:
    """While a pace is stopped nobody counts, whoever wants the share."""

    async def scene(room: Room) -> None:
        share = Share(room)
        await share.take()
        async with Pace(share) as stopped:
            stopped.stop()
            taking = asyncio.create_task(Share(room).take())
            await asyncio.sleep(2 * PATIENCE)
            share.hurry()
            await asyncio.sleep(PATIENCE)
        share.give_back()
        await taking

    run(scene)


def test_who_wants_a_share_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has one and stands still loses it as soon as another waits, and not before; a client
    without one, or whose request is being computed, loses nothing.
    """
    monkeypatch.setattr(pace, "_PATIENCE", 1000.0)

    async def scene(room: Room) -> None:
        slow, computed, small = Share(room), Share(room), Share(room)
        async with Pace(small) as small_pace:
            await slow.take()
            taking = asyncio.create_task(computed.take())
            with pytest.raises(TimeoutError):
                await stand_still(slow)
            slow.give_back()
            await taking
            taking = asyncio.create_task(slow.take())
            await asyncio.sleep(PATIENCE)
            small_pace.moved(1)
            await asyncio.sleep(PATIENCE)
            assert computed.is_taken
            assert not taking.done()
            computed.give_back()
            await taking
            assert not room.is_wanted

    run(scene)


def test_told_twice() -> None:
    """Whoever is being sent away already may be told again before it has noticed."""

    async def scene(room: Room) -> None:
        slow = Share(room)
        await slow.take()
        taking = asyncio.create_task(Share(room).take())
        told = []

        async def tell_until_it_goes() -> None:
            while slow.is_taken:
                slow.hurry()
                told.append(slow.pace is not None)
                await asyncio.sleep(0)

        telling = asyncio.create_task(tell_until_it_goes())
        with pytest.raises(TimeoutError):
            await stand_still(slow)
        slow.give_back()
        await telling
        await taking
        assert any(told)

    run(scene)


async def stand_still(share: Share) -> None:
    """A client that does nothing."""
    async with Pace(share):
        await asyncio.sleep(1000)
