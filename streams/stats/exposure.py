"""
What a wallet has built up per market over the longest window: bought minus sold, in micro-USDC.

Kept per 24-minute bucket of the longest window, so that it decays with it; a market that has left
the window is dropped when the next bucket begins.
"""

from __future__ import annotations

import msgspec

from streams.stats.buckets import BUCKETS, WIDTHS

_WIDTH = WIDTHS[-1]


class Exposure(msgspec.Struct, array_like=True, gc=False):
    """Net flow per market. Times are whole seconds."""

    number: int = 0
    """The bucket of the clock."""
    markets: dict[int, dict[int, int]] = {}
    """Market -> bucket number -> bought minus sold."""

    def advance(self, second: int) -> None:
        """Move the clock forward, dropping what left the window."""
        number = second // _WIDTH
        if number <= self.number:
            return
        self.number = number
        limit = number - BUCKETS
        for market, flows in list(self.markets.items()):
            live = {bucket: net for bucket, net in flows.items() if bucket > limit}
            if live:
                self.markets[market] = live
            else:
                del self.markets[market]

    def add(self, market: int, second: int, net: int) -> None:
        """Count an order of time `second` that lies in the window."""
        flows = self.markets.setdefault(market, {})
        number = second // _WIDTH
        flows[number] = flows.get(number, 0) + net

    def net(self, market: int) -> int:
        """Return bought minus sold in a market."""
        flows = self.markets.get(market)
        return 0 if flows is None else sum(flows.values())
