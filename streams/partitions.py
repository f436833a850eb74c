"""The state of all partitions of one topic, in one place: what a group of workers has, without the workers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from streams.shards.live import Live
from streams.shards.position import START
from streams.shards.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.effects import Effects, LogRecord
    from streams.jobs import Job

V = TypeVar("V", bound=Value)


class Partitions(Generic[V]):
    """All partitions of one topic."""

    def __init__(self, job: Job[V], due: Callable[[V, int], int | None], *, in_time: bool) -> None:
        """`due` says when rules have to be looked at again: statistics that change are of no interest here."""
        self.job = job
        self.lives: dict[int, Live[V]] = {}
        """State by partition."""
        self._due = due
        self._in_time = in_time

    def absorb(self, record: LogRecord, effects: Effects) -> int:
        """Fold a record; return how many duplicates there were (0 or 1)."""
        live = self.lives.get(record.partition)
        if live is None:
            live = self.lives[record.partition] = Live(record.partition, START, self._due)
        self.job.absorb(live, record, effects)
        live.offset = record.offset
        if self._in_time:
            self._look_ahead(live, effects)
        live.unpublished.clear()
        live.unremembered.clear()
        duplicates, live.duplicates = live.duplicates, 0
        return duplicates

    def tick(self, at: int, effects: Effects) -> None:
        """Tell what time brings up to `at` (ms)."""
        for live in self.lives.values():
            for subject in live.values:
                self.job.tick(live, subject, max(at, live.clock), effects)

    def _look_ahead(self, live: Live[V], effects: Effects) -> None:
        """Tell what the time of the last record brings for others."""
        for subject in live.unpublished:
            live.schedule(subject, live.clock)
        for subject in live.expire(live.clock):
            self.job.tick(live, subject, live.clock, effects)
            live.schedule(subject, live.clock)
