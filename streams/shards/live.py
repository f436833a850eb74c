"""The live state of a shard, and what has to be published and remembered of it."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Generic, TypeVar

from streams.shards.position import POSITION_SCHEMA, Position
from streams.shards.values import Value, Values
from streams.stats.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable


V = TypeVar("V", bound=Value)


class Ahead(Generic[V]):
    """A copy of a value to which time alone has gone on, and the ids of the alerts that this brought."""

    def __init__(self, value: V) -> None:
        self.value = value
        self.told: set[str] = set()


class Deadlines:
    """One time (ms) per subject."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def set(self, subject: str, time: int | None) -> None:
        """Set a subject's time; None: it has none."""
        if time is None:
            self._times.pop(subject, None)
        elif self._times.get(subject) != time:
            self._times[subject] = time
            heapq.heappush(self._heap, (time, subject))

    def take(self, at: int) -> list[str]:
        """Return the subjects whose time has come at `at`, earliest first; they have none any more."""
        taken = []
        while self._heap and self._heap[0][0] <= at:
            time, subject = heapq.heappop(self._heap)
            if self._times.get(subject) == time:
                del self._times[subject]
                taken.append(subject)
        return taken


class Live(Generic[V]):
    """
    Values by subject, the position, and two sets of subjects: changed since published, since remembered.

    Deadlines say when statistics or alerts change without an order. They are derived from the values, so
    they are not remembered but computed again after a restore.

    Args:
        partition: Of the source topic.
        position: Where to go on.
        due: Returns when after a time (ms) a value changes by itself; None: never.
        values: What was restored will be there; default: an empty one, in which values stay objects.
    """

    def __init__(
        self,
        partition: int,
        position: Position,
        due: Callable[[V, int], int | None],
        values: Values[V] | None = None,
    ) -> None:
        self.partition = partition
        self._due_of = due
        self.values: Values[V] = Values() if values is None else values
        self.offset = position.offset
        self.fingerprint = position.fingerprint
        self.clock = position.clock
        self.errors = dict(position.errors)
        """Rule number -> evaluations without a value."""
        self.quiet_before = position.quiet_before
        self.scores: dict[str, Tally] = {}
        """What the grades of this partition add up to, by group; see `streams.scores`."""
        self.unremembered_scores: set[str] = set()
        self.unpublished: set[str] = set()
        self.unremembered: set[str] = set()
        self.duplicates = 0
        """Orders dropped because the topic held them before, since somebody set it to 0."""
        self.ahead: dict[str, Ahead[V]] = {}
        """
        What ticks have told of a subject since its last order.

        Ticks do not change the state: the next order brings the same alerts again, with the same ids.
        """
        self.unscheduled: list[str] = []
        """Restored subjects of which `schedule_rest` has to find out when they change; they have before the clock."""
        self._restored_at = position.clock
        self._deadlines = Deadlines()
        self._ahead_of_clock = Deadlines()

    def observe(self, stamp: int) -> int:
        """Advance the log clock to a record's append time (ms), never back; return it."""
        self.clock = max(self.clock, stamp)
        return self.clock

    def touch(self, subject: str) -> None:
        """Note that a record changed this subject."""
        self.unpublished.add(subject)
        self.unremembered.add(subject)

    def forget(self, subject: str) -> None:
        """Drop a subject; the next remember makes that lasting."""
        del self.values[subject]
        self.ahead.pop(subject, None)
        for deadlines in (self._deadlines, self._ahead_of_clock):
            deadlines.set(subject, None)
        self.unpublished.discard(subject)
        self.unremembered.add(subject)

    def score(self, group: str) -> Tally:
        """Return the sums of a group, to be changed."""
        self.unremembered_scores.add(group)
        return self.scores.setdefault(group, Tally())

    def schedule(self, subject: str, at: int) -> None:
        """Note when the statistics published at `at` will change by themselves."""
        ahead = self.ahead.get(subject)
        self._deadlines.set(subject, self._due_of(self.values.peek(subject) if ahead is None else ahead.value, at))

    def restore(self, subject: str, encoded: bytes) -> None:
        """Take a value from the state topic."""
        glance = self.values.restore(subject, encoded)
        if glance is None or glance.ruled:
            self.schedule(subject, self.clock)
        elif glance.due is not None and glance.due > self.clock:
            self._deadlines.set(subject, glance.due)
        elif glance.due is not None:
            self.unscheduled.append(subject)

    def schedule_rest(self) -> bool:
        """Note when one more restored subject changes, for which it has to be decoded; return whether more are left."""
        if self.unscheduled and (subject := self.unscheduled.pop()) in self.values:
            self.schedule(subject, self._restored_at)
        return bool(self.unscheduled)

    def settle_at(self, subject: str, clock: int) -> None:
        """Note when the log's clock reaches what a tick has told ahead of it."""
        self._ahead_of_clock.set(subject, clock)

    def ruled(self) -> list[str]:
        """Return the subjects of which rules remember anything: those that a change of rules may concern."""
        return self.values.ruled()

    def expire(self, at: int) -> list[str]:
        """Mark the subjects that have changed by themselves up to `at` as unpublished, and return them."""
        expired = [*self._deadlines.take(at), *self._ahead_of_clock.take(self.clock)]
        self.unpublished.update(expired)
        return expired

    def position(self) -> Position:
        """Return the position of the state as it is now."""
        return Position(
            POSITION_SCHEMA, self.offset, self.fingerprint, self.clock, dict(self.errors), self.quiet_before
        )
