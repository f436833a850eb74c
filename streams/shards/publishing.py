"""What a shard puts out: alerts at once, statistics at intervals; and what of it is not acknowledged yet. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from streams.effects import Effects
from streams.shards.kafka import forget
from streams.shards.timing import SWEEP_MS, Pace, Timing
from streams.shards.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.jobs import Job
    from streams.shards.live import Live
    from streams.shards.meter import Meter
    from streams.shards.outputs import Outputs
    from streams.transport import Mailbox

V = TypeVar("V", bound=Value)


class Publishing(Generic[V]):
    """Sends what the fold brings. `wake` is called when statistics that had to wait may go."""

    def __init__(
        self,
        job: Job[V],
        live: Live[V],
        *,
        mailbox: Mailbox,
        outputs: Outputs,
        timing: Timing,
        meter: Meter,
        wake: Callable[[], None],
    ) -> None:
        self._job = job
        self._live = live
        self._mailbox = mailbox
        self._outputs = outputs
        self._timing = timing
        self._meter = meter
        self._wake = wake
        self._sent: list[asyncio.Future[Any]] = []
        self._statistics_at = 0.0
        self._statistics_timer: asyncio.TimerHandle | None = None
        self._swept_at = 0

    def take_sent(self) -> list[asyncio.Future[Any]]:
        """Return what was sent since the last call, each done when it is acknowledged."""
        sent, self._sent = self._sent, []
        return sent

    def close(self) -> None:
        """Send nothing more; what is not acknowledged yet is somebody else's to repeat."""
        forget(self._sent)
        if self._statistics_timer is not None:
            self._statistics_timer.cancel()

    async def publish(self, effects: Effects) -> None:
        """Send what a batch, or a part of it, brought; statistics only if it is time."""
        await self._send_urgent(effects)
        for (topic, partition), items in effects.take_bulk().items():
            self._sent.append(await self._outputs.send_to(topic, partition, items))
        behind = len(self._mailbox) > 0
        interval = self._timing.statistics_behind_s if behind else self._timing.statistics_interval_s
        wait = self._statistics_at + interval - time.monotonic()
        if wait <= 0:
            await self.statistics(self._live.clock)
        elif self._statistics_timer is None and not behind:
            self._statistics_timer = asyncio.get_running_loop().call_later(wait, self._wake)

    async def statistics(self, at: int) -> None:
        """Send the statistics that have changed, at a time (ms), and what that time alone brings."""
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
        sent = await self._outputs.send_to(self._job.statistics_topic, self._live.partition, items)
        self._meter.statistics(len(items), sent)
        self._sent.append(sent)

    async def _tick(self, subjects: Iterable[str], at: int) -> None:
        """Tell the alerts that time alone brings."""
        effects = Effects(admitted_ns=time.time_ns())
        pace = Pace()
        for subject in subjects:
            self._job.tick(self._live, subject, at, effects)
            if pace.due():
                await asyncio.sleep(0)
        await self._send_urgent(effects)

    async def _send_urgent(self, effects: Effects) -> None:
        for output in effects.take_urgent():
            sent = await self._outputs.send(output)
            self._meter.urgent(output, sent)
            self._sent.append(sent)

    async def forget_idle(self) -> None:
        """Drop who had no order for weeks, with statistics and state; once an hour of the log is soon enough."""
        if self._live.clock < self._swept_at + SWEEP_MS:
            return
        self._swept_at = self._live.clock
        if tombstones := self._job.forget_idle(self._live):
            topic, partition = self._job.statistics_topic, self._live.partition
            self._sent.append(await self._outputs.send_to(topic, partition, tombstones))
