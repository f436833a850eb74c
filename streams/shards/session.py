"""
A restored shard at work: take -> admit -> fold -> publish -> remember -> advance.

Order of things, on which exactness rests:

1. Records are folded one at a time, in offset order, each once (`Admission`).
2. What the fold puts out is sent before the state that absorbed it is remembered, and a remember
   waits until everything sent before it is acknowledged.
3. A remember is one transaction of values and position.

So a crash repeats at most the outputs since the last remember, with the same ids, and state is exact.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog

from streams.effects import Effects
from streams.rules.ruleset import is_parked
from streams.shards.admission import Admission, Tail, Verdict
from streams.shards.kafka import forget
from streams.shards.live import Live, Value
from streams.shards.position import POSITION_KEY, SCORE_KEY, encode_position, fingerprint
from streams.shards.timing import SWEEP_MS, Pace, Timing, phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiokafka.structs import ConsumerRecord

    from streams.jobs import Job
    from streams.shards.following import Following
    from streams.shards.outputs import Outputs
    from streams.shards.state_log import StateLog
    from streams.transport import Consumer, Mailbox

V = TypeVar("V", bound=Value)

log = structlog.get_logger(__name__)


class Session(Generic[V]):
    """Live state, its mailbox, and what is under way to Kafka."""

    admission_type = Admission

    def __init__(
        self,
        job: Job[V],
        live: Live[V],
        *,
        mailbox: Mailbox,
        consumer: Consumer,
        outputs: Outputs,
        state_log: StateLog,
        timing: Timing,
        rules: Following,
    ) -> None:
        self._job = job
        self._live = live
        self._mailbox = mailbox
        self._consumer = consumer
        self._outputs = outputs
        self._state_log = state_log
        self._timing = timing
        self._rules = rules
        self._rules_version = -1
        self._admission = self.admission_type(live.offset)
        self._folding = asyncio.Lock()
        self._wake = asyncio.Event()
        self._released = asyncio.Event()
        self._unacknowledged: list[asyncio.Future[Any]] = []
        self._remembered_offset = live.offset
        self._statistics_at = 0.0
        self._statistics_timer: asyncio.TimerHandle | None = None
        self._reported = dict(live.errors)
        self._swept_at = 0
        self._tail = Tail(timing.stall_s, time.monotonic())

    # -- what the owner says -------------------------------------------------------------------------

    def wake(self) -> None:
        """Say that the mailbox holds records, or that time has passed."""
        self._wake.set()

    def release(self) -> None:
        """Finish the fold, publish, remember, and let `run` end."""
        self._released.set()
        self._wake.set()

    def close(self) -> None:
        """End the claim; what is not acknowledged yet is somebody else's to repeat."""
        forget(self._unacknowledged)
        if self._statistics_timer is not None:
            self._statistics_timer.cancel()
        self._consumer.release(self._mailbox)

    async def run(self) -> None:
        """Work until released, then remember a last time."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume())
            tasks.create_task(self._remember_regularly())
        await self._remember()

    # -- take, admit, fold ---------------------------------------------------------------------------

    async def _consume(self) -> None:
        while not self._released.is_set():
            await self._wake.wait()
            self._wake.clear()
            async with self._folding:
                if not self._rules.known():
                    continue  # whoever reads the rules wakes us
                await self._follow_rules()
                if records := self._consumer.take(self._mailbox):
                    await self._absorb(records)
                else:
                    await self._idle()

    async def _follow_rules(self) -> None:
        """Look again at what rules wait for, where they have changed."""
        if self._rules_version == self._rules.version:
            return
        self._rules_version = self._rules.version
        pace = Pace()
        for subject in self._live.ruled():
            self._live.schedule(subject, self._live.clock)
            if pace.due():
                await asyncio.sleep(0)

    async def _absorb(self, records: Sequence[ConsumerRecord]) -> None:
        effects = Effects(admitted_ns=time.time_ns())
        pace = Pace()
        self._tail.moved(time.monotonic())
        last = None
        for record in records:
            verdict = self._admission.judge(record.offset)
            if verdict is Verdict.ADMIT:
                self._job.absorb(self._live, record, effects)
                self._live.offset = record.offset
                last = record
            elif verdict is Verdict.JUMP:
                self._rewind("jump", record.offset)
                break
            if pace.due():
                await self._publish(effects)
                await asyncio.sleep(0)
        if last is not None:
            self._live.fingerprint = fingerprint(last.key, last.value)
        await self._publish(effects)

    def _rewind(self, why: str, ahead: int) -> None:
        log.warning(
            "shard.rewound",
            why=why,
            topic=self._mailbox.tp.topic,
            partition=self._mailbox.tp.partition,
            next=self._admission.next,
            ahead=ahead,
        )
        self._consumer.rewind(self._mailbox, self._admission.next)

    async def _idle(self) -> None:
        end = self._consumer.end_offset(self._mailbox)
        if end is None:
            return  # nothing was fetched yet: who knows what lies ahead
        if not self._tail.reached(self._admission.next, end):
            if self._tail.stalled(end, time.monotonic()):
                self._rewind("stall", end)
            return
        self._tail.moved(time.monotonic())
        await self._publish_statistics(max(self._live.clock, time.time_ns() // 1_000_000 - self._timing.grace_ms))

    # -- publish -------------------------------------------------------------------------------------

    async def _publish(self, effects: Effects) -> None:
        for output in effects.take_urgent():
            self._unacknowledged.append(await self._outputs.send(output))
        for (topic, partition), items in effects.take_bulk().items():
            self._unacknowledged.append(await self._outputs.send_to(topic, partition, items))
        behind = len(self._mailbox) > 0
        interval = self._timing.statistics_behind_s if behind else self._timing.statistics_interval_s
        wait = self._statistics_at + interval - time.monotonic()
        if wait <= 0:
            await self._publish_statistics(self._live.clock)
        elif self._statistics_timer is None and not behind:
            self._statistics_timer = asyncio.get_running_loop().call_later(wait, self._wake.set)

    async def _publish_statistics(self, at: int) -> None:
        self._statistics_at = time.monotonic()
        if self._statistics_timer is not None:
            self._statistics_timer.cancel()
            self._statistics_timer = None
        live = self._live
        await self._tick(live.expire(at), at)
        if not live.unpublished:
            return
        subjects, live.unpublished = live.unpublished, set()
        items = []
        pace = Pace()
        for subject in subjects:
            items.append(self._job.statistics(live, subject, at))
            live.schedule(subject, at)
            if pace.due():
                await asyncio.sleep(0)
        self._unacknowledged.append(
            await self._outputs.send_to(self._job.statistics_topic, self._mailbox.tp.partition, items)
        )

    async def _tick(self, subjects: Iterable[str], at: int) -> None:
        """Tell the alerts that time alone brings."""
        effects = Effects(admitted_ns=time.time_ns())
        pace = Pace()
        for subject in subjects:
            self._job.tick(self._live, subject, at, effects)
            if pace.due():
                await asyncio.sleep(0)
        for output in effects.take_urgent():
            self._unacknowledged.append(await self._outputs.send(output))

    # -- remember ------------------------------------------------------------------------------------

    async def _remember_regularly(self) -> None:
        wait = self._timing.remember_interval_s * phase(self._mailbox.tp)
        while not self._released.is_set():
            try:
                await asyncio.wait_for(self._released.wait(), wait)
            except TimeoutError:
                await self._remember()
                wait = self._timing.remember_interval_s

    async def _remember(self) -> None:
        async with self._folding:
            moved = self._live.offset != self._remembered_offset
            if moved:
                await self._publish_statistics(self._live.clock)
                await self._forget_idle()
            offset = self._live.offset
            changes = await self._changes() if moved else {}
            sent, self._unacknowledged = self._unacknowledged, []
        await self._outputs.acknowledged(sent)
        self._report_duplicates()
        self._report_errors()
        if moved:
            await self._state_log.remember(changes)
            self._remembered_offset = offset
            await self._consumer.commit_position(self._mailbox.tp, offset + 1)

    async def _forget_idle(self) -> None:
        """Drop who had no order for weeks, with statistics and state; once an hour of the log is soon enough."""
        if self._live.clock < self._swept_at + SWEEP_MS:
            return
        self._swept_at = self._live.clock
        if tombstones := self._job.forget_idle(self._live):
            topic, partition = self._job.statistics_topic, self._mailbox.tp.partition
            self._unacknowledged.append(await self._outputs.send_to(topic, partition, tombstones))

    def _report_duplicates(self) -> None:
        if self._live.duplicates:
            tp = self._mailbox.tp
            log.info("shard.duplicates_dropped", topic=tp.topic, partition=tp.partition, orders=self._live.duplicates)
            self._live.duplicates = 0

    def _report_errors(self) -> None:
        """Name the rules that had no value since the last report; those that are parked are never evaluated again."""
        for number, count in self._live.errors.items():
            if count != self._reported.get(number, 0):
                parked = is_parked(number, self._live.errors)
                say = log.error if parked else log.warning
                say("rule.failed", rule=self._job.rules.rule_id(number), times=count, parked=parked)
        self._reported = dict(self._live.errors)

    async def _changes(self) -> dict[bytes, bytes | None]:
        subjects, self._live.unremembered = self._live.unremembered, set()
        changes: dict[bytes, bytes | None] = {}
        pace = Pace()
        for subject in subjects:
            value = self._live.values.get(subject)
            changes[subject.encode()] = None if value is None else value.encode()
            if pace.due():
                await asyncio.sleep(0)
        scores, self._live.unremembered_scores = self._live.unremembered_scores, set()
        changes |= {SCORE_KEY + name.encode(): self._live.scores[name].encode() for name in scores}
        changes[POSITION_KEY] = encode_position(self._live.position())
        return changes
