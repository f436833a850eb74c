"""
What a notifier does with the partitions it has, from their assignment to their end. Shell.

An offset is committed when all alerts before it are settled: sent, dead, silenced, or nobody's. What groups know
besides (what is under way, what goes on firing) is in the ledger before the commit that depends on it.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from connector.contract.errors import InvalidRecord
from connector.contract.record import MAX_RAW
from streams.notify.batch import Place
from streams.notify.dispatcher import Dispatcher
from streams.notify.records import DeadNotification
from streams.notify.sending import sender_of
from streams.records import Alert, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from connector.process.mask import Mask
    from streams.notify.clock import Clock
    from streams.notify.config import Config
    from streams.notify.groups import Groups
    from streams.notify.ledger import Ledger
    from streams.notify.metrics import Metrics

_POLL_MS = 200
_BATCH = 1_000
_REMEMBER_S = 1.0
_GRACE_S = 5.0
_KAFKA_S = 10.0
"""How long a commit, or the last things to remember, may take: a client waits for a broker for ever."""

log = structlog.get_logger(__name__)


class Session:
    """Reads, dispatches, commits; `run` ends when it is told to, and raises what is a defect."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        begins: Mapping[TopicPartition, int],
        groups: Groups,
        *,
        config: Config,
        ledger: Ledger,
        mask: Mask,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._consumer = consumer
        self._positions = dict(begins)
        self._committed = dict(begins)
        self._groups = groups
        self._ledger = ledger
        self._metrics = metrics
        self._clock = clock
        self.dispatchers = [
            Dispatcher(
                target,
                sender_of(target, clock.now_s),
                groups,
                ledger=ledger,
                templates=config.templates,
                mask=mask,
                metrics=metrics,
                clock=clock,
            )
            for target in config.all_targets()
        ]

    async def run(self, over: Callable[[], bool], step: Callable[[], None]) -> None:
        """Work until `over`; `step` is called again and again, as long as there is progress."""
        tasks = [each.start() for each in self.dispatchers]
        loop = asyncio.get_running_loop()
        next_remember = loop.time() + _REMEMBER_S
        try:
            while not over():
                step()
                await self._take_in()
                for task in tasks:
                    if task.done():
                        task.result()
                if loop.time() >= next_remember:
                    await self._remember()
                    next_remember = loop.time() + _REMEMBER_S
        finally:
            await asyncio.gather(*[each.close(_GRACE_S) for each in self.dispatchers])
        try:
            async with asyncio.timeout(_KAFKA_S):
                await self._remember()
        except TimeoutError:
            log.warning("notify.not_remembered", remedy="nothing is lost: what was sent last is sent again")

    def gauges(self) -> None:
        """Bring the gauges up to date."""
        ends = {tp: self._consumer.highwater(tp) for tp in self._positions if tp in self._consumer.assignment()}
        self._metrics.lag_records.set(sum(max(0, (end or 0) - self._positions[tp]) for tp, end in ends.items()))
        self._metrics.pending_alerts.set(self._groups.pending)
        self._metrics.groups.set(len(self._groups))

    def stuck_s(self) -> float:
        """Return for how long the longest attempt is under way."""
        now = asyncio.get_running_loop().time()
        return max((now - each.attempting_since for each in self.dispatchers if each.attempting_since), default=0.0)

    async def _take_in(self) -> None:
        batches: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
            timeout_ms=_POLL_MS, max_records=_BATCH
        )
        for tp, records in batches.items():
            for record in records if tp in self._positions else ():
                await self._take(record)
                self._positions[tp] = record.offset + 1
        if batches:
            for dispatcher in self.dispatchers:
                dispatcher.wake()

    async def _take(self, record: ConsumerRecord) -> None:
        try:
            alert = decode(Alert, record.value or b"")
        except InvalidRecord as error:
            await self._bury(record, error)
            return
        outcome = self._groups.add(alert, Place(record.partition, record.offset), self._clock.now_ms())
        self._metrics.alerts.labels(outcome).inc()

    async def _bury(self, record: ConsumerRecord, error: InvalidRecord) -> None:
        raw = record.value or b""
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        letter = DeadNotification(
            reason="bad-record",
            detail=str(error)[:1_000],
            origin=origin,
            raw=base64.b64encode(raw[:MAX_RAW]).decode("ascii"),
            size=len(raw) if len(raw) > MAX_RAW else None,
            at=self._clock.now_ms(),
        )
        await self._ledger.bury(origin, letter)
        self._metrics.alerts.labels("dead").inc()
        log.error("notify.bad_record", origin=origin, error=str(error)[:1_000])

    async def _remember(self) -> None:
        """Write what changed, then commit up to where all is settled."""
        held = self._groups.held()
        settled = {tp: min(position, held.get(tp.partition, position)) for tp, position in self._positions.items()}
        await self._ledger.remember(self._groups.changed(), self._groups.memory)
        ahead = {tp: offset for tp, offset in settled.items() if offset > self._committed[tp]}
        if ahead and await self._commits(ahead):
            self._committed |= ahead
        self._groups.forget({tp.partition: offset for tp, offset in self._committed.items()}, self._clock.now_ms())

    async def _commits(self, offsets: dict[Any, int]) -> bool:
        try:
            async with asyncio.timeout(_KAFKA_S):
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            return False  # the partitions are another one's; what is not committed is sent again there
        except (KafkaError, TimeoutError) as error:
            log.warning("notify.not_committed", error=f"{type(error).__name__}: {error}")
            return False
        return True
