"""Reads topics as any other consumer does, without a group. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from connector.local.seen import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Iterable, Mapping

_FETCH_MS = 200
_BATCH = 2_000


def _consumer(bootstrap: str, topics: Iterable[str]) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest")


def _seen(record: ConsumerRecord) -> Seen:
    return Seen(record.partition, record.offset, record.timestamp, record.key, record.value, tuple(record.headers))


async def follow(
    bootstrap: str, topics: Collection[str], since_ms: Mapping[str, int]
) -> AsyncGenerator[tuple[str, list[Seen]], None]:
    """
    Yield (topic, records) as they come, for ever; close it after use (`contextlib.aclosing`).

    The topics must exist. One named in `since_ms` is read from that time on (unix milliseconds), others whole.
    """
    async with _consumer(bootstrap, topics) as consumer:
        times = {each: since_ms[each.topic] for each in consumer.assignment() if each.topic in since_ms}
        # Ends first, so that what comes between the two answers is not skipped; `seek_to_end` would race
        # with the reset to the beginning that is under way.
        ends = await consumer.end_offsets(list(times)) if times else {}
        for partition, found in (await consumer.offsets_for_times(times)).items() if times else ():
            consumer.seek(partition, found.offset if found else ends[partition])
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_BATCH)).items():
                yield partition.topic, [_seen(record) for record in records]
            await asyncio.sleep(0)


async def end_offsets(bootstrap: str, topic: str) -> dict[int, int]:
    """Return the end of each partition: the offset that the next record will have."""
    async with _consumer(bootstrap, [topic]) as consumer:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        return {partition.partition: end for partition, end in ends.items()}


async def read_all(bootstrap: str, topic: str) -> list[Seen]:
    """Return every record of a topic, up to the ends it has now."""
    async with _consumer(bootstrap, [topic]) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(sorted(consumer.assignment()))
        found: list[Seen] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=_FETCH_MS)).values():
                found += map(_seen, records)
        return found
