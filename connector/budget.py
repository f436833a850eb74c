"""
The budget of a key: how many requests it may make, and when.

A provider counts a request at some moment between our asking and its answer. So a request takes up room from its start
until a whole window after its end: however the latency varies, no window of the provider's holds too many.
"""

from __future__ import annotations

from collections import deque
from math import ceil, inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = 1 / 16
_INSTANT_S = 1e-6
"""Less is rounding, and not worth a sleep."""
_ANSWER_S = 0.02
"""Until another look, where an answer is what makes room."""
_RECOVERY_S = 60.0
"""Seconds in which the rate grows back from nothing to its whole."""
_LONGEST_BLOCK_S = 600.0
"""A provider that asks for more is asked again nevertheless."""


class Budget:
    """
    Sliding windows over the requests made so far; fewer for a while after the provider complained.

    Times are seconds of one monotonic clock.

    Args:
        limits: The documented limits, each as seconds and requests within them.
        share: Part of them that is ours, in (0, 1]; the rest is for others who use the key.
    """

    def __init__(self, limits: Sequence[tuple[float, int]], share: float) -> None:
        self._limits = [(seconds, most * share) for seconds, most in limits]
        self._ended: deque[float] = deque(maxlen=max(most for _, most in limits))
        self._under_way = 0
        self._factor = 1.0
        self._since = 0.0
        """When the factor was what it is."""
        self._blocked_until = 0.0
        self.used_at = -inf
        """When the latest request was made."""

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be made; 0: now."""
        factor = self.factor(now)
        waits = (self._window(seconds, most * factor, now) for seconds, most in self._limits)
        wait = max(self._blocked_until - now, *waits)
        return wait if wait > _INSTANT_S else 0.0

    def begin(self, now: float) -> None:
        """Count a request that is made now."""
        self._under_way += 1
        self.used_at = now

    def end(self, now: float) -> None:
        """Take it that a request was answered, or given up."""
        self._under_way -= 1
        self._ended.append(now)

    def complained(self, now: float, retry_after_s: float | None = None) -> None:
        """Halve the rate: the provider answered that there were too many requests, and perhaps when to come back."""
        self._factor = max(_LEAST, self.factor(now) / 2)
        self._since = now
        self._blocked_until = max(self._blocked_until, now + min(retry_after_s or 0.0, _LONGEST_BLOCK_S))

    def factor(self, now: float) -> float:
        """Return the part of the rate in use; it grows back steadily to 1."""
        return min(1.0, self._factor + max(0.0, now - self._since) / _RECOVERY_S)

    def _window(self, seconds: float, allowed: float, now: float) -> float:
        """Return the wait for one limit; a fraction of a request is had by stretching the window."""
        room = ceil(allowed) - self._under_way
        if room <= 0:
            return _ANSWER_S
        if len(self._ended) < room:
            return 0.0
        return self._ended[-room] + seconds * ceil(allowed) / allowed - now
