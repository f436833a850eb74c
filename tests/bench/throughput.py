"""The complete job over a backlog, per CPU-second of the worker, against reading the same topic raw."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connector.contract.topics import ORDERS
from streams.topics import ORDERS_BY_MARKET, WALLET_STATE
from tests.bench import raw, rules
from tests.bench.filling import fill
from tests.bench.state import state_sizes
from tests.bench.systems import GROUP, worker

if TYPE_CHECKING:
    from tests.bench.prepared import Backlog, Shape
    from tests.bench.systems import Bench
    from tests.support.workers import WorkerProcess

SHAPES: tuple[Shape, ...] = ("equal", "skewed")
_POLL_S = 0.05
_COMPLETE_S = 240.0


class Sample(NamedTuple):
    """What was done at one moment. Offsets are committed once they are remembered."""

    orders: int
    """Absorbed by the wallet agent."""
    forwarded: int
    """Absorbed by the market agent."""
    cpu_s: float


async def repetition(bench: Bench, backlog: Backlog, *, prefix: str) -> dict[str, Any]:
    """Write the backlog, read it raw, let a worker do the complete job; return the figures of both."""
    topic = await fill(bench.kafka, prefix, backlog)
    read = await raw.measured(bench.kafka, topic, backlog.orders)
    asked = {"HISTORY": "alert"}  # most of the backlog is older than history
    process = worker(bench, prefix, rules.fifty(bench.folder / "fifty.yaml"), more=asked)
    await process.start(wait=False)
    try:
        done = await _watch(bench, process, prefix, backlog.orders)
        await process.term()
    finally:
        await process.kill()
    return {"raw": read, "worker": done, "state": await state_sizes(bench.kafka, prefix + WALLET_STATE.name)}


async def _watch(bench: Bench, process: WorkerProcess, prefix: str, orders: int) -> dict[str, float]:
    """Sample until both agents have done everything; the first sample with progress starts the measurement."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=bench.kafka)
    samples: list[Sample] = []
    await asyncio.gather(admin.start(), consumer.start())
    try:
        async with asyncio.timeout(_COMPLETE_S):
            while True:
                process.check()
                sample = await _sample(admin, process, prefix)
                if sample.orders:
                    samples.append(sample)
                if sample.orders == orders and sample.forwarded == await _end(consumer, prefix):
                    return _figures(samples[0], sample)
                await asyncio.sleep(_POLL_S)
    finally:
        await asyncio.gather(admin.close(), consumer.stop())


def _figures(first: Sample, last: Sample) -> dict[str, float]:
    events, cpu_s = last.orders - first.orders, last.cpu_s - first.cpu_s
    return {
        "events": events,
        "forwarded": last.forwarded - first.forwarded,
        "cpu_s": cpu_s,
        "events_per_cpu_s": events / cpu_s,
        "folds_per_cpu_s": (events + last.forwarded - first.forwarded) / cpu_s,
    }


async def _sample(admin: AIOKafkaAdminClient, process: WorkerProcess, prefix: str) -> Sample:
    cpu_s = process.cpu_seconds()
    try:
        committed = await admin.list_consumer_group_offsets(prefix + GROUP)
    except KafkaError:
        committed = {}  # the group has no coordinator yet
    done = {ORDERS.name: 0, ORDERS_BY_MARKET.name: 0}
    for tp, offset in committed.items():
        done[tp.topic.removeprefix(prefix)] += max(0, offset.offset)
    return Sample(done[ORDERS.name], done[ORDERS_BY_MARKET.name], cpu_s)


async def _end(consumer: AIOKafkaConsumer, prefix: str) -> int:
    topic = prefix + ORDERS_BY_MARKET.name
    await consumer._client.force_metadata_update()  # made after this client had started
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    return sum((await consumer.end_offsets(partitions)).values())
