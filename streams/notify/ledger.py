"""What has to outlive the process, in Kafka: memories of groups, and dead letters. Shell."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import KafkaError

from connector.contract.errors import InvalidRecord
from connector.kafka.reader import reading
from streams.notify.outcome import Attempt, wait_s
from streams.notify.records import GroupMemory, decode, encode
from streams.topics import NOTIFICATIONS, NOTIFICATIONS_DEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aiokafka import AIOKafkaProducer

    from streams.notify.records import DeadNotification
    from streams.notify.settings import NotifySettings

log = structlog.get_logger(__name__)


class Ledger:
    """Writes until Kafka has it; records of one key arrive in the order in which they were asked for."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._memories = prefix + NOTIFICATIONS.name
        self._dead = prefix + NOTIFICATIONS_DEAD.name
        self._order = asyncio.Lock()
        self.away = False
        """Whether Kafka did not take what was written last."""

    async def remember(self, keys: Collection[str], memory: Callable[[str], GroupMemory | None]) -> None:
        """Write what there is to remember of each key at this moment; nothing: it is forgotten."""
        if keys:
            async with self._order:
                await self._written(
                    self._memories,
                    [(key, None if (found := memory(key)) is None else encode(found)) for key in sorted(keys)],
                )

    async def bury(self, key: str, letter: DeadNotification) -> None:
        """Write a dead letter."""
        await self._written(self._dead, [(key, encode(letter))])

    async def _written(self, topic: str, records: list[tuple[str, bytes | None]]) -> None:
        failures = 0
        while True:
            try:
                await asyncio.gather(
                    *[await self._producer.send(topic, value, key=key.encode()) for key, value in records]
                )
            except KafkaError as error:
                failures += 1
                self.away = True
                log.warning("notify.not_written", topic=topic, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(wait_s(failures, Attempt("retry"), random.random()))  # noqa: S311  # not cryptography
            else:
                self.away = False
                return


async def recall(settings: NotifySettings) -> dict[str, GroupMemory]:
    """
    Return the memories there are.

    Raises:
        KafkaShellError: they cannot be had now.
    """
    found: dict[str, GroupMemory] = {}
    topic = settings.topic_prefix + NOTIFICATIONS.name
    options: dict[str, Any] = settings.client()
    async with reading(settings.kafka, topic, **options) as batches:
        async for batch in batches:
            for record in batch:
                key = (record.key or b"").decode(errors="replace")
                found.pop(key, None)
                if record.value is not None:
                    try:
                        found[key] = decode(GroupMemory, record.value)
                    except InvalidRecord as error:
                        log.warning("notify.memory_unreadable", key=key, error=str(error))
    return found
