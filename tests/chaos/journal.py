"""What was done and what happened, as it is done; and the spells of each wallet on the watch-list."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.chaos.evidence import Event, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator


def now_ms() -> int:
    """Return the wall clock, which is the simulator's too, in unix milliseconds."""
    return time.time_ns() // 1_000_000


class Journal:
    """Events and watches of one run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.watches: list[Watch] = []
        self.publishers: dict[int, str] = {}
        """Connection of the simulator -> name of the replica that opened it."""

    @contextmanager
    def during(self, kind: str, *, replica: str | None = None, detail: str = "") -> Iterator[None]:
        """Enter an event that lasts as long as the block."""
        begin = now_ms()
        try:
            yield
        finally:
            self.events.append(Event(kind=kind, begin_ms=begin, end_ms=now_ms(), replica=replica, detail=detail))

    def note(self, kind: str, *, replica: str | None = None, detail: str = "") -> None:
        """Enter an event of an instant."""
        at = now_ms()
        self.events.append(Event(kind=kind, begin_ms=at, end_ms=at, replica=replica, detail=detail))

    def watched(self, wallet: str, *, added_ms: int, since_ms: int | None = None) -> None:
        """Enter the beginning of a watch."""
        self.watches.append(Watch(wallet=wallet, added_ms=added_ms, since_ms=since_ms))

    def removed(self, wallet: str, at_ms: int) -> None:
        """Enter the end of a wallet's watch."""
        for watch in self.watches:
            if watch.wallet == wallet and watch.removed_ms is None:
                watch.removed_ms = at_ms

    @property
    def on_list(self) -> list[str]:
        """Wallets that are watched now."""
        return [watch.wallet for watch in self.watches if watch.removed_ms is None]
