"""
The connector against a simulator in trouble and a Kafka that comes and goes: every executed order, published once.

The simulator's book is the truth: what it executed has to be in the topic, whether or not it reached a socket.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from connector.contract.record import decode_dead
from connector.kafka.reader import read_all
from connector.simulator import Config, Fault, Simulator
from tests.support.orders import WALLET, order_data
from tests.support.replica import complete, replica, settled, until

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka


async def started(kafka: LocalKafka, prefix: str, simulator: Simulator) -> None:
    """Wait until every wallet is live by its checkpoint, so that whatever is executed from now on is owed."""
    live = ["live"] * len(simulator.wallets)
    found = await settled(kafka, prefix, lambda now: [each.standing for each in now.checkpoints] == live)
    assert len(found.checkpoints) == len(live)


async def trouble(simulator: Simulator, drops: int) -> None:
    """Cut the connection `drops` times, abruptly and in good form, amid duplicates and broken frames."""
    before = simulator.stats()["faults"].get("drop", 0)
    simulator.inject(Fault(kind="drop", every=0.4, times=drops // 2))
    simulator.inject(Fault(kind="drop", every=0.5, at=0.1, times=drops - drops // 2, code=1001))
    simulator.inject(Fault(kind="duplicate", times=None, probability=0.3, seed=1))
    simulator.inject(Fault(kind="garble", times=None, probability=0.05, seed=2))
    simulator.inject(Fault(kind="truncate", times=None, probability=0.05, seed=3))
    simulator.inject(Fault(kind="reorder", times=None, probability=0.05, seed=4))
    await until(lambda: simulator.stats()["faults"].get("drop", 0) == before + drops)
    simulator.clear_faults()
    await until(lambda: simulator.stats()["subscriptions"])


async def test_every_executed_order_is_in_the_topic_once(mortal_kafka: LocalKafka, topic_prefix: str) -> None:
    """20 disconnects, duplicates, broken frames, a lost ack and a broker restart: nothing missing, nothing double."""
    async with Simulator(Config(market=7, rate=200.0, burst=20, wallets=60, paused=True)) as simulator:
        simulator.inject(Fault(kind="lose_ack"))
        wallets = ",".join(simulator.wallets)
        async with replica(mortal_kafka, topic_prefix, simulator, wallets=wallets, queue_size=300):
            await started(mortal_kafka, topic_prefix, simulator)
            simulator.play()
            await trouble(simulator, drops=10)
            await asyncio.gather(mortal_kafka.restart(), asyncio.sleep(2.0))
            await trouble(simulator, drops=10)
            simulator.pause()
            await simulator.settled()
            found = await complete(mortal_kafka, topic_prefix, simulator.book, simulator.wallets)
        struck = simulator.stats()["faults"]
        broken = sum(1 for delivery in simulator.book.deliveries if delivery.fault in {"garble", "truncate"})
    assert len(found.orders) > 1_000
    assert struck["drop"] == 20
    assert struck["lose_ack"] == 1
    assert struck["duplicate"] > 20
    letters = [decode_dead(r.value) for r in await read_all(mortal_kafka.bootstrap, f"{topic_prefix}orders-dead.v1")]
    assert {letter.reason for letter in letters} == {"bad-json"}
    assert 0 < len(letters) <= broken


async def test_without_dedupe_the_same_comparison_fails(kafka: LocalKafka, topic_prefix: str) -> None:
    """The proof that the test above can fail: repeated deliveries are found double in the topic."""
    async with Simulator(Config()) as simulator:
        simulator.wallets.append(WALLET)
        async with replica(kafka, topic_prefix, simulator, wallets=WALLET, dedupe="off"):
            await started(kafka, topic_prefix, simulator)
            simulator.inject(Fault(kind="duplicate", times=20))
            await simulator.execute(map(order, range(1, 51)))
            with pytest.raises(AssertionError, match="double"):
                await complete(kafka, topic_prefix, simulator.book, [WALLET])


def order(number: int) -> dict[str, Any]:
    """Return an order of now."""
    row = order_data(log_index=number, shares=number, shares_normalized=None)
    del row["timestamp"]
    return row
