"""
What is proven on a connection: up to when everything the provider had sent was handed over.

A frame or pong proves its arrival, once the receiver has taken what came with it. But that a frame was read proves
neither that nothing waits behind it nor when it arrived: it may have waited in the library or in the operating system
while we were slow. So only what wakes a reader that had nothing to read counts as an arrival, and it is proven when
the reader has nothing to read again.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_INTERVAL = 0.1
"""Seconds between two proofs that are told."""
_ROUNDS = 3
"""Of the event loop, until a reader would have got what was there: poll, read, wake up."""


class Evidence:
    """
    Watches the reader of one socket.

    Args:
        prove: Called, not too often, with the loop's time up to which everything sent was handed over.
    """

    def __init__(self, prove: Callable[[float], None]) -> None:
        self.proven_at = -math.inf
        self._prove = prove
        self._loop = asyncio.get_running_loop()
        self._arrived = self._told = -math.inf
        self._reads = 0
        self._waiting = self._idle = self._checking = False

    def opened(self, now: float) -> None:
        """A connection begins; nothing came on it before."""
        self.proven_at = self._arrived = now
        self._idle = True

    def waiting(self) -> None:
        """The reader has handed over what it had, and asks for more."""
        self._waiting = True
        self._check_soon()

    def read(self, now: float) -> None:
        """The reader got something."""
        self._arrival(now)
        self.ended()

    def pong(self, now: float) -> None:
        """The provider answered: what it sent before has arrived."""
        self._arrival(now)
        if self._waiting:
            self._check_soon()

    def ended(self) -> None:
        """The reader no longer waits."""
        self._waiting = self._idle = False
        self._reads += 1

    def _arrival(self, now: float) -> None:
        if self._idle:
            self._arrived = max(self._arrived, now)

    def _check_soon(self) -> None:
        if not self._checking:
            self._checking = True
            self._loop.call_soon(self._check, self._reads, self._arrived, _ROUNDS)

    def _check(self, reads: int, arrived: float, rounds: int) -> None:
        if reads == self._reads and arrived == self._arrived and rounds:
            self._loop.call_soon(self._check, reads, arrived, rounds - 1)
            return
        self._checking = False
        if reads == self._reads and arrived == self._arrived:
            self._nothing_waits()
        elif self._waiting:
            self._check_soon()

    def _nothing_waits(self) -> None:
        self._idle = True
        self.proven_at = self._arrived
        if self._arrived >= self._told + _INTERVAL:
            self._told = self._arrived
            self._prove(self._arrived)
