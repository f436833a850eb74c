"""May an order be sent: only while its partition is ours for sure, known, and nobody else sent it."""

from __future__ import annotations

import asyncio

import pytest

from connector.contract.topics import ORDERS
from connector.intake import Outgoing
from connector.replica.lease import Lease
from connector.replica.permits import Permits
from connector.replica.shard import Shard

pytestmark = pytest.mark.looptime
ORDER = Outgoing(ORDERS, b"w", b"{}", None, partition=3, event_id="e-0")


class Setting:
    """One partition that is ours until 8 s from now."""

    def __init__(self) -> None:
        self.now = asyncio.get_running_loop().time
        self.shard = Shard(3, frozenset())
        self.shard.known = True
        self.shards = {3: self.shard}
        self.lease = Lease(10.0, 30.0)
        self.lease.renew(self.now())
        self.foreign: list[int] = []
        self.permits = Permits(self.shards, self.lease, lambda shard: self.foreign.append(shard.number))


async def test_nothing_is_sent_once_the_lease_has_expired() -> None:
    """
    Renewed at 0, of a session of 10.

        0 ── sent at once ── 8 waits ── 9 renewed, sent
    """
    setting = Setting()
    assert setting.permits.permitted(ORDER)
    await asyncio.sleep(8)
    assert not setting.permits.permitted(ORDER)
    waiting = asyncio.create_task(setting.permits.permit(ORDER))
    await asyncio.sleep(1)
    assert not waiting.done()
    setting.lease.renew(setting.now())
    assert await waiting


async def test_it_waits_until_the_partition_is_known() -> None:
    """What others may have published is read first."""
    setting = Setting()
    setting.shard.known = False
    waiting = asyncio.create_task(setting.permits.permit(ORDER))
    await asyncio.sleep(1)
    assert not waiting.done()
    setting.shard.known = True
    assert await waiting


async def test_what_somebody_else_published_is_not_sent_again() -> None:
    """We had decided on it, and then were not sure to own the partition."""
    setting = Setting()
    setting.lease.end()
    waiting = asyncio.create_task(setting.permits.permit(ORDER))
    await asyncio.sleep(1)
    setting.shard.foreign.add("e-0")
    setting.lease.renew(setting.now())
    assert not await waiting


@pytest.mark.parametrize("again", [False, True])
async def test_what_belongs_to_a_partition_that_went_away_is_not_sent(*, again: bool) -> None:
    """Even if it is ours again by then: it was taken over anew, and REST brings what is missing."""
    setting = Setting()
    setting.lease.end()
    waiting = asyncio.create_task(setting.permits.permit(ORDER))
    await asyncio.sleep(1)
    del setting.shards[3]
    if again:
        setting.shards[3] = Shard(3, frozenset())
        setting.shards[3].known = True
        setting.lease.renew(setting.now())
    assert not await waiting


async def test_an_order_of_no_partition_of_ours_is_refused() -> None:
    """Nor one whose partition nobody named."""
    setting = Setting()
    for partition in (4, None):
        order = Outgoing(ORDERS, b"w", b"{}", None, partition=partition, event_id="e-0")
        assert not setting.permits.permitted(order)
        assert not await setting.permits.permit(order)


async def test_a_hole_in_our_offsets_is_somebody_elses_order() -> None:
    """
    Ours are acknowledged at 0 and 2.

        offset 0 ours ── 1 somebody's ── 2 ours: noticed
    """
    setting = Setting()
    for offset in (0, 2):
        setting.permits.acknowledged(3, offset)
    assert setting.foreign == [3]


async def test_what_lands_while_we_read_is_ours_nevertheless() -> None:
    """
    An order was on its way when the group shared out anew, and is acknowledged while the partition is read.

        0 others' ── reading up to 1 begins ── 1 ours acknowledged ── read ── 2 ours: no hole
    """
    setting = Setting()
    setting.shard.known = False
    setting.permits.acknowledged(3, 1)
    assert setting.foreign == [], "what is there is being read anyway"
    setting.shard.reach(1)
    setting.shard.known = True
    setting.permits.acknowledged(3, 2)
    assert setting.foreign == []
    assert setting.shard.end == 3


async def test_late_news_of_a_partition_that_went_away_is_ignored() -> None:
    """An acknowledgement may come after it was lost."""
    setting = Setting()
    setting.permits.acknowledged(9, 5)
    assert setting.foreign == []
