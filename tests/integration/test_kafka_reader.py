"""Reading a topic to a known end, on the real broker."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connector.contract.topics import TopicSpec
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import ClusterUnreachable, TopicMissing
from connector.kafka.reader import end_offsets, read_all, reading
from connector.local.broker import LocalKafka

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord


async def write(bootstrap: str, topic: str, partition: int, *stamps_ms: int) -> None:
    """Create a topic of two partitions, and write a record for each stamp."""
    spec = TopicSpec(name=topic, key="none", owner="connector", doc="", cleanup="compact")
    await ensure_topics(bootstrap, [spec], partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for stamp in stamps_ms:
            key = value = b"%d" % stamp
            await producer.send_and_wait(topic, value, key=key, partition=partition, timestamp_ms=stamp)


def placed(records: Iterable[ConsumerRecord]) -> set[tuple[int, int, bytes]]:
    """Return partition, offset and value of each record."""
    return {(record.partition, record.offset, record.value) for record in records}


async def test_a_whole_topic_is_read_to_its_end(kafka: LocalKafka, topic_prefix: str) -> None:
    """Every record of every partition; an empty topic, and no partition at all, end at once."""
    full, empty = f"{topic_prefix}full", f"{topic_prefix}empty"
    await write(kafka.bootstrap, full, 0, 1000, 1002)
    await write(kafka.bootstrap, full, 1, 1001)
    await write(kafka.bootstrap, empty, 0)
    assert placed(await read_all(kafka.bootstrap, full)) == {(0, 0, b"1000"), (0, 1, b"1002"), (1, 0, b"1001")}
    assert placed(await read_all(kafka.bootstrap, full, partitions=[1])) == {(1, 0, b"1001")}
    assert await read_all(kafka.bootstrap, empty) == []
    assert await read_all(kafka.bootstrap, full, partitions=[]) == []
    assert await end_offsets(kafka.bootstrap, full) == {0: 2, 1: 1}
    assert await end_offsets(kafka.bootstrap, full, partitions=[1]) == {1: 1}


async def test_reading_begins_at_a_time(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    From a time for all, for one partition, and from a time nothing is as young as.

        partition 0   1000 1002 2000
        partition 1   1001
    """
    topic = f"{topic_prefix}timed"
    await write(kafka.bootstrap, topic, 0, 1000, 1002, 2000)
    await write(kafka.bootstrap, topic, 1, 1001)
    assert placed(await read_all(kafka.bootstrap, topic, since_ms=1002)) == {(0, 1, b"1002"), (0, 2, b"2000")}
    assert placed(await read_all(kafka.bootstrap, topic, since_ms={0: 2000})) == {(0, 2, b"2000"), (1, 0, b"1001")}
    async with reading(kafka.bootstrap, topic, since_ms=3000) as tail:
        assert [batch async for batch in tail] == []
        assert (tail.begins, tail.ends) == ({0: 3, 1: 1}, {0: 3, 1: 1})


async def test_reading_goes_on_where_another_ended(kafka: LocalKafka, topic_prefix: str) -> None:
    """The ends of one reading are where the next one begins."""
    topic = f"{topic_prefix}continued"
    await write(kafka.bootstrap, topic, 0, 1000, 1001)
    async with reading(kafka.bootstrap, topic) as first:
        assert len([each async for batch in first for each in batch]) == 2
    await write(kafka.bootstrap, topic, 0, 1002)
    assert placed(await read_all(kafka.bootstrap, topic, begin=first.ends)) == {(0, 2, b"1002")}


async def test_reading_ends_where_it_was_told(kafka: LocalKafka, topic_prefix: str) -> None:
    """At the end known when it began, before it where `until` says so, and beyond it when that comes."""
    topic = f"{topic_prefix}bounded"
    await write(kafka.bootstrap, topic, 0, 1, 2, 3)
    async with reading(kafka.bootstrap, topic) as now:
        await write(kafka.bootstrap, topic, 0, 4)
        assert placed([each async for batch in now for each in batch]) == {(0, 0, b"1"), (0, 1, b"2"), (0, 2, b"3")}
        assert now.ends == {0: 3, 1: 0}
    assert placed(await read_all(kafka.bootstrap, topic, until={0: 1})) == {(0, 0, b"1")}
    later = asyncio.create_task(read_all(kafka.bootstrap, topic, partitions=[0], until={0: 5}))
    await asyncio.sleep(0.2)
    assert not later.done()
    await write(kafka.bootstrap, topic, 0, 5)
    async with asyncio.timeout(90):
        assert len(await later) == 5


