"""The publisher on a real broker that goes away, and with a record that no broker takes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from connector.contract.provenance import Provenance, header_ns, read_provenance
from connector.contract.topics import CONNECTOR_TOPICS, ORDERS
from connector.errors import DrainTimeout, PublishFailed
from connector.intake import Outgoing
from connector.kafka.admin import ensure_topics
from connector.kafka.reader import read_all
from connector.publisher import Publisher, make_producer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka

WS = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")


def record(number: int, size: int = 1000) -> Outgoing:
    """Return a record of one wallet, so that all go to one partition."""
    return Outgoing(ORDERS, b"wallet", b"%d " % number + b"x" * size, WS)


class Everything:
    """An owner of all partitions, for ever."""

    def permitted(self, _record: Outgoing) -> bool:
        """Always."""
        return True

    async def permit(self, _record: Outgoing) -> bool:
        """Never wait."""
        return True

    def acknowledged(self, _partition: int, _offset: int) -> None:
        """Nobody asks."""


@asynccontextmanager
async def publisher(
    kafka: LocalKafka, prefix: str, limit: int = 10_000
) -> AsyncIterator[tuple[Publisher, asyncio.Task[None]]]:
    """Return a running publisher with its topics, and its task."""
    topics = [spec.prefixed(prefix) for spec in CONNECTOR_TOPICS]
    await ensure_topics(kafka.bootstrap, topics, partitions=1)
    producer = make_producer(kafka.bootstrap, outage_timeout=60)
    await producer.start()
    for spec in topics:
        await producer.partitions_for(spec.name)
    subject = Publisher(producer, topic_prefix=prefix, limit=limit, ownership=Everything(), clock_ns=lambda: 7)
    running = asyncio.create_task(subject.run())
    try:
        yield subject, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await producer.stop()


async def numbers(kafka: LocalKafka, prefix: str) -> list[int]:
    """Return the numbers of the records in the topic, in their order."""
    return [int(found.value.split()[0]) for found in await read_all(kafka.bootstrap, f"{prefix}{ORDERS.name}")]


async def test_records_carry_key_value_and_provenance(kafka: LocalKafka, topic_prefix: str) -> None:
    """What consumers get is what was published, with both times in the headers."""
    async with publisher(kafka, topic_prefix) as (subject, _):
        await subject.publish(record(1))
        await subject.drain(10)
    (found,) = await read_all(kafka.bootstrap, f"{topic_prefix}{ORDERS.name}")
    assert (found.key, found.value) == (b"wallet", record(1).value)
    assert read_provenance(found.headers) == WS
    assert header_ns(found.headers, "published_ns") == 7


async def test_while_the_broker_is_away_records_queue_up_to_the_limit(
    mortal_kafka: LocalKafka, topic_prefix: str
) -> None:
    """
    Killed without warning, with more to publish than a batch holds.

    1..10       killed  11..1000 taken at once, 1001 waits         started again
    in topic                                                       all there, once, in order
    """
    async with publisher(mortal_kafka, topic_prefix, limit=990) as (subject, _):
        for number in range(1, 11):
            await subject.publish(record(number))
        await subject.drain(10)
        await mortal_kafka.kill()
        try:
            async with asyncio.timeout(5):
                for number in range(11, 1001):
                    await subject.publish(record(number))
            waiting = asyncio.create_task(subject.publish(record(1001)))
            with pytest.raises(DrainTimeout, match="990 records were not acknowledged in time"):
                await subject.drain(0.2)
            assert not waiting.done()
        finally:
            await mortal_kafka.start()
        await waiting
        await subject.drain(30)
        assert (subject.unacknowledged, subject.acknowledged) == (0, 1001)
    assert await numbers(mortal_kafka, topic_prefix) == list(range(1, 1002))


async def test_large_records_wait_sooner(
    mortal_kafka: LocalKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by bytes too: with room for 1 MB, of seven records of 200 kB the sixth waits."""
    monkeypatch.setattr("connector.publisher._MOST_BYTES", 1_000_000)

    async def publish_all() -> None:
        for number in range(1, 8):
            await subject.publish(record(number, 200_000))

    async with publisher(mortal_kafka, topic_prefix) as (subject, _):
        await mortal_kafka.kill()
        try:
            publishing = asyncio.create_task(publish_all())
            await asyncio.sleep(0.2)
            assert subject.unacknowledged == 5
        finally:
            await mortal_kafka.start()
        await publishing
        await subject.drain(30)
    assert await numbers(mortal_kafka, topic_prefix) == [1, 2, 3, 4, 5, 6, 7]


async def test_a_record_that_kafka_refuses_fails_everything_loudly(kafka: LocalKafka, topic_prefix: str) -> None:
    """A record over Kafka's limit is neither skipped nor waited for: publish, run and drain all raise."""
    async with publisher(kafka, topic_prefix) as (subject, running):
        await subject.publish(record(1, size=2_000_000))
        with pytest.raises(PublishFailed, match="MessageSizeTooLargeError"):
            await running
        with pytest.raises(PublishFailed):
            await subject.publish(record(2))
        with pytest.raises(PublishFailed):
            await subject.drain(1)
    assert await numbers(kafka, topic_prefix) == []
