"""Going on where the last notifier ended. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from connector.kafka.reader import reading
from streams.notify.groups import Groups
from streams.notify.ledger import recall
from streams.notify.repeated import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aiokafka import AIOKafkaConsumer, TopicPartition

    from streams.notify.config import Config
    from streams.notify.settings import NotifySettings

log = structlog.get_logger(__name__)


class Restored(NamedTuple):
    """Where to go on, and with what."""

    begins: dict[TopicPartition, int]
    groups: Groups


class _Identified(msgspec.Struct):
    alert_id: str = ""


async def restore(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], settings: NotifySettings, config: Config
) -> Restored:
    """
    Return groups as they were remembered, and place the consumer behind what is settled.

    A partition that was never read before is read from its end on: the past is quiet. This is committed at once, so
    that a crash before the first notification does not move it.

    Raises:
        KafkaError, KafkaShellError: not now.
    """
    ends = await consumer.end_offsets(list(partitions)) if partitions else {}
    begins = await _begins(consumer, ends)
    for tp, offset in begins.items():
        consumer.seek(tp, offset)
    groups = Groups(config, {tp.partition: end for tp, end in ends.items()})
    groups.restore(await recall(settings))
    await _remind(groups, begins, settings)
    return Restored(begins, groups)


async def _begins(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    firsts = await consumer.beginning_offsets(list(ends)) if ends else {}
    begins: dict[TopicPartition, int] = {}
    new: dict[TopicPartition, int] = {}
    for tp, end in ends.items():
        committed = await consumer.committed(tp)
        if committed is None:
            new[tp] = end
        elif committed < firsts[tp]:
            log.error("notify.alerts_expired", partition=tp.partition, alerts=firsts[tp] - committed)
        begins[tp] = end if committed is None else min(max(committed, firsts[tp]), end)
    if new:
        await consumer.commit(new)
    return begins


async def _remind(groups: Groups, begins: dict[TopicPartition, int], settings: NotifySettings) -> None:
    """Read the ids of the alerts before: a worker that is restored may tell them again."""
    known = {tp.partition: offset for tp, offset in begins.items() if offset}
    if not known:
        return
    decoder = msgspec.json.Decoder(_Identified)
    topic = next(iter(begins)).topic
    since = {partition: max(0, offset - REMEMBERED) for partition, offset in known.items()}
    async with reading(
        settings.kafka, topic, partitions=known, begin=since, until=known, **settings.client()
    ) as batches:
        async for batch in batches:
            for record in batch:
                try:
                    groups.remind(record.partition, decoder.decode(record.value or b"{}").alert_id)
                except msgspec.DecodeError:  # it is among the dead letters already
                    continue
