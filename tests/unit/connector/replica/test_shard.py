"""What a shard knows of the offsets of its partition, against the log itself."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from connector.replica.shard import Shard


@given(st.lists(st.booleans(), max_size=30), st.data())
def test_it_notices_whatever_somebody_else_publishes(ours: list[bool], data: st.DataObject) -> None:
    """
    Records of ours are acknowledged in order; others' lie between them.

        offset   0  1  2  3  4
        ours     x  x     x  x      at 3 a foreign record is noticed; once read up to 3, all is known up to 5
    """
    shard = Shard(0, frozenset())
    for offset, own in enumerate(ours):
        if not own:
            continue
        alone = shard.acknowledged(offset)
        assert alone == all(ours[:offset][shard.end :]) if shard.ahead else alone
        assert shard.end == offset + 1 if alone else offset in shard.ahead
        if not alone and data.draw(st.booleans(), label="read"):
            shard.reach(max(shard.ahead))
            assert (shard.end, shard.ahead) == (offset + 1, set())
    known = [offset for offset in range(len(ours)) if offset < shard.end or offset in shard.ahead]
    assert all(offset in known for offset, own in enumerate(ours) if own)
    shard.reach(len(ours))
    assert (shard.end, shard.ahead) == (len(ours), set())


async def test_a_hand_over_waits_for_what_is_being_decided_on() -> None:
    """Nested decisions of two sockets included."""
    shard = Shard(0, frozenset())
    with shard.deciding():
        with shard.deciding():
            waiting = asyncio.create_task(shard.decided())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    async with asyncio.timeout(1):
        await waiting


def test_static_wallets_are_watched_whatever_the_list_says() -> None:
    """The settings' wallets and those of the list are one set."""
    shard = Shard(0, frozenset({"a"}))
    assert shard.watches("a")
    assert not shard.watches("b")
    assert shard.wallets == {"a"}
    assert shard.since_ms("a") is None
