"""Whether the source topic is still the one that the state was computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaTimeoutError

from connector.kafka.closing import close_consumer
from streams.shards.position import fingerprint

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from streams.shards.kafka import ClientOptions
    from streams.shards.live import Live

log = structlog.get_logger(__name__)

READ_TIMEOUT_MS = 5_000


class SourceRecreated(Exception):
    """The source topic does not hold what the state has absorbed."""

    def __init__(self, tp: TopicPartition, found: str) -> None:
        super().__init__(
            f"{tp.topic} partition {tp.partition} {found}: the topic was recreated or truncated. Delete the state"
            " topic (statistics start anew), or restore the source topic, then start the worker again"
        )


async def verify_source(options: ClientOptions, tp: TopicPartition, live: Live[Any]) -> None:
    """
    Compare the position with the source partition.

    A log start beyond the position (retention) is reported as a lost range, and the position moves there.

    Raises:
        SourceRecreated: the partition ends before the position, or another record lies at it.
        KafkaError: it could not be found out.
    """
    if live.offset < 0:
        return
    consumer = AIOKafkaConsumer(**options, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign([tp])
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if live.offset >= end:
            raise SourceRecreated(tp, f"ends at offset {end}, but offset {live.offset} was absorbed")
        if live.offset >= begin:
            await _same_record(consumer, tp, live)
        elif live.offset + 1 < begin:
            log.error("source.records_lost", topic=tp.topic, partition=tp.partition, first=live.offset + 1, end=begin)
            live.offset = begin - 1
    finally:
        await close_consumer(consumer)


async def _same_record(consumer: AIOKafkaConsumer, tp: TopicPartition, live: Live[Any]) -> None:
    consumer.seek(tp, live.offset)
    fetched = await consumer.getmany(tp, timeout_ms=READ_TIMEOUT_MS, max_records=1)
    if not fetched:
        raise KafkaTimeoutError(f"offset {live.offset} could not be read")
    for record in fetched[tp]:
        if record.offset == live.offset and fingerprint(record.key, record.value) != live.fingerprint:
            raise SourceRecreated(tp, f"holds another record at offset {live.offset}")
