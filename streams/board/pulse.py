"""How many orders come, and how long they take: what the strip at the top shows. Pure."""

from __future__ import annotations

from collections import Counter, deque
from math import ceil
from typing import NamedTuple

RATE_SECONDS = 10
SHOWN_SECONDS = 60

_SAMPLES = 2_000
_RECENT_MS = 300_000
"""A latency older than this says nothing of the present."""


class Spread(NamedTuple):
    """Median and 99th percentile, milliseconds."""

    p50: float
    p99: float


class Arrivals:
    """Orders per second of the last minute."""

    def __init__(self) -> None:
        self._seconds: Counter[int] = Counter()

    def add(self, at_ms: int) -> None:
        """Count an order by when it arrived."""
        second = at_ms // 1_000
        if second not in self._seconds:
            # One second of history at a time: the start reads hours.
            for old in [each for each in self._seconds if each < second - 2 * SHOWN_SECONDS]:
                del self._seconds[old]
        self._seconds[second] += 1

    def rate(self, now_ms: int) -> float:
        """Return orders per second over the last full seconds before now."""
        now = now_ms // 1_000
        return sum(self._seconds[second] for second in range(now - RATE_SECONDS, now)) / RATE_SECONDS

    def history(self, now_ms: int) -> list[int]:
        """Return the orders of each of the last full seconds, oldest first."""
        now = now_ms // 1_000
        return [self._seconds[second] for second in range(now - SHOWN_SECONDS, now)]


class Latency:
    """The newest measurements of one path."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)

    def add(self, at_ms: int, took_ms: float) -> None:
        """Take in how long it took, and when that was."""
        self._samples.append((at_ms, max(0.0, took_ms)))

    def spread(self, now_ms: int) -> Spread | None:
        """Return the spread of the last minutes; None when nothing was measured."""
        recent = sorted(took for at, took in self._samples if at > now_ms - _RECENT_MS)
        if not recent:
            return None
        return Spread(*(round(recent[ceil(q * len(recent)) - 1], 1) for q in (0.5, 0.99)))
