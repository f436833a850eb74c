"""Wire -> alert, or wire -> orders: one repetition of one system, and what its times say."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import orjson
from aiokafka import AIOKafkaConsumer

from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.contract.provenance import header_ns
from tests.bench.figures import percentile
from tests.bench.prepared import frames
from tests.bench.sender import Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

    from aiokafka.structs import ConsumerRecord

    from tests.bench.loads import Load
    from tests.bench.prepared import Frame
    from tests.bench.systems import Bench, Running

    System = Callable[..., AbstractAsyncContextManager[Running]]

WALLETS = 500
STAGES = (
    ("wire", "received_ns"),
    ("connector", "order_published_ns"),
    ("orders topic", "admitted_ns"),
    ("worker", "published_ns"),
    ("alerts topic", "arrived_ns"),
)
"""Name of each stretch of the way, and the time that ends it."""
_SETTLE_S = 1.5
_COMPLETE_S = 10.0


class Arrival(NamedTuple):
    """A record of the last topic, and when it came, unix nanoseconds."""

    arrived_ns: int
    record: ConsumerRecord


class Prepared(NamedTuple):
    """What is sent in one run, and how many of it come first and are not measured."""

    wallets: list[str]
    frames: list[Frame]
    warm_up: int

    @classmethod
    def of(cls, load: Load, *, seconds: float, warm_up_s: float = 0.0) -> Prepared:
        """Return the orders of a load for `warm_up_s + seconds`, executed from now on."""
        count = round(load.rate * (warm_up_s + seconds))
        wallets, made = frames(count, wallets=WALLETS, rate=load.rate, start=time.time() - 2)  # noqa: TID251 - orders of now
        return cls(wallets, made, round(load.rate * warm_up_s))

    def measured(self, sent: dict[str, int]) -> dict[str, int]:
        """Return when those were sent that count, of all."""
        return {frame.event_id: sent[frame.event_id] for frame in self.frames[self.warm_up :]}


async def repetition(
    bench: Bench, system: System, *, prefix: str, load: Load, seconds: float, warm_up_s: float
) -> dict[str, Any]:
    """Run `system`, send a load for `warm_up_s + seconds`; return the figures of the latter."""
    prepared = Prepared.of(load, seconds=seconds, warm_up_s=warm_up_s)
    async with Sender() as sender, system(bench, prefix=prefix, url=sender.url, wallets=prepared.wallets) as running:
        await asyncio.sleep(_SETTLE_S)
        async with Collector(bench.kafka, running.topic) as collector:
            before = running.cpu_seconds()
            sent = await sender.send(prepared.frames, load)
            await collector.until(len(sent))
            cpu_us = (running.cpu_seconds() - before) / len(sent) * 1e6
    return figures(prepared.measured(sent), collector.arrivals) | {"cpu_us_per_event": cpu_us}


def figures(sent: dict[str, int], arrivals: Iterable[Arrival]) -> dict[str, Any]:
    """Return latencies in milliseconds, the waterfall where there is one, and how many events never came."""
    latencies: dict[str, float] = {}
    stretches: dict[str, list[float]] = {name: [] for name, _ in STAGES}
    for arrived_ns, record in arrivals:
        identity = _event_of(record.value)
        if identity not in sent or identity in latencies:
            continue
        latencies[identity] = (arrived_ns - sent[identity]) / 1e6
        for name, stretch in _waterfall(sent[identity], arrived_ns, record):
            stretches[name].append(stretch)
    return {
        "sent": len(sent),
        "missing": len(sent) - len(latencies),
        "p50_ms": percentile(latencies.values(), 50),
        "p99_ms": percentile(latencies.values(), 99),
        "p99_9_ms": percentile(latencies.values(), 99.9),
        "most_ms": max(latencies.values(), default=float("nan")),
        "waterfall_ms": {
            name: {"p50": percentile(values, 50), "p99": percentile(values, 99)}
            for name, values in stretches.items()
            if values
        },
    }


def _waterfall(sent_ns: int, arrived_ns: int, record: ConsumerRecord) -> Iterable[tuple[str, float]]:
    times = [header_ns(record.headers, header) for _, header in STAGES[:-1]]
    begin = sent_ns
    for (name, _), end in zip(STAGES, [*times, arrived_ns], strict=True):
        if end is None:
            return
        yield name, (end - begin) / 1e6
        begin = end


def _event_of(value: bytes) -> str:
    """Return the id of the order that a record or a frame holds, or an alert is about."""
    document = orjson.loads(value)
    if "event_id" in document:
        return str(document["event_id"])
    if "alert_id" in document:
        return str(document["orders"][0]["event_id"])
    return event_id(content_id(parse_order(document["data"])), 0)


class Collector:
    """Notes when each record of a topic arrives."""

    def __init__(self, kafka: str, topic: str) -> None:
        self.arrivals: list[Arrival] = []
        self._consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")

    async def quiet(self, seconds: float) -> None:
        """Wait until none has arrived for so long; who was killed repeats some, so that counting them tells nothing."""
        while self.arrivals and time.time_ns() - self.arrivals[-1].arrived_ns < seconds * 1e9:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.5)

    async def until(self, count: int) -> None:
        """Wait until so many have arrived, or none more will."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_COMPLETE_S):
                while len(self.arrivals) < count:  # noqa: ASYNC110 - an event per record would disturb the measurement
                    await asyncio.sleep(0.05)

    async def _collect(self) -> None:
        async for records in self._batches():
            now = time.time_ns()
            self.arrivals += [Arrival(now, record) for record in records]

    async def _batches(self) -> AsyncIterator[list[ConsumerRecord]]:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=1_000)).values():
                yield records

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._task = asyncio.create_task(self._collect())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()
