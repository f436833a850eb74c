"""The worker's producer for derived topics: idempotent, acknowledged by all replicas, in order per partition."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer

from streams.shards.kafka import close_quietly, send_bulk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.jobs import Output
    from streams.shards.kafka import ClientOptions, Item

BATCH_BYTES = 256 * 1024


class Outputs:
    """
    Sends derived records; each call returns futures that are done when acknowledged.

    A failed future means an unknown outcome for everything after it: the shard that sent it is
    discarded and replays from its remembered position, with the same ids.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect, on the first call and after `close`; all shards of a worker share the connection."""
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._options, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES
                )
                await producer.start()
                self._producer = producer

    async def close(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await close_quietly(producer)

    @property
    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise AssertionError("outputs are started before anything is sent")
        return self._producer

    async def send(self, output: Output) -> asyncio.Future[Any]:
        """Send one urgent record to the partition of its key, stamped with the time of sending."""
        headers = [*output.headers, ("published_ns", b"%d" % time.time_ns())]
        future: asyncio.Future[Any] = await self._started.send(output.topic, output.value, output.key, headers=headers)
        return future

    async def send_to(self, topic: str, partition: int, items: Iterable[Item]) -> list[asyncio.Future[Any]]:
        """Send many records to one partition."""
        return await send_bulk(self._started, topic, partition, items)
