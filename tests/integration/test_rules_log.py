"""Whoever reads `rules.v1`, on the real broker: how soon it hears, and that it knows when it does not know."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from connector.kafka.admin import admin_client, ensure_topics
from connector.local.broker import LocalKafka
from streams.rules.registry import Registry
from streams.rules_log import RulesLog
from streams.topics import RULES
from tests.support.rules_log import Written, rule_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DELAY_S = 0.5


class Reader:
    """A rules log at work."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._topic = RULES.prefixed(prefix)
        self.registry = Registry([], delay_ms=round(DELAY_S * 1_000))
        self.log = RulesLog({"bootstrap_servers": bootstrap}, self._topic.name, self.registry, delay_s=DELAY_S)
        self.known = 0

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow while the block runs."""
        task = asyncio.create_task(self.log.follow(self._count))
        try:
            await until(self.log.known)
            yield
            assert not task.done()
        finally:
            task.cancel()
            ended, _ = await asyncio.wait({task}, timeout=5)
            assert ended

    async def create(self) -> None:
        """Create the topic."""
        await ensure_topics(self._bootstrap, [self._topic], partitions=4)

    async def delete(self) -> None:
        """Delete the topic."""
        async with admin_client(self._bootstrap, {}) as admin:
            await admin.delete_topics([self._topic.name])

    async def write(self, *records: Written) -> None:
        """Write records."""
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap) as producer:
            for record in records:
                await producer.send_and_wait(self._topic.name, record.value, record.key, partition=0)

    def ids(self) -> list[str]:
        """Return the rules heard of, by id."""
        return [rule.id for rule in self.registry.editions.latest.rules]

    def _count(self) -> None:
        self.known += 1


async def until(true: Callable[[], bool]) -> float:
    """Return how many seconds it took."""
    started = time.monotonic()
    async with asyncio.timeout(90):
        while not true():  # noqa: ASYNC110  # there is nothing to wait on
            await asyncio.sleep(0.005)
    return time.monotonic() - started


async def test_changes_are_heard_within_milliseconds(kafka: LocalKafka, topic_prefix: str) -> None:
    """What was there is read before rules count as known, what comes is heard far sooner than it takes effect."""
    reader = Reader(kafka.bootstrap, topic_prefix)
    await reader.create()
    await reader.write(rule_record(0, "old"), rule_record(0, "older"))
    async with reader.following():
        assert reader.ids() == ["old", "older"]
        assert reader.known >= 1
        await reader.write(rule_record(0, "new"))
        assert await until(lambda: reader.ids() == ["new", "old", "older"]) < DELAY_S / 2
        known = 0
        for _ in range(200):
            known += reader.log.known()
            await asyncio.sleep(0.005)
        assert known > 150  # machines are noisy, and it may be late with a look


async def test_a_broker_that_is_away_makes_rules_unknown_and_they_are_known_again_after() -> None:
    """Nothing is heard twice or missed, and what is written as soon as it is back is heard."""
    async with LocalKafka() as kafka:
        reader = Reader(kafka.bootstrap, "")
        await reader.create()
        await reader.write(rule_record(0, "before"))
        async with reader.following():
            version = reader.log.version
            await kafka.kill()
            await until(lambda: not reader.log.known())
            await asyncio.sleep(1)
            assert not reader.log.known()
            assert reader.log.version == version
            await kafka.start()
            await until(reader.log.known)
            await reader.write(rule_record(0, "after"))
            await until(lambda: reader.ids() == ["after", "before"])
            assert reader.log.version == version + 1
        assert reader.known >= 2


async def test_a_topic_that_was_created_anew_is_read_from_its_beginning(kafka: LocalKafka, topic_prefix: str) -> None:
    """What the former one said counts no longer."""
    reader = Reader(kafka.bootstrap, topic_prefix)
    await reader.create()
    await reader.write(rule_record(0, "gone"), rule_record(0, "gone", message="again"))
    async with reader.following():
        await reader.delete()
        await until(lambda: not reader.log.known())
        await reader.create()
        await until(reader.log.known)
        await reader.write(rule_record(0, "here"))
        await until(lambda: reader.ids() == ["here"])
