"""The watch-list as any producer may write it: a running replica follows, and nobody else is disturbed."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.watch import WatchRecord
from connector.simulator import Config, Simulator
from tests.support.orders import WALLET, order_data
from tests.support.replica import complete, replica, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from connector.local.broker import LocalKafka
    from tests.support.replica import Topics

OTHER = "0x" + "b2" * 20
THIRD = "0x" + "c3" * 20


def orders(wallet: str, numbers: range, **changes: Any) -> list[dict[str, Any]]:
    """Return orders of a wallet, told apart by their shares; of now unless a timestamp is given."""
    made = [
        order_data(user=wallet, shares=1_000_000 + n, shares_normalized=None, log_index=n, **changes) for n in numbers
    ]
    for row in made:
        if "timestamp" not in changes:
            del row["timestamp"]
    return made


class List:
    """A producer on the watch-list."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def add(self, wallet: str, **fields: Any) -> None:
        """Write a wallet's record."""
        value = encode(WatchRecord(wallet=wallet, **fields))
        await self._producer.send_and_wait(self._topic, value, wallet_key(wallet))

    async def remove(self, wallet: str) -> None:
        """Write its tombstone."""
        await self._producer.send_and_wait(self._topic, None, wallet_key(wallet))

    async def write(self, key: bytes, value: bytes) -> None:
        """Write anything."""
        await self._producer.send_and_wait(self._topic, value, key)


@asynccontextmanager
async def listed(kafka: LocalKafka, prefix: str, **changes: Any) -> AsyncIterator[tuple[List, Simulator]]:
    """Run a replica that watches one wallet of its settings; the list is empty."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        async with Simulator(Config()) as simulator, replica(kafka, prefix, simulator, wallets=WALLET, **changes):
            await told(kafka, prefix, lambda now: live(now, WALLET) and not now.open)
            yield List(producer, f"{prefix}watchlist.v1"), simulator
    finally:
        await producer.stop()


async def told(kafka: LocalKafka, prefix: str, enough: Callable[[Topics], object]) -> Topics:
    """Return the topics once they say enough."""
    found = await settled(kafka, prefix, enough)
    assert enough(found)
    return found


def live(found: Topics, wallet: str) -> bool:
    """Return whether a wallet is live by its checkpoint."""
    checkpoint = found.coverage.get(wallet)
    return checkpoint is not None and checkpoint.standing == "live"


async def test_a_removed_wallet_is_left_alone(kafka: LocalKafka, topic_prefix: str) -> None:
    """Its tombstone ends subscription and checkpoint; the other wallet keeps its connection and has no new gap."""
    async with listed(kafka, topic_prefix) as (watch_list, simulator):
        await watch_list.add(OTHER)
        await told(kafka, topic_prefix, lambda now: live(now, OTHER) and not now.open)
        await simulator.execute(orders(OTHER, range(3)))
        await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER])
        await watch_list.remove(OTHER)
        await told(kafka, topic_prefix, lambda now: now.coverage.get(OTHER, 0) is None)
        await simulator.execute(orders(OTHER, range(10, 13)) + orders(WALLET, range(3)))
        found = await told(kafka, topic_prefix, lambda now: len(now.counts) >= 6)
        assert Counter(order.user for order in found.orders) == {WALLET: 3, OTHER: 3}
        assert [reports[-1].wallet for reports in found.gaps.values()].count(WALLET) == 1
        assert simulator.connections == [1]


async def test_one_that_is_removed_and_added_again_is_live_again(kafka: LocalKafka, topic_prefix: str) -> None:
    """However quickly: the last word counts."""
    async with listed(kafka, topic_prefix) as (watch_list, simulator):
        await watch_list.add(OTHER)
        await told(kafka, topic_prefix, lambda now: live(now, OTHER))
        await watch_list.remove(OTHER)
        await watch_list.add(OTHER)
        await asyncio.sleep(1)
        await told(kafka, topic_prefix, lambda now: live(now, OTHER) and not now.open)
        await simulator.execute(orders(OTHER, range(3)))
        await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER])


async def test_since_fetches_what_was_before(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    From `since` on, and nothing older.

        1000 s ago: not wanted     since: 500 s ago     100 s ago: fetched     added
    """
    async with listed(kafka, topic_prefix) as (watch_list, simulator):
        now = (await simulator.execute(orders(WALLET, range(1))))[0].timestamp
        await simulator.execute(orders(OTHER, range(10, 12), timestamp=now - 1000))
        await simulator.execute(orders(OTHER, range(20, 23), timestamp=now - 100))
        await watch_list.add(OTHER, since=now - 500)
        found = await told(kafka, topic_prefix, lambda each: len(each.counts) >= 4 and not each.open)
        assert len(found.counts) == 4
        assert {order.timestamp for order in found.orders if order.user == OTHER} == {now - 100}


async def test_an_order_carries_its_wallets_label(kafka: LocalKafka, topic_prefix: str) -> None:
    """Fetched or delivered, as the list calls the wallet at that time."""
    async with listed(kafka, topic_prefix) as (watch_list, simulator):
        now = (await simulator.execute(orders(WALLET, range(1))))[0].timestamp
        await simulator.execute(orders(OTHER, range(10, 11), timestamp=now - 100))
        await watch_list.add(OTHER, since=now - 500, label="whale")
        await told(kafka, topic_prefix, lambda each: len(each.counts) >= 2 and live(each, OTHER) and not each.open)
        await simulator.execute(orders(OTHER, range(20, 21)))
        found = await told(kafka, topic_prefix, lambda each: len(each.counts) >= 3)
        labels = Counter((order.user, found.labels[order.event_id]) for order in found.orders)
        assert labels == {(WALLET, None): 1, (OTHER, "whale"): 2}


async def test_a_record_that_cannot_be_read_changes_nothing(kafka: LocalKafka, topic_prefix: str) -> None:
    """A wrong key, a wrong value: the next record is followed all the same."""
    async with listed(kafka, topic_prefix) as (watch_list, simulator):
        await watch_list.write(b"vitalik.eth", b"{}")
        await watch_list.write(wallet_key(THIRD), b'{"schema":9}')
        await watch_list.add(OTHER)
        found = await told(kafka, topic_prefix, lambda now: live(now, OTHER))
        assert set(found.coverage) == {WALLET, OTHER}
        assert simulator.connections == [1]


async def test_what_finds_no_room_gets_it_when_another_leaves(kafka: LocalKafka, topic_prefix: str) -> None:
    """Named as `no-room` until then."""
    async with listed(kafka, topic_prefix, max_subscriptions=1, max_wallets_each=2) as (watch_list, simulator):
        await watch_list.add(OTHER)
        await told(kafka, topic_prefix, lambda now: live(now, OTHER))
        await watch_list.add(THIRD)
        found = await told(kafka, topic_prefix, lambda now: THIRD in now.coverage)
        checkpoint = found.coverage[THIRD]
        assert checkpoint is not None
        assert checkpoint.standing == "no-room"
        await watch_list.remove(OTHER)
        await told(kafka, topic_prefix, lambda now: live(now, THIRD))
        await simulator.execute(orders(THIRD, range(3)))
        await told(kafka, topic_prefix, lambda now: len(now.counts) == 3)
