from __future__ import annotations

import asyncio

import pytest

from connector.commands import Drop, Ping, Send
from connector.outbox import Outbox
from connector.websocket import Disconnected

pytestmark = pytest.mark.looptime


class SlowSocket:
    """Takes a second for each frame; the third one is too much for it."""

    date: str | None = None

    def __init__(self) -> None:
        self.log: list[str] = []

    async def recv(self) -> bytes:
        """Nothing comes."""
        raise NotImplementedError

    async def send(self, frame: str) -> None:
        """Note the beginning and the end."""
        self.log.append(frame)
        await asyncio.sleep(1.0)
        if frame == "c":
            raise Disconnected("gone")
        self.log.append(f"{frame} sent")

    async def ping(self) -> asyncio.Future[float]:
        """Answer at once."""
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        pong.set_result(0.0)
        return pong

    async def close(self) -> None:
        """Note it."""
        self.log.append("closed")


async def test_what_is_said_keeps_its_order_whoever_says_it() -> None:
    """Reader and watchman come at the same time: acks are told apart by the order of requests."""
    socket, pongs = SlowSocket(), list[None]()
    outbox = Outbox(lambda: pongs.append(None))
    async with asyncio.TaskGroup() as tasks:
        for command in (Send("a"), Send("b"), Ping(), Drop("enough")):
            outbox.add(command)
            tasks.create_task(outbox.flush(socket, tasks))
            await asyncio.sleep(0.1)
    assert socket.log == ["a", "a sent", "b", "b sent", "closed"]
    assert (outbox.dropped, len(pongs), len(outbox)) == ("enough", 1, 0)


async def test_a_connection_that_is_gone_is_the_readers_to_notice() -> None:
    """Saying something to it is no error here, nor does it keep the rest from being tried."""
    socket, outbox = SlowSocket(), Outbox(lambda: None)
    async with asyncio.TaskGroup() as tasks:
        outbox.add(Send("c"))
        outbox.add(Send("d"))
        await outbox.flush(socket, tasks)
    assert socket.log == ["c", "d", "d sent"]


async def test_a_new_connection_begins_with_nothing_to_say() -> None:
    """What an earlier one did not come to say does not concern it."""
    outbox = Outbox(lambda: None)
    outbox.add(Drop("old"))
    outbox.clear()
    assert len(outbox) == 0
