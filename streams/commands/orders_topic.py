"""Orders from the topics of a deployment. Shell."""

from __future__ import annotations

import heapq
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from connector.kafka.admin import partitions_of
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import Reading, reading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import ConsumerRecord

    from streams.effects import Topics
    from streams.settings import Settings

_BATCH = 1_000


class OrdersTopics:
    """What the topics held when they were opened; iterate once, for batches of records."""

    def __init__(self, readings: Sequence[Reading], *, derives: bool) -> None:
        self._readings = readings
        self.derives = derives
        """Whether there is no topic of orders by market, so that they have to be made up."""
        self.total = sum(each.ends[number] - each.begins[number] for each in readings for number in each.begins)
        """Records, holes included."""

    async def __aiter__(self) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield the records; all in the order of append times where orders by market are made up of them."""
        if self.derives:
            async for batch in _merged(self._readings):
                yield batch
        else:
            for each in self._readings:
                async for batch in each:
                    yield batch


@asynccontextmanager
async def open_topics(settings: Settings, topics: Topics, *, markets: bool) -> AsyncIterator[OrdersTopics]:
    """
    Yield the orders, and if `markets` are of interest also those by market.

    Raises:
        KafkaShellError: no Kafka, or no topic of orders.
    """
    options: dict[str, Any] = settings.client()
    numbers = await partitions_of(settings.kafka, topics.orders, **options)
    derives = markets and not await _exists(settings, topics.orders_by_market)
    async with AsyncExitStack() as stack:

        async def opened(topic: str, partitions: Sequence[int] | None = None) -> Reading:
            return await stack.enter_async_context(reading(settings.kafka, topic, partitions=partitions, **options))

        if derives:
            readings = [await opened(topics.orders, [number]) for number in numbers]
        else:
            readings = [await opened(topic) for topic in (topics.orders, topics.orders_by_market)[: 1 + markets]]
        yield OrdersTopics(readings, derives=derives)


async def _exists(settings: Settings, topic: str) -> bool:
    try:
        await partitions_of(settings.kafka, topic, **settings.client())
    except TopicMissing:
        return False
    return True


async def _merged(readings: Sequence[Reading]) -> AsyncIterator[list[ConsumerRecord]]:
    """Yield the records of partitions in the order of append times, each partition in its own order."""
    logs = [_records(each) for each in readings]
    heap = []
    for place, log in enumerate(logs):
        first = await anext(log, None)
        if first is not None:
            heap.append((first.timestamp, place, first))
    heapq.heapify(heap)
    batch: list[ConsumerRecord] = []
    while heap:
        clock, place, record = heap[0]
        batch.append(record)
        following = await anext(logs[place], None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (max(clock, following.timestamp), place, following))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


async def _records(log: Reading) -> AsyncIterator[ConsumerRecord]:
    async for batch in log:
        for record in batch:
            yield record
