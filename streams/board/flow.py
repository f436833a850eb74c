"""Money per minute of the last hour, in a ring of fixed size. Pure."""

from __future__ import annotations

from array import array
from typing import NamedTuple

MINUTES = 60
MINUTE_MS = 60_000


class Minute(NamedTuple):
    """What was bought and sold in a minute, in micro-USDC."""

    start_ms: int
    bought: int
    sold: int


class Flow:
    """The last `MINUTES` minutes of a wallet: a kilobyte, however many orders there are."""

    __slots__ = ("_bought", "_newest", "_sold")

    def __init__(self) -> None:
        self._bought = array("q", bytes(8 * MINUTES))
        self._sold = array("q", bytes(8 * MINUTES))
        self._newest = -1
        """Number of the newest minute that the ring holds, since 1970."""

    def add(self, at_ms: int, *, buy: bool, micros: int) -> None:
        """Count an order; one older than the ring is left out."""
        minute = at_ms // MINUTE_MS
        self._advance(minute)
        if minute > self._newest - MINUTES:
            side = self._bought if buy else self._sold
            side[minute % MINUTES] += micros

    def until(self, now_ms: int) -> list[Minute]:
        """Return the last hour at `now_ms`, oldest minute first, those without orders too."""
        last = max(now_ms // MINUTE_MS, self._newest)
        return [
            Minute(
                minute * MINUTE_MS,
                *((self._bought[minute % MINUTES], self._sold[minute % MINUTES]) if self._holds(minute) else (0, 0)),
            )
            for minute in range(last - MINUTES + 1, last + 1)
        ]

    def _holds(self, minute: int) -> bool:
        return self._newest - MINUTES < minute <= self._newest

    def _advance(self, minute: int) -> None:
        """Forget what is more than an hour before `minute`."""
        for passed in range(max(self._newest + 1, minute - MINUTES + 1), minute + 1):
            self._bought[passed % MINUTES] = self._sold[passed % MINUTES] = 0
        self._newest = max(self._newest, minute)
