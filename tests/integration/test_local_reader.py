"""Reading topics without a group, on the real broker."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from connector.contract.topics import TopicSpec
from connector.kafka.admin import ensure_topics
from connector.kafka.reader import end_offsets
from connector.local.reader import follow, read_all

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka


async def filled(bootstrap: str, topic: str, *stamps_ms: int) -> None:
    """Create a topic of two partitions, and write a record for each stamp into partition stamp % 2."""
    spec = TopicSpec(name=topic, key="none", owner="connector", doc="", cleanup="compact")
    await ensure_topics(bootstrap, [spec], partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for stamp in stamps_ms:
            await producer.send_and_wait(
                topic, b"%d" % stamp, key=b"k%d" % stamp, partition=stamp % 2, timestamp_ms=stamp, headers=[("h", b"1")]
            )


async def test_all_of_a_topic_is_read_to_its_end(kafka: LocalKafka, topic_prefix: str) -> None:
    """Every record of every partition, an empty topic at once."""
    full, empty = f"{topic_prefix}full", f"{topic_prefix}empty"
    await filled(kafka.bootstrap, full, 1000, 1001, 1002)
    await filled(kafka.bootstrap, empty)
    found = await read_all(kafka.bootstrap, full)
    assert sorted((each.partition, each.offset, each.value) for each in found) == [
        (0, 0, b"1000"),
        (0, 1, b"1002"),
        (1, 0, b"1001"),
    ]
    assert {(each.headers, each.timestamp_ms) for each in found} == {((("h", b"1"),), ms) for ms in (1000, 1001, 1002)}
    assert await read_all(kafka.bootstrap, empty) == []
    assert await end_offsets(kafka.bootstrap, full) == {0: 2, 1: 1}


async def test_following_starts_at_the_given_time(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    One topic from a time on, the other from its start; what comes later comes too.

        recent   1000 1001 1002 | 2000 ...   since 2000; partition 1 has nothing that young
        whole    1000
    """
    recent, whole = f"{topic_prefix}recent", f"{topic_prefix}whole"
    await filled(kafka.bootstrap, recent, 1000, 1001, 1002, 2000)
    await filled(kafka.bootstrap, whole, 1000)
    found: set[tuple[str, bytes | None]] = set()
    async with asyncio.timeout(90), aclosing(follow(kafka.bootstrap, [recent, whole], {recent: 2000})) as batches:
        async for topic, records in batches:
            found |= {(topic, each.value) for each in records}
            if len(found) == 2:
                await filled(kafka.bootstrap, recent, 2001)
            if len(found) == 3:
                break
    assert found == {(recent, b"2000"), (recent, b"2001"), (whole, b"1000")}
