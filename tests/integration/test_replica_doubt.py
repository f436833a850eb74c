"""What one socket cannot tell: twins without an index, orders older than the memory, and two sockets at a time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.watch import WatchRecord
from connector.simulator import Config, Fault, Simulator, Switches
from tests.support.orders import WALLET, order_data
from tests.support.replica import KEY, Topics, complete, executed, replica, settled, topics, until
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka

NO_INDEXES = Config(switches=Switches(socket_indexes=False))
MIRROR = f"{KEY}-mirror"


def fills(count: int, **changes: Any) -> list[dict[str, Any]]:
    """Return equal fills of one transaction, of now; REST tells them apart by `log_index`."""
    made = [order_data(log_index=n + 1, block_number=70_000_000, **changes) for n in range(count)]
    if "timestamp" not in changes:
        for row in made:
            del row["timestamp"]
    return made


@asynccontextmanager
async def watching(kafka: LocalKafka, prefix: str, simulator: Simulator, **changes: Any) -> AsyncIterator[None]:
    """Watch a wallet; go on when it is live and the gap of the beginning has ended."""
    async with replica(kafka, prefix, simulator, wallets=WALLET, **changes):
        found = await settled(kafka, prefix, lambda now: now.ended("added") and live(now))
        assert live(found)
        yield


def live(found: Topics) -> bool:
    """Return whether the wallet is live by its checkpoint."""
    return [checkpoint.standing for checkpoint in found.checkpoints] == ["live"]


async def connected(simulator: Simulator, count: int) -> None:
    """Wait for so many connections with a subscription."""
    await until(lambda: simulator.stats()["subscriptions"] == count)


async def test_a_twin_is_published_when_rest_has_counted_it(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    The second equal frame is not published by itself; REST, which lists two, makes it an order.

    socket  1  1        REST  silent ... then 1 1
    topic   1                                   1
    """
    async with Simulator(NO_INDEXES) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="rest_status", status=503, times=None))
        await simulator.execute(fills(2))
        await asyncio.sleep(1.5)
        assert len((await topics(kafka, topic_prefix)).orders) == 1
        simulator.clear_faults()
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET], cause="twin")
    assert len(found.orders) == 2
    assert [report.recovered for report in found.ended("twin")] == [1]


async def test_a_frame_sent_twice_is_one_order(kafka: LocalKafka, topic_prefix: str) -> None:
    """The same two frames, but REST lists one: the gap closes with nothing recovered."""
    async with Simulator(NO_INDEXES) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="duplicate"))
        await simulator.execute(fills(1))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET], cause="twin")
    assert [report.recovered for report in found.ended("twin")] == [0]
    assert len(found.orders) == 1


