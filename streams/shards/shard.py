"""
One shard from assignment to revocation: take over, restore, verify, work, close.

Whatever Kafka refuses, the answer is the same: discard the live state and take over again from
what Kafka holds. Anything else is a defect and stops the worker.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog
from aiokafka.errors import KafkaError, ProducerFenced

from streams.shards.following import UNCHANGING, Following
from streams.shards.live import Live
from streams.shards.meter import Meter
from streams.shards.position import POSITION_KEY, SCORE_KEY, START, decode_position, encode_position
from streams.shards.session import Session
from streams.shards.sizes import Sizes
from streams.shards.source import verify_source
from streams.shards.standing import Standing
from streams.shards.state_log import StateLog
from streams.shards.timing import Pace, Timing
from streams.shards.values import Value
from streams.stats.tally import Tally

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from streams.jobs import Job
    from streams.metrics import Metrics
    from streams.shards.kafka import ClientOptions
    from streams.shards.outputs import Outputs
    from streams.transport import Consumer

V = TypeVar("V", bound=Value)

log = structlog.get_logger(__name__)


class Shard(Generic[V]):
    """Owns the state of one assigned partition."""

    session_type = Session

    def __init__(
        self,
        tp: TopicPartition,
        job: Job[V],
        *,
        options: ClientOptions,
        consumer: Consumer,
        outputs: Outputs,
        timing: Timing,
        metrics: Metrics,
        rules: Following = UNCHANGING,
    ) -> None:
        self.tp = tp
        self._job = job
        self._options = options
        self._consumer = consumer
        self._outputs = outputs
        self._timing = timing
        self._rules = rules
        self._meter = Meter(metrics, job.label)
        self._sizes = Sizes({})
        self._attempts = 0
        self._restored = 0
        self._released = asyncio.Event()
        self.session: Session[V] | None = None
        """The work in progress; None while the state is being restored."""

    async def run(self) -> None:
        """Serve until released."""
        while not self._released.is_set():
            try:
                await self._serve()
            except* ProducerFenced:
                # The new owner is right until the group says otherwise: do not fence it back at once.
                self._meter.failed("fenced")
                log.warning("shard.fenced", topic=self.tp.topic, partition=self.tp.partition)
                await self._pause(self._timing.fenced_backoff_s)
            except* KafkaError as group:
                self._meter.failed("kafka")
                log.warning(
                    "shard.discarded",
                    topic=self.tp.topic,
                    partition=self.tp.partition,
                    errors=[repr(error) for error in group.exceptions],
                )
                await self._pause(self._timing.retry_backoff_s)

    def standing(self) -> Standing:
        """Return how far it is."""
        working = None if self.session is None else self.session.standing()
        return Standing(self.tp.topic, self.tp.partition, self._job.label, self._attempts, self._restored, working)

    def release(self) -> None:
        """Finish the fold, publish, remember, and let `run` end."""
        self._released.set()
        if self.session is not None:
            self.session.release()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), seconds)

    async def _serve(self) -> None:
        self._attempts += 1
        state_log = StateLog(self._options, self._job.state_topic, self.tp.partition)
        try:
            await self._outputs.start()
            await state_log.take_over()
            live = await self._restore(state_log)
            if live.offset < 0:
                await self._begin(state_log, live)
            await verify_source(self._options, self.tp, live)
            if not self._released.is_set():
                await self._work(state_log, live)
        finally:
            await state_log.close()

    async def _restore(self, state_log: StateLog) -> Live[V]:
        started = time.monotonic()
        stored: dict[bytes, bytes] = {}
        async for records in state_log.restore():
            self._restored += len(records)
            for record in records:
                if record.value is None:
                    stored.pop(record.key, None)
                else:
                    stored[record.key] = record.value
        self._sizes = Sizes(stored)
        found = stored.pop(POSITION_KEY, None)
        position = START if found is None else decode_position(found)
        live: Live[V] = Live(self.tp.partition, position, self._job.due, self._job.no_values())
        pace = Pace()
        for key in [key for key in stored if key.startswith(SCORE_KEY)]:
            live.scores[key.removeprefix(SCORE_KEY).decode()] = Tally.decode(stored.pop(key))
        for key, value in stored.items():
            live.restore(key.decode(), value)
            if pace.due():
                await asyncio.sleep(0)
        self._meter.restored(time.monotonic() - started)
        log.debug(
            "shard.restored",
            topic=self.tp.topic,
            partition=self.tp.partition,
            values=len(stored),
            seconds=round(time.monotonic() - started, 3),
        )
        return live

    async def _begin(self, state_log: StateLog, live: Live[V]) -> None:
        """Settle for good which records are history to us, before the first of them is folded."""
        if self._timing.history_ms is not None and not live.quiet_before:
            live.quiet_before = time.time_ns() // 1_000_000 - self._timing.history_ms
            await state_log.remember({POSITION_KEY: encode_position(live.position())})

    async def _first_offset(self, live: Live[V]) -> int:
        return live.offset + 1

    async def _work(self, state_log: StateLog, live: Live[V]) -> None:
        session = self.session_type(
            self._job,
            live,
            mailbox=self._consumer.claim(self.tp, await self._first_offset(live)),
            consumer=self._consumer,
            outputs=self._outputs,
            state_log=state_log,
            timing=self._timing,
            rules=self._rules,
            sizes=self._sizes,
            meter=self._meter,
        )
        self.session = session
        try:
            await session.run()
        finally:
            self.session = None
            session.close()
