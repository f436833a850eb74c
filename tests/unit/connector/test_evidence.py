"""Evidence in virtual time: what a read or a pong proves depends on whether anything could wait behind it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from connector.evidence import Evidence

pytestmark = pytest.mark.looptime


class Reader:
    """A reader of a queue, as the feed is: each frame takes as many seconds as it says."""

    def __init__(self) -> None:
        self.proofs: list[tuple[float, int]] = []
        self.handed = 0
        self.queue: asyncio.Queue[float] = asyncio.Queue()
        self.clock = asyncio.get_running_loop().time
        self.evidence = Evidence(lambda at: self.proofs.append((round(at, 3), self.handed)))

    async def run(self) -> None:
        """Read for ever."""
        self.evidence.opened(self.clock())
        while True:
            self.evidence.waiting()
            seconds = await self.queue.get()
            self.evidence.read(self.clock())
            await asyncio.sleep(seconds)
            self.handed += 1


async def started() -> tuple[Reader, asyncio.Task[None]]:
    """Return a reader at work."""
    reader = Reader()
    task = asyncio.create_task(reader.run())
    await asyncio.sleep(1.0)
    return reader, task


async def test_an_empty_connection_proves_its_beginning() -> None:
    """Nothing came before it was made; that nothing comes afterwards proves nothing, it may be half open."""
    reader, task = await started()
    assert reader.proofs == [(0.0, 0)]
    task.cancel()


async def test_a_frame_proves_its_arrival_once_it_is_handed_over() -> None:
    """
    It arrives at 1 and takes 2 s.

    1       3
    read    handed over: up to 1
    """
    reader, task = await started()
    reader.queue.put_nowait(2.0)
    await asyncio.sleep(1.9)
    assert reader.proofs[1:] == []
    await asyncio.sleep(0.2)
    assert reader.proofs[1:] == [(1.0, 1)]
    task.cancel()


async def test_frames_that_waited_have_no_time_of_arrival() -> None:
    """
    A second frame arrives somewhen while the first is being handed over, from 1 to 3.

    1        2          3           4
    1 read   2 arrives  2 is read   handed over: up to 1 only
    """
    reader, task = await started()
    reader.queue.put_nowait(2.0)
    await asyncio.sleep(1.0)
    reader.queue.put_nowait(1.0)
    await asyncio.sleep(2.1)
    assert reader.proofs[1:] == [(1.0, 2)]
    task.cancel()


async def test_a_pong_proves_its_arrival_if_nothing_waits() -> None:
    """At 1 nothing waits; at 2.5 a frame is being handed over, and more may wait behind it."""
    reader, task = await started()
    reader.evidence.pong(1.0)
    await asyncio.sleep(1.0)
    assert reader.proofs[1:] == [(1.0, 0)]
    reader.queue.put_nowait(2.0)
    await asyncio.sleep(0.5)
    reader.evidence.pong(2.5)
    await asyncio.sleep(3.0)
    assert reader.proofs[2:] == [(2.0, 1)]
    task.cancel()


async def test_a_frame_on_its_way_to_the_reader_spoils_the_proof_of_a_pong() -> None:
    """Frame and pong were in one packet: the frame is to be handed over first."""
    reader, task = await started()
    reader.queue.put_nowait(2.0)
    reader.evidence.pong(1.0)
    await asyncio.sleep(1.9)
    assert reader.proofs[1:] == []
    await asyncio.sleep(1.0)
    assert reader.proofs[1:] == [(1.0, 1)]
    task.cancel()


async def test_an_ended_connection_proves_nothing_more() -> None:
    """A pong that comes late belongs to a connection that is gone."""
    reader, task = await started()
    task.cancel()
    reader.evidence.ended()
    reader.evidence.pong(1.0)
    await asyncio.sleep(1.0)
    assert reader.proofs == [(0.0, 0)]
    assert reader.evidence.proven_at == 0.0


@pytest.mark.looptime(False)  # noqa: FBT003 - the operating system is real
async def test_what_waits_in_the_operating_system_spoils_the_proof_of_a_pong() -> None:
    """A byte has arrived, but the event loop has not looked yet when the pong is noticed."""
    ours, theirs = socket.socketpair()
    stream, writer = await asyncio.open_connection(sock=ours)
    loop = asyncio.get_running_loop()
    proofs: list[tuple[float, int]] = []
    handed: list[bytes] = []
    evidence = Evidence(lambda at: proofs.append((at, len(handed))))

    async def read() -> None:
        evidence.opened(loop.time())
        while True:
            evidence.waiting()
            byte = await stream.read(1)
            evidence.read(loop.time())
            await asyncio.sleep(0.02)
            handed.append(byte)

    task = asyncio.create_task(read())
    await asyncio.sleep(0.15)
    theirs.send(b"x")
    evidence.pong(loop.time())
    await asyncio.sleep(0.1)
    assert [number for _, number in proofs] == [0, 1]
    task.cancel()
    writer.close()
    theirs.close()
