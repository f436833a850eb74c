"""Alerts from the topics of a deployment. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.errors import InvalidRecord
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import reading
from streams.commands.kafka import patience
from streams.records import Alert, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from streams.settings import Settings


async def alerts_with(settings: Settings, topics: Iterable[str], text: str) -> AsyncIterator[Alert]:
    """
    Yield the alerts whose JSON holds a text, partition by partition; a topic that does not exist holds none.

    Raises:
        KafkaShellError: no Kafka, or it stopped answering.
    """
    wanted = text.encode()
    async with patience() as answered:
        for topic in topics:
            try:
                async with reading(settings.kafka, topic, **settings.client()) as batches:
                    async for batch in batches:
                        answered()
                        for record in batch:
                            if wanted in (record.value or b"") and (alert := _alert(record.value)) is not None:
                                yield alert
            except TopicMissing:
                continue


def _alert(value: bytes) -> Alert | None:
    try:
        return decode(Alert, value)
    except InvalidRecord:  # a stranger's; what is asked for is not in it
        return None
