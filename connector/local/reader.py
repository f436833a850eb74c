"""Reads topics as any other consumer does, without a group. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from connector.kafka import reader
from connector.local.seen import Seen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Iterable, Mapping

_FETCH_MS = 200
_BATCH = 2_000


def _consumer(bootstrap: str, topics: Iterable[str], security: Mapping[str, Any]) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", **security)


def seen_of(record: ConsumerRecord) -> Seen:
    """Return a record as it is passed on."""
    return Seen(record.partition, record.offset, record.timestamp, record.key, record.value, tuple(record.headers))


async def follow(
    bootstrap: str, topics: Collection[str], since_ms: Mapping[str, int], **security: Any
) -> AsyncGenerator[tuple[str, list[Seen]], None]:
    """
    Yield (topic, records) as they come, for ever; close it after use (`contextlib.aclosing`).

    The topics must exist. One named in `since_ms` is read from that time on (unix milliseconds), others whole.
    """
    async with _consumer(bootstrap, topics, security) as consumer:
        times = {each: since_ms[each.topic] for each in consumer.assignment() if each.topic in since_ms}
        # Ends first, so that what comes between the two answers is not skipped; `seek_to_end` would race
        # with the reset to the beginning that is under way.
        ends = await consumer.end_offsets(list(times)) if times else {}
        for partition, found in (await consumer.offsets_for_times(times)).items() if times else ():
            consumer.seek(partition, found.offset if found else ends[partition])
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_BATCH)).items():
                yield partition.topic, [seen_of(record) for record in records]
            await asyncio.sleep(0)


async def read_all(bootstrap: str, topic: str, **security: Any) -> list[Seen]:
    """Return every record of a topic, up to the ends it has now."""
    return [seen_of(record) for record in await reader.read_all(bootstrap, topic, **security)]
