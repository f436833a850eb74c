"""Reads and writes `rules.v1` for commands. Shell."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer

from connector.contract.errors import InvalidRecord
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import reading
from streams.rules.active import Active
from streams.rules.errors import InvalidChange
from streams.rules.registry import Registry
from streams.rules.topic import decode
from streams.topics import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.settings import Settings

MOST_BYTES: Final = 8 * 1024 * 1024
"""Of one change; compressed it has to fit into what a broker takes as one batch, 1 MiB by default."""


class RulesStore:
    """The rules of one deployment; raises `KafkaShellError`s and `ContractError`s."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._delay_ms = round(settings.rules_delay * 1_000)
        self._topic = RULES.prefixed(settings.topic_prefix)

    async def read(self, file: Sequence[Active]) -> Registry:
        """Return what is in force over the rules of the workers' file; creates the topic where it is missing."""
        settings = self._settings
        await ensure_topics(
            settings.kafka,
            [self._topic],
            partitions=settings.partitions,
            replication=settings.replication,
            **settings.client(),
        )
        registry = Registry(file, delay_ms=self._delay_ms)
        async with reading(settings.kafka, self._topic.name, **settings.client()) as batches:
            async for batch in batches:
                for _ in registry.absorb(batch):
                    pass
        return registry

    async def versions(self) -> list[Active]:
        """Return every version of a rule that the topic still holds, former ones too; none where there is no topic."""
        found: list[Active] = []
        try:
            async with reading(self._settings.kafka, self._topic.name, **self._settings.client()) as batches:
                async for batch in batches:
                    for record in batch:
                        with suppress(InvalidRecord, UnicodeDecodeError):
                            read = None if record.value is None else decode((record.key or b"").decode(), record.value)
                            found += [read] if isinstance(read, Active) else []
        except TopicMissing:
            return []
        return found

    async def write(self, records: Mapping[str, bytes | None]) -> int:
        """
        Write records as one batch, all or nothing; returns when they take effect, unix milliseconds.

        Raises:
            InvalidChange: they do not fit into one.
        """
        async with AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka,
            enable_idempotence=True,
            compression_type="gzip",
            max_batch_size=MOST_BYTES,
            **self._settings.client(),
        ) as producer:
            batch = producer.create_batch()
            for name, value in records.items():
                if batch.append(timestamp=None, key=name.encode(), value=value) is None:
                    raise InvalidChange("the change is too large for one batch: apply it in several files")
            sent = await producer.send_batch(batch, self._topic.name, partition=0)
            return int((await sent).timestamp) + self._delay_ms
