"""
The state log of one shard: a partition of a plain compacted topic and its transactional producer.

Taking over fences the former owner, however long it slept; what it had begun and not committed
is aborted. One *remember* is one transaction: values and position, whatever their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connector.kafka.closing import close_consumer
from streams.shards.kafka import abandon_producer, all_of, send_bulk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

    from streams.effects import Item
    from streams.shards.kafka import ClientOptions

BATCH_BYTES = 512 * 1024
FETCH_BYTES = 4 * 1024 * 1024


class StateLog:
    """
    State of one partition in Kafka.

    Any error of `remember` means an unknown outcome: call `close` and take over again with a new
    instance. `ProducerFenced` means that another worker has taken over.
    """

    def __init__(self, options: ClientOptions, topic: str, partition: int) -> None:
        self._options = options
        self._tp = TopicPartition(topic, partition)
        self._producer: AIOKafkaProducer | None = None

    async def take_over(self) -> None:
        """Fence whoever wrote before; returns when his last transaction is settled."""
        self._producer = AIOKafkaProducer(
            **self._options,
            transactional_id=f"{self._tp.topic}-{self._tp.partition}",
            max_batch_size=BATCH_BYTES,
        )
        await self._producer.start()

    async def restore(self) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield all committed records from the beginning; later ones replace earlier ones of the same key."""
        consumer = AIOKafkaConsumer(
            **self._options,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            await consumer.start()
            consumer.assign([self._tp])
            begin = (await consumer.beginning_offsets([self._tp]))[self._tp]
            end = (await consumer.end_offsets([self._tp]))[self._tp]
            consumer.seek(self._tp, begin)
            while await consumer.position(self._tp) < end:
                yield (await consumer.getmany(self._tp, timeout_ms=500)).get(self._tp, ())
        finally:
            await close_consumer(consumer)

    async def remember(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write all changes in one transaction; a value of None forgets the key."""
        if self._producer is None:
            raise AssertionError("take over before remembering")
        items: list[Item] = [(key, value, []) for key, value in changes.items()]
        # Not `transaction()`: on an error or a cancellation it would abort, which waits for a broker that is away.
        await self._producer.begin_transaction()
        await all_of(await send_bulk(self._producer, self._tp.topic, self._tp.partition, items))
        await self._producer.commit_transaction()

    async def close(self) -> None:
        """Stop the producer; a transaction under way is left to the next owner's fence."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await abandon_producer(producer)
