"""Tells one target what is due, one notification after the other. Shell."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from streams.notify.message import message
from streams.notify.outcome import Attempt, wait_s
from streams.notify.records import DeadNotification

if TYPE_CHECKING:
    from connector.process.mask import Mask
    from streams.notify.clock import Clock
    from streams.notify.groups import Groups, Told
    from streams.notify.ledger import Ledger
    from streams.notify.metrics import Metrics
    from streams.notify.sending import Sender
    from streams.notify.targets import Target
    from streams.notify.templates import Templates

log = structlog.get_logger(__name__)


class Dispatcher:
    """
    The pace of one target is its own: nobody waits for it, and what comes meanwhile is gathered by its groups.

    A notification is on record before it is sent, so that after a crash the same is sent with the same key.
    """

    def __init__(
        self,
        target: Target,
        sender: Sender,
        groups: Groups,
        *,
        ledger: Ledger,
        templates: Templates,
        mask: Mask,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._target = target
        self._sender = sender
        self._groups = groups
        self._ledger = ledger
        self._templates = templates
        self._mask = mask
        self._metrics = metrics
        self._clock = clock
        self._woken = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.attempting_since: float | None = None
        """Seconds of the event loop's clock; None: no attempt is under way."""

    def start(self) -> asyncio.Task[None]:
        """Begin; the task ends by `close`, or by a defect."""
        self._task = asyncio.create_task(self._run(), name=f"notify {self._target.name}")
        return self._task

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    async def close(self, grace_s: float) -> None:
        """End; an attempt under way has so long to succeed, or it is made again by whoever comes next."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=grace_s)
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._sender.close()

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            told = self._groups.take(self._target.name, self._clock.now_ms())
            if told is None:
                await self._pause(self._until_due())
                continue
            await self._ledger.remember([told.group], self._groups.memory)
            if not await self._deliver(told):
                return
            self._groups.settle(told.group, self._clock.now_ms())

    def _until_due(self) -> float | None:
        due = self._groups.due_at(self._target.name)
        return None if due is None else max(0.0, (due - self._clock.now_ms()) / 1_000)

    async def _deliver(self, told: Told) -> bool:
        """Try until it is sent, or dead; return False where the process ends before."""
        loop = asyncio.get_running_loop()
        begun, failures = loop.time(), 0
        while True:
            attempt = await self._attempt(told)
            if attempt.result == "sent":
                self._count("sent")
                if failures:
                    log.info("notify.recovered", receiver=self._target.receiver, failures=failures)
                return True
            failures += 1
            wait = wait_s(failures, attempt, random.random())  # noqa: S311  # not cryptography
            gave_up = loop.time() + wait - begun > self._target.retry_for_ms / 1_000
            if attempt.result == "refused" or gave_up:
                await self._bury(told, attempt, failures)
                return True
            self._count("retried")
            log.warning(
                "notify.failed",
                receiver=self._target.receiver,
                error=attempt.detail,
                failures=failures,
                again_in_s=round(wait, 1),
            )
            if await self._stopped_within(wait):
                return False

    async def _attempt(self, told: Told) -> Attempt:
        text = message(told.notification, self._templates, most=self._sender.most)
        loop = asyncio.get_running_loop()
        self.attempting_since = loop.time()
        try:
            return await self._sender.send(told.notification, text)
        finally:
            self._metrics.send_seconds.labels(self._target.receiver).observe(loop.time() - self.attempting_since)
            self.attempting_since = None

    async def _bury(self, told: Told, attempt: Attempt, failures: int) -> None:
        notification = told.notification
        text = message(notification, self._templates, most=self._sender.most)
        letter = DeadNotification(
            reason="refused" if attempt.result == "refused" else "gave-up",
            detail=f"{self._mask.text(attempt.detail)} (attempt {failures})",
            notification=notification,
            title=text.title,
            body=text.body,
            at=self._clock.now_ms(),
        )
        await self._ledger.bury(notification.key, letter)
        self._count("dead")
        self._metrics.alerts.labels("dead").inc(notification.counts.total if notification.kind == "new" else 0)
        log.error("notify.dead", receiver=self._target.receiver, reason=letter.reason, detail=letter.detail)

    def _count(self, outcome: str) -> None:
        self._metrics.notifications.labels(self._target.receiver, outcome).inc()

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait; return at once, and True, when the process is to end."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not self._stopping and (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._woken.clear()
            await self._pause(left)
        return self._stopping

    async def _pause(self, seconds: float | None) -> None:
        """Wait for a wake-up, so long at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
