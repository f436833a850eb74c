"""One run: topics, events, a stock worker put through the fault schedule, its table read back."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from connector.contract.topics import DAY_MS, TopicSpec
from connector.kafka.admin import admin_client, ensure_topics
from tests.loss_stock.app import PARTITIONS, TABLE
from tests.loss_stock.verdict import Outcome, judge
from tests.support.workers import GroupProbe, WorkerProcess, run_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EVENTS = 12_000
WALLETS = 40
_PAUSES_S = (1.0, 3.0)
"""Least and most time from a worker's join to the next fault: it commits every 2.8 s."""
_PATIENCE_S = 40.0


class Place(NamedTuple):
    """Where runs happen."""

    kafka: str
    """Bootstrap servers, without delay."""
    slow_kafka: str
    """The same through the delay proxy: what the workers are given."""
    folder: Path
    """For logs."""


async def run(place: Place, number: int, *, faults: bool = True) -> Outcome:
    """Do one run; `number` seeds its pauses and names its topics. Without faults it shows that the counts are right."""
    began = time.perf_counter()
    app_id = f"stock-{number}"
    topic, changelog = f"{app_id}-orders", f"{app_id}-{TABLE}-changelog"
    await _create(place.kafka, topic, changelog)
    truth = await _produce(place.kafka, topic)
    workers = [_worker(place, app_id, topic, members) for members in (1, 2)]
    rng = Random(number)
    try:
        await workers[0].start()
        if faults:
            await asyncio.sleep(rng.uniform(*_PAUSES_S))
            await run_schedule(workers, lambda: asyncio.sleep(rng.uniform(*_PAUSES_S)))
        unfinished = await _until_committed(place.kafka, app_id, sum(truth.values()))
        await workers[0].term()
    finally:
        await asyncio.gather(*(worker.kill() for worker in workers if worker.running))
    counts = await _last_values(place.kafka, changelog)
    return judge(truth, counts, unfinished=unfinished, seconds=time.perf_counter() - began)


def _worker(place: Place, app_id: str, topic: str, members: int) -> WorkerProcess:
    return WorkerProcess(
        [sys.executable, "-m", "tests.loss_stock.app", "worker", "--without-web", "--loglevel", "warn"],
        {"KAFKA": place.slow_kafka, "APP_ID": app_id, "TOPIC": topic},
        ready=GroupProbe(place.kafka, app_id, members=members),
        name=app_id,
        folder=place.folder,
    )


async def _create(kafka: str, topic: str, changelog: str) -> None:
    """Create both topics beforehand: a worker that has to make its changelog loses events over that alone."""
    source = TopicSpec(name=topic, key="wallet", owner="streams", doc="events", retention_ms=DAY_MS)
    table = TopicSpec(name=changelog, key="wallet", owner="streams", doc="the table", cleanup="compact")
    await ensure_topics(kafka, [source, table], partitions=PARTITIONS)


async def _produce(kafka: str, topic: str) -> Counter[str]:
    """Write the events, a wallet always to the same partition; return how many each wallet has."""
    rng = Random(EVENTS)
    wallets = [f"0x{rng.getrandbits(160):040x}" for _ in range(WALLETS)]
    truth = Counter(rng.choices(wallets, k=EVENTS))
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=20) as producer:
        events = list(truth.elements())
        rng.shuffle(events)
        for wallet in events:
            await producer.send(topic, b"{}", wallet.encode())
    return truth


async def _until_committed(kafka: str, group: str, events: int) -> int:
    """Wait until all events are committed, or patience ends; return how many are not."""
    missing = events
    async with admin_client(kafka, {}) as admin:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while missing:
                    committed = await admin.list_consumer_group_offsets(group)
                    done = sum(offset.offset for tp, offset in committed.items() if tp.topic == f"{group}-orders")
                    missing = max(0, events - done)
                    await asyncio.sleep(0.2)
    return missing


async def _last_values(kafka: str, changelog: str) -> dict[str, Sequence[int]]:
    latest: dict[str, Any] = {}
    async with AIOKafkaConsumer(changelog, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                latest |= {orjson.loads(record.key): orjson.loads(record.value) for record in records}
    return latest
