"""Reads what a topic holds, up to a known end, without a group. Shell."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError

from connector.kafka.admin import partitions_of
from connector.kafka.closing import close_consumer
from connector.kafka.errors import ClusterUnreachable
from connector.kafka.reach import unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    Since = Mapping[int, int] | int | None
    Isolation = Literal["read_committed", "read_uncommitted"]

_FETCH_MS = 500
_FETCH_BYTES = 4 * 1024 * 1024
_BATCH = 5_000


class Reading:
    """Partitions of a topic between two offsets each; iterate over it once, for batches of records."""

    def __init__(
        self, consumer: AIOKafkaConsumer, begins: Mapping[int, int], ends: Mapping[int, int], batch: int
    ) -> None:
        self.begins = begins
        """Partition -> offset at which reading begins."""
        self.ends = ends
        """Partition -> offset at which it ends: the first one not read."""
        self._consumer = consumer
        self._batch = batch

    async def __aiter__(self) -> AsyncIterator[list[ConsumerRecord]]:
        """Yield records of one partition at a time, in order of their offsets."""
        left = {tp for tp in self._consumer.assignment() if self.begins[tp.partition] < self.ends[tp.partition]}
        while left:
            for tp, fetched in (await self._fetch(left)).items():
                if batch := [record for record in fetched if record.offset < self.ends[tp.partition]]:
                    yield batch
            for tp in list(left):
                # The position, not the last record's offset: compaction and transactions leave holes at the end.
                if await self._consumer.position(tp) >= self.ends[tp.partition]:
                    left.remove(tp)

    async def _fetch(self, left: Iterable[TopicPartition]) -> dict[TopicPartition, list[ConsumerRecord]]:
        try:
            found: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                *left, timeout_ms=_FETCH_MS, max_records=self._batch
            )
        except OffsetOutOfRangeError as error:
            if not await self._skip_deleted(left):
                raise ClusterUnreachable(f"a topic lost its end while it was read: {error}") from error
            return {}
        return found

    async def _skip_deleted(self, left: Iterable[TopicPartition]) -> bool:
        """Go on where a log begins that lost its head meanwhile, to its retention; return whether one did."""
        moved = False
        for tp, begin in (await self._consumer.beginning_offsets(list(left))).items():
            if await self._consumer.position(tp) < begin:
                self._consumer.seek(tp, begin)
                moved = True
        return moved


@asynccontextmanager
async def reading(
    bootstrap: str,
    topic: str,
    *,
    partitions: Iterable[int] | None = None,
    begin: Mapping[int, int] | None = None,
    since_ms: Since = None,
    until: Mapping[int, int] | None = None,
    last: int | None = None,
    batch: int = _BATCH,
    isolation: Isolation = "read_committed",
    **security: Any,
) -> AsyncIterator[Reading]:
    """
    Yield a `Reading` from the beginning, or a time, to the ends the partitions have now.

    Nothing here ends while a broker is away: bound it with `asyncio.timeout`.

    Args:
        bootstrap: `host:port`, or several.
        topic: It must exist, and is never created by being asked for.
        partitions: Which ones; None: all.
        begin: Partition -> offset to begin at, as an earlier reading's `ends` say; it wins over `since_ms`.
        since_ms: Unix milliseconds, of all partitions or by partition: read from the first record that is so young
            by its stamp (time of arrival, where the topic says so). None, or a partition not named: all.
        until: Partition -> offset to stop at instead of the end; one beyond the end is waited for.
        last: Offsets before the end of each partition to begin at, at the earliest.
        batch: Records that are yielded at a time, at most.
        isolation: `read_committed` ends at the first transaction still open.
        security: Further options of the client.

    Raises:
        ClusterUnreachable: no broker answers, or lets us in.
        TopicMissing: no such topic, where `partitions` is None.
    """
    numbers = sorted(await partitions_of(bootstrap, topic, **security) if partitions is None else partitions)
    async with _consumer(bootstrap, isolation, security) as consumer:
        tps = [TopicPartition(topic, number) for number in numbers]
        ends = await consumer.end_offsets(tps) if tps else {}
        begins = await _begins(consumer, tps, since_ms, ends) if tps else {}
        if last is not None:
            begins = {tp: max(offset, ends[tp] - last) for tp, offset in begins.items()}
        begins |= {tp: begin[tp.partition] for tp in tps if begin and tp.partition in begin}
        # Nothing is awaited between these, so no reset of the client's own can come between.
        consumer.assign(tps)
        for tp, offset in begins.items():
            consumer.seek(tp, offset)
        yield Reading(
            consumer,
            {tp.partition: offset for tp, offset in begins.items()},
            {tp.partition: end for tp, end in ends.items()} | dict(until or {}),
            batch,
        )


async def read_all(bootstrap: str, topic: str, **options: Any) -> list[ConsumerRecord]:
    """Return what `reading` with these options yields, in one list: in order of offsets by partition."""
    found: list[ConsumerRecord] = []
    async with reading(bootstrap, topic, **options) as batches:
        async for batch in batches:
            found += batch
    return found


async def end_offsets(
    bootstrap: str, topic: str, *, partitions: Iterable[int] | None = None, **security: Any
) -> dict[int, int]:
    """Return the offset that the next record of each partition will have; raises like `reading`."""
    numbers = await partitions_of(bootstrap, topic, **security) if partitions is None else partitions
    async with _consumer(bootstrap, "read_uncommitted", security) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in numbers])
        return {tp.partition: end for tp, end in ends.items()}


@asynccontextmanager
async def _consumer(bootstrap: str, isolation: Isolation, security: dict[str, Any]) -> AsyncIterator[Any]:
    """Yield a started consumer, and close it without waiting for a broker that is not there."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="none",  # a client that chooses a position silently hides what it skips
        max_partition_fetch_bytes=_FETCH_BYTES,
        **security,
    )
    try:
        try:
            await consumer.start()
        except KafkaConnectionError as error:
            raise await unreachable(bootstrap, security) from error
        yield consumer
    finally:
        await close_consumer(consumer)


async def _begins(
    consumer: AIOKafkaConsumer, tps: Iterable[TopicPartition], since_ms: Since, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """Return where to begin; `ends` were asked for before, so that what comes in between is not skipped."""
    begins: dict[TopicPartition, int] = await consumer.beginning_offsets(list(tps))
    times = {tp: since_ms.get(tp.partition) if isinstance(since_ms, Mapping) else since_ms for tp in tps}
    wanted = {tp: time for tp, time in times.items() if time is not None}
    if wanted:
        for tp, found in (await consumer.offsets_for_times(wanted)).items():
            begins[tp] = found.offset if found else ends[tp]
    return begins
