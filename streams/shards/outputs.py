"""The worker's producer for derived topics: idempotent, acknowledged by all replicas, in order per partition."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from streams.shards.kafka import abandon_producer, send_bulk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from streams.effects import Item, Output
    from streams.shards.kafka import ClientOptions

BATCH_BYTES = 256 * 1024


class Outputs:
    """
    Sends derived records; each call returns futures that are done when acknowledged.

    A failure means an unknown outcome for everything under way: the producer is dropped, and every
    shard that was using it is discarded and replays from its remembered position, with the same ids.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect, on the first call and after a failure; all shards of a worker share the connection."""
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._options, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES
                )
                await producer.start()
                self._producer = producer

    async def close(self) -> None:
        """Disconnect; what is not acknowledged yet fails."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await abandon_producer(producer)

    async def send(self, output: Output) -> asyncio.Future[Any]:
        """Send one urgent record to the partition of its key, stamped with the time of sending."""
        headers = [*output.headers, ("published_ns", b"%d" % time.time_ns())]
        async with self._usable() as producer:
            future: asyncio.Future[Any] = await producer.send(output.topic, output.value, output.key, headers=headers)
        return future

    async def send_to(self, topic: str, partition: int, items: Iterable[Item]) -> list[asyncio.Future[Any]]:
        """Send many records to one partition."""
        async with self._usable() as producer:
            return await send_bulk(producer, topic, partition, items)

    async def acknowledged(self, sent: Iterable[asyncio.Future[Any]]) -> None:
        """Wait until everything in `sent` is acknowledged."""
        async with self._usable():
            await asyncio.gather(*sent)

    @asynccontextmanager
    async def _usable(self) -> AsyncIterator[AIOKafkaProducer]:
        if self._producer is None:
            raise ProducerClosed
        producer = self._producer
        try:
            yield producer
        except KafkaError:
            if producer is self._producer:
                await self.close()
            raise