async def test_an_order_older_than_the_memory_is_settled_by_rest(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    Orders dated an hour ago, one published by a former life: the topic is read back so far, then REST asked.

    life 1: watches since two hours ago, order A      life 2, with a memory of minutes: order B, twice; REST lists both
    """
    now_s = time.time_ns() // 1_000_000_000
    old = {"timestamp": now_s - 3_600, "shares_normalized": None}
    await prepare(kafka.bootstrap, topic_prefix, 4)
    await list_since(kafka, topic_prefix, now_s - 7_200)
    async with Simulator(Config()) as simulator:
        async with replica(kafka, topic_prefix, simulator):
            await settled(kafka, topic_prefix, lambda now: live(now) and not now.open)
            await simulator.execute(fills(1, shares=1, **old))
            first = await complete(kafka, topic_prefix, simulator.book, [WALLET])
            assert causes(first) == {"added"}
        async with replica(kafka, topic_prefix, simulator, replica_name="b"):
            await settled(kafka, topic_prefix, lambda now: live(now) and now.ended("start"))
            simulator.inject(Fault(kind="duplicate"))
            await simulator.execute(fills(1, shares=2, **old))
            found = await complete(kafka, topic_prefix, simulator.book, [WALLET], cause="old-order")
    assert [report.recovered for report in found.ended("old-order")] == [1]
    assert [report.duplicates for report in found.ended("old-order")] == [2]


def causes(found: Topics) -> set[str]:
    """Return why gaps were opened."""
    return {str(reports[-1].cause) for reports in found.gaps.values()}


async def list_since(kafka: LocalKafka, prefix: str, since: int) -> None:
    """Write the wallet to the watch-list."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    record = encode(WatchRecord(wallet=WALLET, since=since))
    await producer.send_and_wait(f"{prefix}watchlist.v1", record, wallet_key(WALLET))
    await producer.stop()


async def test_of_two_sockets_the_first_wins_and_one_may_go(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    Every order comes twice and is published once; while one of them delivers there is no gap.

    primary  ---------- cut  ...  live --------- cut
    mirror   ------------------------------ cut
    gap                                         |---|
    """
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, mirror_api_key=MIRROR, backoff_base=0.5, backoff_cap=0.6),
    ):
        await connected(simulator, 2)
        await simulator.execute(fills(1, shares=1, shares_normalized=None))
        for key in (KEY, MIRROR):
            simulator.inject(Fault(kind="refuse", key=key, times=1))
            simulator.inject(Fault(kind="drop", key=key))
            await until(lambda: simulator.stats()["subscriptions"] == 1)
            await simulator.execute(fills(1, shares=2 if key == KEY else 3, shares_normalized=None))
            await connected(simulator, 2)
            # An order on both: what a socket has not brought since the other came back, it has not proven.
            await simulator.execute(fills(1, shares=5 if key == KEY else 6, shares_normalized=None))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET])
        assert set(found.gaps) == {report.gap_id for report in found.ended("added")}
        simulator.inject(Fault(kind="refuse", times=2))
        simulator.inject(Fault(kind="drop", key=KEY))
        simulator.inject(Fault(kind="drop", key=MIRROR))
        await until(lambda: simulator.stats()["subscriptions"] == 0)
        await simulator.execute(fills(1, shares=4, shares_normalized=None))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET], cause="disconnect")
    assert [report.recovered for report in found.ended("disconnect")] == [1]
    assert len(found.orders) == 6


async def test_a_mirror_that_is_turned_away_leaves_the_primary_alone(kafka: LocalKafka, topic_prefix: str) -> None:
    """A wrong key for the second socket costs the second socket, and nothing else."""
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, mirror_api_key="bad-key"),
    ):
        await simulator.execute(fills(1))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET])
    assert len(found.orders) == 1


async def test_what_the_memory_forgot_would_be_double(kafka: LocalKafka, topic_prefix: str) -> None:
    """The proof that these tests can fail: without dedupe, two sockets publish twice."""
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, mirror_api_key=MIRROR, dedupe="off"),
    ):
        await connected(simulator, 2)
        await simulator.execute(fills(1))
        found = await settled(kafka, topic_prefix, lambda now: len(now.orders) == 2, seconds=5)
    assert found.double == executed(simulator.book, [WALLET])


@pytest.mark.parametrize("dialect", ["dome", "predexon"])
async def test_both_dialects_are_repaired_alike(kafka: LocalKafka, topic_prefix: str, dialect: Any) -> None:
    """A disconnect, twins and a broken frame, as each provider puts them."""
    config = Config(dialect=dialect, market=3, rate=100.0, burst=10, wallets=1, twins=0.3, paused=True)
    async with Simulator(config) as simulator:
        wallet = simulator.wallets[0]
        changes = {
            "wallets": wallet,
            "provider": dialect if dialect == "predexon" else "simulator",
            "rest_url": simulator.rest_url,
        }
        async with replica(kafka, topic_prefix, simulator, **changes):
            await settled(kafka, topic_prefix, lambda now: now.ended("added") and live(now))
            simulator.inject(Fault(kind="garble", probability=0.1, times=None))
            simulator.inject(Fault(kind="drop", every=0.5, times=3))
            simulator.play()
            await until(lambda: simulator.stats()["faults"].get("drop") == 3)
            simulator.pause()
            await simulator.settled()
            found = await complete(kafka, topic_prefix, simulator.book, [wallet])
    assert len(found.orders) > 50
