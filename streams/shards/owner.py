"""Which shards this worker serves: follows the group's assignment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import TopicPartition

from streams.shards.following import UNCHANGING, Following
from streams.shards.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from streams.jobs import Job
    from streams.metrics import Metrics
    from streams.shards.kafka import ClientOptions
    from streams.shards.outputs import Outputs
    from streams.shards.standing import Standing
    from streams.shards.timing import Timing
    from streams.transport import Consumer, Mailbox

CANCEL_TIMEOUT_S = 5.0
"""Longest wait for a cancelled shard to close its connections."""

log = structlog.get_logger(__name__)


class Owner:
    """Starts a shard for every assigned partition of its jobs, and releases it when it is revoked."""

    def __init__(
        self,
        jobs: Iterable[Job[Any]],
        *,
        options: ClientOptions,
        consumer: Callable[[], Consumer],
        outputs: Outputs,
        timing: Timing,
        release_timeout_s: float,
        on_defect: Callable[[BaseException], Awaitable[None]],
        metrics: Metrics,
        rules: Following = UNCHANGING,
        shard_type: type[Shard[Any]] = Shard,
    ) -> None:
        self._jobs = {job.source_topic: job for job in jobs}
        self._options = options
        self._consumer = consumer
        self._outputs = outputs
        self._timing = timing
        self._release_timeout_s = release_timeout_s
        self._on_defect = on_defect
        self._metrics = metrics
        self._rules = rules
        self._shard_type = shard_type
        self._shards: dict[TopicPartition, Shard[Any]] = {}
        self._tasks: dict[TopicPartition, asyncio.Task[None]] = {}
        self._releasing = asyncio.Lock()
        self.closed = False
        """Whether no shard is started any more."""
        self.joined = False
        """Whether the group has said which partitions are ours, and has not taken them back since."""

    def assign(self, assigned: Iterable[TopicPartition]) -> None:
        """Start a shard for each partition that has none; restoring goes on in the background."""
        self.joined = not self.closed
        self._metrics.rebalances.inc()
        for topic, partition in assigned:
            tp = TopicPartition(topic, partition)
            if topic in self._jobs and tp not in self._shards and not self.closed:
                shard = self._shards[tp] = self._shard_type(
                    tp,
                    self._jobs[topic],
                    options=self._options,
                    consumer=self._consumer(),
                    outputs=self._outputs,
                    timing=self._timing,
                    metrics=self._metrics,
                    rules=self._rules,
                )
                self._tasks[tp] = asyncio.create_task(self._guard(shard), name=f"shard {topic} {partition}")

    async def _guard(self, shard: Shard[Any]) -> None:
        try:
            await shard.run()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # whatever it is, the worker must not go on without the shard
            self._metrics.shard_failures.labels("defect").inc()
            log.critical("shard.failed", topic=shard.tp.topic, partition=shard.tp.partition, exc_info=error)
            await self._on_defect(error)

    async def revoke(self) -> None:
        """
        Release every shard: finish folds, await outputs, remember, commit, discard.

        Takes at most the release timeout; what is not done by then is skipped, because the next
        owner's fence and the position make that safe.
        """
        self.joined = False
        async with self._releasing:
            shards, self._shards = self._shards, {}
            tasks, self._tasks = self._tasks, {}
            for tp, shard in shards.items():
                shard.release()
                if shard.session is None:  # nothing to remember: a restore is not worth waiting for
                    tasks[tp].cancel()
            await self._ended(tasks.values())

    async def close(self) -> None:
        """Release every shard and start none any more, even if an assignment is still on its way."""
        self.closed = True
        await self.revoke()

    async def _ended(self, tasks: Collection[asyncio.Task[None]]) -> None:
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._release_timeout_s)
        for task in late:
            log.warning("shard.release_timed_out", task=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CANCEL_TIMEOUT_S)

    def standings(self) -> list[Standing]:
        """Return how far each shard is."""
        return [shard.standing() for shard in self._shards.values()]

    def deliver(self, mailbox: Mailbox) -> None:
        """Let the mailbox of a partition wake its shard from now on."""
        shard = self._shards.get(mailbox.tp)
        if shard is not None and shard.session is not None and not mailbox.released:
            mailbox.listen(shard.session.wake)

    async def tick_forever(self) -> None:
        """Wake every shard regularly, so that windows decay while partitions are silent."""
        while True:
            await asyncio.sleep(self._timing.tick_interval_s)
            self.wake()

    def wake(self) -> None:
        """Let every shard look whether there is something to do."""
        for shard in list(self._shards.values()):
            if shard.session is not None:
                shard.session.wake()
