"""The worker's producers for derived topics: idempotent, acknowledged by all replicas, in order per partition."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from streams.shards.kafka import abandon_producer, all_of
from streams.shards.lane import Lane, Turnstile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from streams.effects import Item, Output
    from streams.shards.kafka import ClientOptions

BATCH_BYTES = 256 * 1024


class Outputs:
    """
    Sends derived records; each call returns a future that is done when they are acknowledged.

    Urgent records have a producer of their own: with one, an alert would wait for the statistics
    under way to the same broker. A failure means an unknown outcome for everything under way:
    both producers are dropped, and every shard that was using them is discarded and replays from
    its remembered position, with the same ids.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._connection: Connection | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect, on the first call and after a failure; all shards of a worker share the connection."""
        async with self._starting:
            if self._connection is None:
                self._connection = await Connection.open(self._options)

    async def close(self) -> None:
        """Disconnect; what is not acknowledged yet fails."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def send(self, output: Output) -> asyncio.Future[Any]:
        """Send one urgent record to the partition of its key, stamped with the time of sending."""
        headers = [*output.headers, ("published_ns", b"%d" % time.time_ns())]
        async with self._usable() as connection:
            future: asyncio.Future[Any] = await connection.urgent.send(
                output.topic, output.value, output.key, headers=headers
            )
        return future

    async def send_to(self, topic: str, partition: int, items: Sequence[Item]) -> asyncio.Future[Any]:
        """Send many records to one partition, after those sent to it before."""
        async with self._usable() as connection:
            return await connection.lane(topic, partition).put(items)

    async def acknowledged(self, sent: Iterable[asyncio.Future[Any]]) -> None:
        """Wait until everything in `sent` is acknowledged."""
        async with self._usable():
            await all_of(sent)

    @asynccontextmanager
    async def _usable(self) -> AsyncIterator[Connection]:
        connection = self._connection
        if connection is None:
            raise ProducerClosed
        try:
            yield connection
        except KafkaError:
            if connection is self._connection:
                await self.close()
            raise


class Connection:
    """Two producers and the lanes of one of them, from connecting to the first failure."""

    def __init__(self, urgent: AIOKafkaProducer, bulk: AIOKafkaProducer) -> None:
        self.urgent = urgent
        self._bulk = bulk
        self._turnstile = Turnstile()
        self._lanes: dict[tuple[str, int], Lane] = {}

    @classmethod
    async def open(cls, options: ClientOptions) -> Connection:
        """Connect; nothing stays open when one of the two cannot."""
        urgent, bulk = (
            AIOKafkaProducer(**options, acks="all", enable_idempotence=True, linger_ms=0, max_batch_size=BATCH_BYTES)
            for _ in range(2)
        )
        try:
            await urgent.start()
            await bulk.start()
        except BaseException:
            await asyncio.gather(abandon_producer(urgent), abandon_producer(bulk))
            raise
        return cls(urgent, bulk)

    def lane(self, topic: str, partition: int) -> Lane:
        """Return the lane of a partition."""
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(self._bulk, self._turnstile, topic, partition)
        return lane

    async def close(self) -> None:
        """Drop everything at once."""
        for lane in self._lanes.values():
            lane.close()
        await asyncio.gather(abandon_producer(self.urgent), abandon_producer(self._bulk))
