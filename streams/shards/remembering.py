"""What a shard remembers, and up to where: one transaction of values and position at a time. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from streams.rules.ruleset import is_parked
from streams.shards.position import POSITION_KEY, SCORE_KEY, encode_position
from streams.shards.timing import Pace
from streams.shards.values import Value

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from streams.jobs import Job
    from streams.shards.live import Live
    from streams.shards.meter import Meter
    from streams.shards.outputs import Outputs
    from streams.shards.publishing import Publishing
    from streams.shards.sizes import Sizes
    from streams.shards.state_log import StateLog
    from streams.transport import Consumer

V = TypeVar("V", bound=Value)

COOLED_AT_ONCE = 200
"""Values encoded between two turns of the event loop, a few milliseconds' worth."""

log = structlog.get_logger(__name__)


class Remembering(Generic[V]):
    """Writes what changed since the last time."""

    def __init__(
        self,
        job: Job[V],
        live: Live[V],
        publishing: Publishing[V],
        *,
        tp: TopicPartition,
        consumer: Consumer,
        outputs: Outputs,
        state_log: StateLog,
        sizes: Sizes,
        meter: Meter,
    ) -> None:
        self._job = job
        self._live = live
        self._publishing = publishing
        self._tp = tp
        self._consumer = consumer
        self._outputs = outputs
        self._state_log = state_log
        self._sizes = sizes
        self._meter = meter
        self._reported = dict(live.errors)
        self.offset = live.offset
        """Of the last record whose effects are remembered."""
        self.at = time.monotonic()
        """When the last complete remember began: all that was folded by then is remembered."""

    @property
    def state_bytes(self) -> int:
        """What is remembered of values, scores and position, in bytes."""
        return self._sizes.total

    async def remember(self, folding: asyncio.Lock) -> None:
        """Bring what others see up to date, and write state and position; nothing is folded while that is gathered."""
        began = time.monotonic()
        async with folding:
            moved = self._live.offset != self.offset
            if moved:
                await self._publishing.statistics(self._live.clock)
                await self._publishing.forget_idle()
            offset = self._live.offset
            changes = await self._changes() if moved else {}
            while self._live.values.cool(COOLED_AT_ONCE):  # noqa: ASYNC110  # nobody else says when it is done
                await asyncio.sleep(0)
            sent = self._publishing.take_sent()
        await self._outputs.acknowledged(sent)
        self._report_duplicates()
        self._report_errors()
        if moved:
            writing = time.monotonic()
            await self._state_log.remember(changes)
            self._meter.remembered(len(changes), time.monotonic() - writing)
            self._sizes.update(changes)
            self.offset = offset
        self.at = began  # if nothing had moved, too: all that was folded by then is remembered
        if moved:
            await self._consumer.commit_position(self._tp, offset + 1)

    def _report_duplicates(self) -> None:
        if self._live.duplicates:
            topic, partition = self._tp
            log.debug("shard.duplicates_dropped", topic=topic, partition=partition, orders=self._live.duplicates)
            self._meter.duplicates(self._live.duplicates)
            self._live.duplicates = 0

    def _report_errors(self) -> None:
        """Name the rules that had no value since the last report; those that are parked are never evaluated again."""
        for number, count in self._live.errors.items():
            if new := count - self._reported.get(number, 0):
                self._meter.rule_failed(self._job.rules.rule_id(number), new)
                parked = is_parked(number, self._live.errors)
                say = log.error if parked else log.warning
                say("rule.failed", rule=self._job.rules.rule_id(number), times=count, parked=parked)
        self._reported = dict(self._live.errors)

    async def _changes(self) -> dict[bytes, bytes | None]:
        subjects, self._live.unremembered = self._live.unremembered, set()
        changes: dict[bytes, bytes | None] = {}
        pace = Pace()
        for subject in subjects:
            changes[subject.encode()] = self._live.values.encoded(subject)
            if pace.due():
                await asyncio.sleep(0)
        scores, self._live.unremembered_scores = self._live.unremembered_scores, set()
        changes |= {SCORE_KEY + name.encode(): self._live.scores[name].encode() for name in scores}
        changes[POSITION_KEY] = encode_position(self._live.position())
        return changes
