from __future__ import annotations

import asyncio

from streams.board.viewer import MOST_FRAMES, Viewer


async def test_who_comes_gets_a_snapshot_and_then_frames() -> None:
    """What was offered before the snapshot is in the snapshot."""
    viewer = Viewer()
    viewer.offer(b"before")
    assert await viewer.next() is None
    viewer.offer(b"1")
    viewer.offer(b"2")
    assert [await viewer.next(), await viewer.next()] == [b"1", b"2"]


async def test_who_is_slow_gets_a_snapshot_instead_of_a_backlog() -> None:
    """And then goes on with frames."""
    viewer = Viewer()
    await viewer.next()
    for number in range(10_000):
        viewer.offer(b"%d" % number)
        assert len(viewer._frames) <= MOST_FRAMES
    assert await viewer.next() is None
    viewer.offer(b"after")
    assert await viewer.next() == b"after"


async def test_who_has_everything_waits() -> None:
    """Until something is offered."""
    viewer = Viewer()
    await viewer.next()
    waiting = asyncio.ensure_future(viewer.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    viewer.offer(b"news")
    assert await waiting == b"news"
