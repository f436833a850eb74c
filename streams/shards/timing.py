"""How often, and how long at most. Seconds, unless the name says otherwise."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from aiokafka import TopicPartition

YIELD_EVERY_S = 0.02
"""Longest stretch of folding or encoding before the event loop gets a turn: heartbeats live there."""

ASIDE_S = 0.002
"""The same for what is done beside the folding."""

SWEEP_MS = 3_600_000
"""Of the log, between two looks for subjects without orders."""

HISTORY_MS = 60_000
"""What was appended longer before the very first start is history."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Intervals of a shard."""

    remember_interval_s: float = 1.0
    """A crash repeats at most this much work; a transaction costs the broker more than the worker."""

    statistics_interval_s: float = 0.05
    """Shortest time between two publications of a shard's statistics; the first change goes out at once."""

    statistics_behind_s: float = 1.0
    """The same while more records are waiting: catching up comes first."""

    tick_interval_s: float = 0.25
    """How often idle partitions look whether windows have decayed."""

    grace_ms: int = 1_000
    """How far ticks stay behind the wall clock, so that an order on its way is not overtaken."""

    stall_s: float = 2.0
    """Data ahead and none arriving for this long: read again from the next offset."""

    history_ms: int | None = HISTORY_MS
    """At the very first start, records appended longer ago tip no alert; None: all do."""

    retry_backoff_s: float = 0.5
    """Wait before taking over again after an error of Kafka."""

    fenced_backoff_s: float = 6.0
    """Wait before taking over again after being fenced: longer than two heartbeats, so that the group speaks first."""


def phase(tp: TopicPartition) -> float:
    """Return a fraction in [0, 1) per partition, so that a worker's shards do not all remember at one moment."""
    return crc32(f"{tp.topic} {tp.partition}".encode()) / 2**32


class Pace:
    """Tells a long computation when to let the event loop breathe."""

    __slots__ = ("_every_s", "_since")

    def __init__(self, every_s: float = YIELD_EVERY_S) -> None:
        self._every_s = every_s
        self._since = time.monotonic()

    def due(self) -> bool:
        """Return whether the loop has waited long enough; True starts the next stretch."""
        now = time.monotonic()
        if now - self._since < self._every_s:
            return False
        self._since = now
        return True
