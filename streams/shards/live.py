"""The live state of a shard, and what has to be published and remembered of it."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

from streams.shards.position import POSITION_SCHEMA, Position


class Value(Protocol):
    """State of one wallet or market, as the pure fold keeps it."""

    def encode(self) -> bytes:
        """Return the bytes to remember."""

    def next_change(self, at: int) -> int | None:
        """Return the earliest time after `at` (ms) at which its statistics change by themselves."""


V = TypeVar("V", bound=Value)


class Live(Generic[V]):
    """
    Values by subject, the position, and two sets of subjects: changed since published, since remembered.

    Deadlines say when statistics change without an order. They are derived from the values, so
    they are not remembered but computed again after a restore.
    """

    def __init__(self, partition: int, position: Position) -> None:
        self.partition = partition
        self.values: dict[str, V] = {}
        self.offset = position.offset
        self.fingerprint = position.fingerprint
        self.clock = position.clock
        self.unpublished: set[str] = set()
        self.unremembered: set[str] = set()
        self._deadlines: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}

    def observe(self, stamp: int) -> int:
        """Advance the log clock to a record's append time (ms), never back; return it."""
        self.clock = max(self.clock, stamp)
        return self.clock

    def touch(self, subject: str) -> None:
        """Note that a record changed this subject."""
        self.unpublished.add(subject)
        self.unremembered.add(subject)

    def schedule(self, subject: str, at: int) -> None:
        """Note when the statistics published at `at` will change by themselves."""
        due = self.values[subject].next_change(at)
        if due is None:
            self._due.pop(subject, None)
        elif self._due.get(subject) != due:
            self._due[subject] = due
            heapq.heappush(self._deadlines, (due, subject))

    def expire(self, at: int) -> None:
        """Mark the subjects whose statistics have changed by themselves up to `at` as unpublished."""
        while self._deadlines and self._deadlines[0][0] <= at:
            due, subject = heapq.heappop(self._deadlines)
            if self._due.get(subject) == due:
                del self._due[subject]
                self.unpublished.add(subject)

    def position(self) -> Position:
        """Return the position of the state as it is now."""
        return Position(POSITION_SCHEMA, self.offset, self.fingerprint, self.clock)