async def test_only_what_is_committed_is_read(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    An aborted transaction is passed over; one that is open ends the reading, unless told otherwise.

        partition 0   committed   aborted   | open
    """
    topic = f"{topic_prefix}transactions"
    await write(kafka.bootstrap, topic, 0)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic) as producer:

        async def send(value: bytes) -> None:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value, key=value, partition=0)

        await send(b"committed")
        await producer.commit_transaction()
        await send(b"aborted")
        await producer.abort_transaction()
        async with asyncio.timeout(90):
            assert [each.value for each in await read_all(kafka.bootstrap, topic)] == [b"committed"]
        await send(b"open")
        async with asyncio.timeout(90):
            assert [each.value for each in await read_all(kafka.bootstrap, topic)] == [b"committed"]
            everything = await read_all(kafka.bootstrap, topic, isolation="read_uncommitted")
        assert [each.value for each in everything] == [b"committed", b"aborted", b"open"]
        await producer.abort_transaction()


async def test_what_retention_deletes_meanwhile_is_passed_over(kafka: LocalKafka, topic_prefix: str) -> None:
    """Reading goes on where the log begins, when its head went after the offsets were asked for."""
    topic = f"{topic_prefix}shrinking"
    spec = TopicSpec(name=topic, key="none", owner="connector", doc="")
    await ensure_topics(kafka.bootstrap, [spec], partitions=2)
    stamps = [1_700_000_000_000 + number for number in range(3)]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for stamp in stamps:
            await producer.send_and_wait(topic, b"%d" % stamp, partition=0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(2)})
    finally:
        await admin.close()
    async with asyncio.timeout(90), reading(kafka.bootstrap, topic, begin={0: 0, 1: 0}) as found:
        assert placed([each async for batch in found for each in batch]) == {(0, 2, b"%d" % stamps[2])}


async def test_a_topic_that_is_missing_is_named_and_not_made(kafka: LocalKafka, topic_prefix: str) -> None:
    """The error names the topic and the remedy, again and again."""
    for _ in range(2):
        with pytest.raises(TopicMissing, match=f"{topic_prefix}nowhere does not exist.*TOPIC_PREFIX"):
            await read_all(kafka.bootstrap, f"{topic_prefix}nowhere")


async def test_a_cluster_that_is_away_is_named() -> None:
    """With and without partitions to look up."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(ClusterUnreachable, match=address):
            await read_all(address, "orders.v1")
        with pytest.raises(ClusterUnreachable, match=address):
            await read_all(address, "orders.v1", partitions=[0])


async def test_who_stops_reading_while_the_broker_is_away_is_not_cancelled() -> None:
    """Aiokafka ends with the cancellation of a fetch of its own; taken for ours, it would end a take-over for good."""
    async with LocalKafka() as kafka:
        await write(kafka.bootstrap, "topic", 0, 1000)

        async def stop_reading() -> None:
            async with reading(kafka.bootstrap, "topic"):
                await kafka.kill()
                await asyncio.sleep(1)  # the fetcher tries again and again
                raise LookupError("ours")

        with pytest.raises(LookupError, match="ours"):
            await stop_reading()


async def test_the_last_records_are_read_in_small_steps(kafka: LocalKafka, topic_prefix: str) -> None:
    """At most so many offsets before each end, and at most so many records at a time; an offset given wins."""
    topic = f"{topic_prefix}last"
    await write(kafka.bootstrap, topic, 0, *range(1000, 1010))
    await write(kafka.bootstrap, topic, 1, 2000)
    async with reading(kafka.bootstrap, topic, last=5, batch=2) as records:
        batches = [[int(record.value) for record in batch] async for batch in records]
    assert sorted(value for batch in batches for value in batch) == [*range(1005, 1010), 2000]
    assert max(map(len, batches)) <= 2
    assert records.begins == {0: 5, 1: 0}
    assert len(await read_all(kafka.bootstrap, topic, partitions=[0], last=5, begin={0: 2})) == 8
