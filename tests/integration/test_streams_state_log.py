"""The state log and the check of its source, on a real broker."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError, ProducerFenced

from streams.shards.live import Live
from streams.shards.position import POSITION_SCHEMA, Position, fingerprint
from streams.shards.source import SourceRecreated, verify_source
from streams.shards.state_log import StateLog
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.local.broker import LocalKafka
    from streams.shards.values import Value


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what a fenced producer leaves: its unretrieved futures report when they die, wherever that happens."""
    yield
    gc.collect()


async def restored(log: StateLog) -> dict[bytes, bytes | None]:
    """Return what a restore yields in the end."""
    return {record.key: record.value async for records in log.restore() for record in records}


@pytest.fixture
async def topic(kafka: LocalKafka, topic_prefix: str) -> str:
    """Return an empty state topic."""
    await prepare(kafka.bootstrap, topic_prefix, 1)
    return f"{topic_prefix}wallet-state.v2"


async def test_what_was_remembered_is_restored(kafka: LocalKafka, topic: str) -> None:
    """The last value of each key counts, also after several remembers and with a forgotten key."""
    log = StateLog({"bootstrap_servers": kafka.bootstrap}, topic, 0)
    await log.take_over()
    assert await restored(log) == {}
    await log.remember({b"a": b"1", b"b": b"2"})
    await log.remember({b"a": b"3", b"b": None})
    assert await restored(log) == {b"a": b"3", b"b": None}
    await log.close()


async def test_a_remember_larger_than_any_batch_is_one_transaction(kafka: LocalKafka, topic: str) -> None:
    """Four megabytes in 5,000 values are all there, or, from a writer that was fenced before, none."""
    options = {"bootstrap_servers": kafka.bootstrap}
    first, second = StateLog(options, topic, 0), StateLog(options, topic, 0)
    large = {b"%d" % number: bytes([number % 251]) * 800 for number in range(5_000)}
    await first.take_over()
    await first.remember(large)
    await second.take_over()
    with pytest.raises(KafkaError):
        await first.remember(dict.fromkeys(large, b"stale"))
    assert await restored(second) == large
    await first.close()
    await second.close()


async def test_taking_over_fences_the_former_owner_and_aborts_what_it_had_begun(kafka: LocalKafka, topic: str) -> None:
    """
    One writes without committing; two takes over; one wakes up.

        one   begin, send ................ commit: fenced
        two               take over, restore: nothing of it
    """
    options = {"bootstrap_servers": kafka.bootstrap}
    one, two = StateLog(options, topic, 0), StateLog(options, topic, 0)
    await one.take_over()
    await one.remember({b"a": b"committed"})
    assert one._producer is not None
    await one._producer.begin_transaction()
    await one._producer.send_and_wait(topic, b"uncommitted", b"a", 0)
    await two.take_over()
    assert await restored(two) == {b"a": b"committed"}
    with pytest.raises(ProducerFenced):
        await one._producer.commit_transaction()
    await two.remember({b"a": b"two"})
    assert await restored(two) == {b"a": b"two"}
    await one.close()
    await two.close()


async def written(kafka: LocalKafka, topic: str, count: int) -> None:
    """Write `count` records to partition 0."""
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        for number in range(count):
            await producer.send_and_wait(topic, b"%d" % number, b"k", 0)


def at(offset: int, value: bytes) -> Live[Value]:
    """Return a state that has absorbed the record `value` at `offset` last."""
    return Live(0, Position(POSITION_SCHEMA, offset, fingerprint(b"k", value), 0), lambda *_: None)


async def test_the_same_source_is_accepted(kafka: LocalKafka, topic_prefix: str) -> None:
    """A position inside the log, with the record that was absorbed there, and one before the first record."""
    await prepare(kafka.bootstrap, topic_prefix, 1)
    source = TopicPartition(f"{topic_prefix}orders.v1", 0)
    await written(kafka, source.topic, 3)
    options = {"bootstrap_servers": kafka.bootstrap}
    for live in (at(2, b"2"), at(0, b"0"), at(-1, b"")):
        before = live.offset
        await verify_source(options, source, live)
        assert live.offset == before


@pytest.mark.parametrize(
    ("offset", "value", "complaint"), [(7, b"7", "ends at offset 3"), (1, b"other", "another record at offset 1")]
)
async def test_a_recreated_source_stops_the_worker_with_the_remedy(
    kafka: LocalKafka, topic_prefix: str, offset: int, value: bytes, complaint: str
) -> None:
    """A log that ends before the position, or holds something else there, is not the one that was read."""
    await prepare(kafka.bootstrap, topic_prefix, 1)
    source = TopicPartition(f"{topic_prefix}orders.v1", 0)
    await written(kafka, source.topic, 3)
    with pytest.raises(SourceRecreated, match=f"{complaint}.*Delete the state topic"):
        await verify_source({"bootstrap_servers": kafka.bootstrap}, source, at(offset, value))


async def test_a_range_that_retention_took_is_reported_and_left_behind(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The worker was away for longer than the topic keeps records.

        offsets   0 1 2 3 4 5
        position    ^           (absorbed up to 1)
        log start         ^     (2 and 3 are gone)
    """
    await prepare(kafka.bootstrap, topic_prefix, 1)
    source = TopicPartition(f"{topic_prefix}orders.v1", 0)
    await written(kafka, source.topic, 6)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_records({source: RecordsToDelete(before_offset=4)})
    await admin.close()
    live = at(1, b"1")
    await verify_source({"bootstrap_servers": kafka.bootstrap}, source, live)
    assert live.offset == 3
    assert "source.records_lost" in capsys.readouterr().out
