"""Feeds the board from its topics, without a group, whatever becomes of Kafka meanwhile. Shell."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from connector.kafka.admin import partitions_of
from connector.kafka.closing import close_consumer
from connector.kafka.errors import KafkaShellError, TopicMissing
from connector.kafka.reach import unreachable
from streams.board.hub import now_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams.board.feeds import Feed
    from streams.board.metrics import Metrics
    from streams.board.model import Board, Topic
    from streams.board.rows import Condition
    from streams.board.settings import Settings

_FETCH_MS = 200
_BATCH = 500
"""Records folded at a stretch: about 10 ms, in which nobody else is served."""
_PROBE_S = 2.0
_PROBE_TIMEOUT_S = 10.0
_RETRY_S = 2.0
_DAY_S = 86_400.0

log = structlog.get_logger("streams.board")


class Start(NamedTuple):
    """Where reading of a topic starts."""

    since_s: float | None
    """Seconds before now; None: at the beginning."""
    most: int | None = None
    """Records of a partition at most, the newest; None: all."""


STARTS: dict[Topic, Start] = {
    "wallet-stats.v1": Start(_DAY_S),  # who did nothing for longer is in no window
    "market-stats.v1": Start(_DAY_S),
    "alerts.v1": Start(_DAY_S, 5_000),
    "alert-grades.v1": Start(_DAY_S, 5_000),
    "coverage.v1": Start(None),
    "gaps.v1": Start(_DAY_S, 5_000),
}


class Reader:
    """Reads one topic for ever."""

    def __init__(self, settings: Settings, feed: Feed, board: Board, metrics: Metrics) -> None:
        self._settings = settings
        self._feed = feed
        self._board = board
        self._topic = settings.topic(feed.topic)
        self._start = STARTS.get(feed.topic, Start(settings.board_history))
        self._next: dict[TopicPartition, int] = {}
        """Offset to go on at, of every partition that was read before."""
        self._events = metrics.events.labels(feed.topic)

    async def run(self) -> None:
        """Read; say why not while it cannot, and try again."""
        while True:
            try:
                await self._session()
            except TopicMissing:
                self._fault("missing", f"no topic {self._topic} yet")
            except (KafkaShellError, KafkaError, OSError, TimeoutError) as error:
                self._fault("away", str(error) or "Kafka does not answer")
            await asyncio.sleep(_RETRY_S)

    async def _session(self) -> None:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            numbers = await partitions_of(self._settings.kafka, self._topic, **self._settings.client())
        async with _consumer(self._settings) as consumer:
            tps = [TopicPartition(self._topic, number) for number in numbers]
            consumer.assign(tps)
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                begins = await self._begins(consumer, tps)
            for tp, offset in begins.items():
                consumer.seek(tp, offset)
            self._next = begins
            await self._follow(consumer, tps)

    async def _follow(self, consumer: AIOKafkaConsumer, tps: list[TopicPartition]) -> None:
        """Fold what comes, and ask now and then for the ends: `getmany` does not tell an idle topic from no broker."""
        loop, asked = asyncio.get_running_loop(), 0.0
        while True:
            if loop.time() - asked > _PROBE_S:
                async with asyncio.timeout(_PROBE_TIMEOUT_S):
                    ends = await consumer.end_offsets(tps)
                asked = loop.time()
                self._progress(sum(max(0, end - self._next[tp]) for tp, end in ends.items()))
            for tp, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_BATCH)).items():
                for record in records:
                    self._board.absorb(self._feed.topic, record)
                self._next[tp] = records[-1].offset + 1
                self._events.inc(len(records))
            await asyncio.sleep(0)

    async def _begins(self, consumer: AIOKafkaConsumer, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where to begin, or to go on where the topic is still the one that was read."""
        firsts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        begins: dict[TopicPartition, int] = dict(firsts)
        if self._start.since_s is not None:
            since = now_ms() - round(self._start.since_s * 1_000)
            found = await consumer.offsets_for_times(dict.fromkeys(tps, since))
            begins = {tp: at.offset if (at := found[tp]) else ends[tp] for tp in tps}
        for tp in tps:
            if self._start.most is not None:
                begins[tp] = max(begins[tp], ends[tp] - self._start.most)
            if firsts[tp] <= self._next.get(tp, -1) <= ends[tp]:
                begins[tp] = self._next[tp]
        return begins

    def _progress(self, behind: int) -> None:
        if self._feed.condition in ("missing", "away"):
            log.info("board.topic_back", topic=self._topic)
        self._feed.progress(behind)

    def _fault(self, condition: Condition, detail: str) -> None:
        if self._feed.condition != condition:
            log.warning("board.topic_unread", topic=self._topic, condition=condition, error=detail)
        self._feed.fault(condition, detail)


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer, and close it without waiting for a broker that is not there."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",  # what retention deletes under a slow reader ends the session; the next goes on
        **settings.client(),
    )
    try:
        try:
            await consumer.start()
        except KafkaConnectionError as error:
            raise await unreachable(settings.kafka, settings.client()) from error
        yield consumer
    finally:
        await close_consumer(consumer)
