"""
What a wallet did per market over the longest window: bought minus sold in micro-USDC, and its orders.

Kept per 24-minute bucket of the longest window, so that it decays with it; a market that has left
the window is dropped when the next bucket begins.
"""

from __future__ import annotations

import msgspec

from streams.stats.buckets import BUCKETS, WIDTHS

_WIDTH = WIDTHS[-1]


class Flow(msgspec.Struct, array_like=True, gc=False):
    """One market in one bucket: bought minus sold, and orders."""

    net: int = 0
    orders: int = 0


class Exposure(msgspec.Struct, array_like=True, gc=False):
    """Flow per market. Times are whole seconds."""

    number: int = 0
    """The bucket of the clock."""
    markets: dict[int, dict[int, Flow]] = {}
    """Market -> bucket number -> flow."""

    def advance(self, second: int) -> None:
        """Move the clock forward, dropping what left the window."""
        number = second // _WIDTH
        if number <= self.number:
            return
        self.number = number
        limit = number - BUCKETS
        for market, flows in list(self.markets.items()):
            live = {bucket: flow for bucket, flow in flows.items() if bucket > limit}
            if live:
                self.markets[market] = live
            else:
                del self.markets[market]

    def add(self, market: int, second: int, net: int) -> None:
        """Count an order of time `second` that lies in the window."""
        flows = self.markets.get(market)
        if flows is None:
            flows = self.markets[market] = {}
        number = second // _WIDTH
        flow = flows.get(number)
        if flow is None:
            flow = flows[number] = Flow()
        flow.net += net
        flow.orders += 1

    def net(self, market: int) -> int:
        """Return bought minus sold in a market."""
        return sum(flow.net for flow in self.markets.get(market, {}).values())

    def orders(self, market: int) -> int:
        """Return the number of orders in a market."""
        return sum(flow.orders for flow in self.markets.get(market, {}).values())
