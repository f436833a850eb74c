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
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from streams.effects import Effects
from streams.shards.admission import Admission, Tail, Verdict
from streams.shards.position import fingerprint
from streams.shards.publishing import Publishing
from streams.shards.remembering import Remembering
from streams.shards.standing import Working
from streams.shards.timing import ASIDE_S, YIELD_EVERY_S, Pace, Timing, phase
from streams.shards.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord

    from streams.jobs import Job
    from streams.shards.following import Following
    from streams.shards.live import Live
    from streams.shards.meter import Meter
    from streams.shards.outputs import Outputs
    from streams.shards.sizes import Sizes
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
        sizes: Sizes,
        meter: Meter,
    ) -> None:
        self._job = job
        self._live = live
        self._mailbox = mailbox
        self._consumer = consumer
        self._timing = timing
        self._rules = rules
        self._meter = meter
        self._rules_version = -1
        self._admission = self.admission_type(live.offset)
        self._folding = asyncio.Lock()
        self._wake = asyncio.Event()
        self._released = asyncio.Event()
        self._tail = Tail(timing.stall_s, time.monotonic())
        self._publishing = Publishing(
            job, live, mailbox=mailbox, outputs=outputs, timing=timing, meter=meter, wake=self._wake.set
        )
        self._remembering = Remembering(
            job,
            live,
            self._publishing,
            tp=mailbox.tp,
            consumer=consumer,
            outputs=outputs,
            state_log=state_log,
            sizes=sizes,
            meter=meter,
        )

    # -- what others see -----------------------------------------------------------------------------

    def standing(self) -> Working:
        """Return how far it is."""
        return Working(
            following=self._admission.next,
            end=self._consumer.end_offset(self._mailbox),
            empty_to=self._tail.empty_to,
            remembered_offset=self._remembering.offset,
            remembered_at=self._remembering.at,
            subjects=len(self._live.values),
            state_bytes=self._remembering.state_bytes,
        )

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
        self._publishing.close()
        self._consumer.release(self._mailbox)

    async def run(self) -> None:
        """Work until released, then remember a last time."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume())
            tasks.create_task(self._remember_regularly())
            tasks.create_task(self._schedule_rest())
        await self._remembering.remember(self._folding)

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
        last, folded = None, 0
        for record in records:
            verdict = self._admission.judge(record.offset)
            if verdict is Verdict.ADMIT:
                self._job.absorb(self._live, record, effects)
                self._live.offset = record.offset
                last = record
                folded += 1
            elif verdict is Verdict.JUMP:
                self._rewind("jump", record.offset)
                break
            if pace.due():
                await self._publishing.publish(effects)
                await asyncio.sleep(0)
        if last is not None:
            self._live.fingerprint = fingerprint(last.key, last.value)
            self._meter.folded(folded, oldest_ms=records[0].timestamp, taken_ns=effects.admitted_ns)
        await self._publishing.publish(effects)

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
        await self._publishing.statistics(max(self._live.clock, time.time_ns() // 1_000_000 - self._timing.grace_ms))

    async def _schedule_rest(self) -> None:
        """Find out when restored subjects change next, a little at a time: orders go first."""
        pace = Pace(ASIDE_S)
        while self._live.schedule_rest() and not self._released.is_set():
            if pace.due():
                await asyncio.sleep(YIELD_EVERY_S)

    # -- remember ------------------------------------------------------------------------------------

    async def _remember_regularly(self) -> None:
        wait = self._timing.remember_interval_s * phase(self._mailbox.tp)
        while not self._released.is_set():
            try:
                await asyncio.wait_for(self._released.wait(), wait)
            except TimeoutError:
                await self._remembering.remember(self._folding)
                wait = self._timing.remember_interval_s
