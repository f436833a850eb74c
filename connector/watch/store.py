"""Reads the watch-list and coverage, writes the watch-list. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.topics import COVERAGE, WATCHLIST
from connector.kafka.admin import ensure_topics
from connector.kafka.reader import reading
from connector.watch.listed import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.contract.watch import WatchRecord
    from connector.kafka.settings import KafkaSettings

_CLIENT_ID = "walletstream-watch"


class WatchStore:
    """The watch-list and coverage of one deployment, as far as they have been read; raises `KafkaShellError`s."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._security = settings.client()
        self._reached: dict[str, Mapping[int, int]] = {}
        self.listed = Listed()

    async def ensure(self) -> None:
        """Create the topics that are missing; `TopicMismatch` where they are not as the contract says."""
        settings = self._settings
        await ensure_topics(
            settings.kafka,
            [spec.prefixed(settings.topic_prefix) for spec in (WATCHLIST, COVERAGE)],
            partitions=settings.partitions,
            replication=settings.replication,
            **self._security,
        )

    async def refresh(self) -> Listed:
        """Return both as they are now; reads what is new since the last time."""
        await self._read(WATCHLIST.name, self.listed.watch.absorb)
        await self._read(COVERAGE.name, self.listed.coverage.absorb)
        return self.listed

    async def write(self, changes: Mapping[str, WatchRecord | None]) -> None:
        """Write a record for each wallet, a tombstone for None; returns when all are acknowledged."""
        topic = self._settings.topic_prefix + WATCHLIST.name
        async with AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka, client_id=_CLIENT_ID, enable_idempotence=True, **self._security
        ) as producer:
            sent = [
                await producer.send(topic, None if record is None else encode(record), wallet_key(wallet))
                for wallet, record in changes.items()
            ]
            for future in sent:
                await future

    async def _read(self, name: str, absorb: Callable[[bytes | None, bytes | None], None]) -> None:
        topic = self._settings.topic_prefix + name
        async with reading(self._settings.kafka, topic, begin=self._reached.get(name), **self._security) as batches:
            async for batch in batches:
                for record in batch:
                    absorb(record.key, record.value)
        self._reached[name] = batches.ends
