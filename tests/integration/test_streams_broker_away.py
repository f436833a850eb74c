"""What has to end although the broker is away: a worker that is told to stop, and a producer that is dropped."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.settings import SHIPPED_RULES
from streams.shards.kafka import CLOSE_TIMEOUT_S, abandon_producer
from streams.shards.outputs import Outputs
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka


async def test_sigterm_ends_a_worker_whose_broker_is_away(
    mortal_kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its shards are in the middle of transactions that cannot end; releasing them takes a third of REBALANCE_TIMEOUT.

        broker   ---------- killed
        worker   folds ...... remember ... SIGTERM .. exit 0
    """
    monkeypatch.setenv("REBALANCE_TIMEOUT", "6")
    monkeypatch.setenv("REMEMBER_INTERVAL", "0.01")
    await prepare(mortal_kafka.bootstrap, "", PARTITIONS)
    run = StreamsRun(mortal_kafka.bootstrap, prefix="", rules=SHIPPED_RULES)
    async with run.worker("orphan") as worker:
        await feed(mortal_kafka.bootstrap, run.topics.orders, mixed_rows(800, seed=1), rate=400.0, seed=1)
        await mortal_kafka.kill()
        await asyncio.sleep(2)
        assert await worker.term(grace_s=15.0) == 0
        assert "Exception" not in worker.log.read_text()


async def test_a_dropped_producer_leaves_nothing_behind(mortal_kafka: LocalKafka) -> None:
    """Its tasks end at once, and whoever waits for it hears of it."""
    await prepare(mortal_kafka.bootstrap, "", PARTITIONS)
    before = asyncio.all_tasks()
    producer = AIOKafkaProducer(bootstrap_servers=mortal_kafka.bootstrap, transactional_id="dropped")
    await producer.start()
    await producer.begin_transaction()
    await mortal_kafka.kill()
    sent = await producer.send("wallet-state.v2", b"v", b"k", 0)
    unknown = asyncio.create_task(producer.send("wallet-stats.v2", b"v", b"k"))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    await abandon_producer(producer)
    for waiting in (sent, unknown):
        with pytest.raises(KafkaError):
            await asyncio.wait_for(waiting, 1.0)
    assert time.monotonic() - started < CLOSE_TIMEOUT_S
    assert asyncio.all_tasks() == before


async def test_who_stops_waiting_for_outputs_takes_them_from_nobody(kafka: LocalKafka) -> None:
    """Shards share receipts: a shard that is cancelled while it waits must not cancel the others' waiting."""
    outputs = Outputs({"bootstrap_servers": kafka.bootstrap})
    await outputs.start()
    receipt = asyncio.get_running_loop().create_future()
    one, two = (asyncio.create_task(outputs.acknowledged([receipt])) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    receipt.set_result(None)
    await two
    assert one.cancelled()
    await outputs.close()
