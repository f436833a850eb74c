"""What is known of one watched wallet: who delivers it, and up to when everything is known to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connector.contract.coverage import CoverageRecord, Standing
from connector.coverage.gap import Gap

if TYPE_CHECKING:
    from collections.abc import Mapping


class Live(msgspec.Struct):
    """A socket that delivers a wallet."""

    since_ms: int
    subscription: str | None


class Watched(msgspec.Struct, kw_only=True):
    """State of a wallet, from the beginning of its watch, or of ours, to the end."""

    name: str
    since_ms: int
    """Orders executed before are not wanted; 0: not known."""
    since_given: bool
    """By the watch-list; else the watch began then."""
    covered_ms: int
    """Up to here everything is known but what may be missing in the gap."""
    verified_ms: int
    sockets: dict[str, Live] = msgspec.field(default_factory=dict)
    gap: Gap | None = None
    standing: Standing = "down"
    """While no socket delivers it."""
    last_order_ms: int | None = None

    def cover(self, proven: Mapping[str, int]) -> None:
        """Take note of what sockets have proven since."""
        for socket, live in sorted(self.sockets.items(), key=_since):
            # What came before a socket went live is proven by others only, and maybe not yet.
            if live.since_ms <= self.covered_ms:
                self.covered_ms = max(self.covered_ms, proven.get(socket, 0))

    @property
    def complete_ms(self) -> int:
        """Up to here everything is known, without the gap."""
        return self.covered_ms if self.gap is None else min(self.covered_ms, self.gap.start_ms)

    def compared(self, start_ms: int, end_ms: int) -> None:
        """Take note that everything executed in an interval was compared with REST, late rows included."""
        if start_ms <= max(self.verified_ms, self.since_ms):
            self.verified_ms = max(self.verified_ms, end_ms)
        self.covered_ms = max(self.covered_ms, self.verified_ms)

    def turn_back(self, by_ms: int) -> None:
        """Correct all times; those that were right become too early, which costs only requests."""
        self.covered_ms -= by_ms
        self.verified_ms -= by_ms
        if not self.since_given:
            self.since_ms -= by_ms
        for live in self.sockets.values():
            live.since_ms -= by_ms
        if self.gap is not None:
            self.gap.turn_back(by_ms)

    def checkpoint(self, owner: str, now_ms: int) -> CoverageRecord:
        """Return the record that says what is known."""
        live = next(iter(self.sockets.values()), None)
        covered_ms = self.complete_ms
        return CoverageRecord(
            wallet=self.name,
            standing="live" if live else self.standing,
            owner=owner,
            subscription=live.subscription if live else None,
            live_since_ms=min(each.since_ms for each in self.sockets.values()) if live else None,
            since_ms=self.since_ms or None,
            covered_until_ms=covered_ms,
            verified_until_ms=min(self.verified_ms, covered_ms),
            last_order_ms=self.last_order_ms,
            gap=None if self.gap is None else self.gap.open_gap(),
            at_ms=now_ms,
        )


def _since(item: tuple[str, Live]) -> int:
    return item[1].since_ms
