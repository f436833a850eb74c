"""What a key may do: subscriptions, wallets in each, requests per second."""

from __future__ import annotations

from collections import deque

import msgspec


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one plan."""

    subscriptions: int
    items: int
    """Entries in one subscription's filters."""
    wildcard: bool
    requests: tuple[tuple[float, int], ...]
    """REST limits, each as seconds and requests within them."""


FREE = Tier(subscriptions=2, items=5, wildcard=False, requests=((1.0, 10), (10.0, 100)))
DEV = Tier(subscriptions=500, items=500, wildcard=True, requests=((1.0, 100), (10.0, 500)))


class Quota:
    """Counts the subscriptions that share one limit."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.used = 0

    def take(self) -> bool:
        """Count one more subscription; False when the limit is reached."""
        if self.used >= self.tier.subscriptions:
            return False
        self.used += 1
        return True

    def give_back(self, count: int = 1) -> None:
        """Count `count` subscriptions less."""
        self.used -= count


class RateLimit:
    """Sliding windows over the requests admitted so far."""

    def __init__(self, tier: Tier) -> None:
        self._windows = tier.requests
        self._admitted: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Admit a request at `now` seconds and return 0, or return the seconds until one would be admitted."""
        longest = max(seconds for seconds, _ in self._windows)
        while self._admitted and self._admitted[0] <= now - longest:
            self._admitted.popleft()
        delay = max(self._delay(now, seconds, most) for seconds, most in self._windows)
        if delay <= 0:
            self._admitted.append(now)
            return 0.0
        return delay

    def _delay(self, now: float, seconds: float, most: int) -> float:
        if len(self._admitted) < most:
            return 0.0
        return self._admitted[-most] + seconds - now
