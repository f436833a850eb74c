"""Delays between attempts to connect, exponential with full jitter, and when to give a key up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_DOUBLINGS = 32
"""Beyond any cap in use; keeps the power of two a small number."""


class Backoff:
    """
    Full jitter: attempt n waits between nothing and min(cap, base x 2^n), evenly spread.

    Whoever owns it calls `reset` on proven health only. A handshake proves nothing: a server
    that accepts and then closes would be hammered.

    Args:
        base: Bound of the first delay, in seconds.
        cap: Bound of every delay, in seconds.
        random: Returns a number in [0, 1).
    """

    def __init__(self, *, base: float, cap: float, random: Callable[[], float]) -> None:
        self._base = base
        self._cap = cap
        self._random = random
        self._attempt = 0

    def next_delay(self) -> float:
        """Return the seconds to wait before the next attempt."""
        bound = min(self._cap, self._base * 2.0**self._attempt)
        self._attempt = min(self._attempt + 1, _MAX_DOUBLINGS)
        return self._random() * bound

    def reset(self) -> None:
        """Start over from the first delay."""
        self._attempt = 0


class Patience:
    """
    Whether to believe a provider that refuses the key.

    One that never worked is given up at once. One that had worked may be refused for a while: providers hiccup.

    Args:
        seconds: Of refusals in a row after which a key that had worked is given up; infinite: no key ever is.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._worked = False
        self._since = math.inf

    def accepted(self) -> None:
        """The key works."""
        self._worked, self._since = True, math.inf

    def refused(self, now: float) -> bool:
        """The key is refused at `now`, in seconds of any clock; return whether to give it up."""
        self._since = min(self._since, now)
        return math.isfinite(self._seconds) and (not self._worked or now >= self._since + self._seconds)
