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
    total: int | None = None
    """Entries in all subscriptions together."""
    pending: bool = False
    """Whether it includes trades from the mempool."""
    requests: tuple[tuple[float, int], ...]
    """REST limits, each as seconds and requests within them."""


FREE = Tier(subscriptions=2, items=5, wildcard=False, requests=((1.0, 10), (10.0, 100)))
DEV = Tier(subscriptions=500, items=500, wildcard=True, requests=((1.0, 100), (10.0, 500)))

PREDEXON_FREE = Tier(subscriptions=0, items=0, wildcard=False, requests=((1.0, 1),))
"""REST only."""
PREDEXON_DEV = Tier(subscriptions=10, items=10, total=100, wildcard=False, requests=((1.0, 20),))
PREDEXON_PRO = Tier(subscriptions=100, items=500, total=50_000, wildcard=True, pending=True, requests=((1.0, 100),))


class Quota:
    """Counts the subscriptions, and the entries in them, that share one limit."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.used = 0
        self.items = 0

    def take(self) -> bool:
        """Count one more subscription; False when the limit is reached."""
        if self.used >= self.tier.subscriptions:
            return False
        self.used += 1
        return True

    def hold(self, items: int) -> bool:
        """Count so many entries more, or less if negative; False when the limit would be passed."""
        if self.tier.total is not None and self.items + items > self.tier.total:
            return False
        self.items += items
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
