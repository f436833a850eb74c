"""The state of one outcome of a market: who bought and sold it, and its prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.stats.buckets import SPANS
from streams.stats.prices import Prices, Rank
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.stats.buckets import Sums


class FlowWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Money in micro-USDC in one window. `volume` counts a trade once, `net_flow` is that of the watched wallets."""

    orders: int
    volume: int
    net_flow: int


class OutcomeWindow(FlowWindow, frozen=True, kw_only=True):
    """One outcome in one window. `price_move` is in USDC per share, see `Outcome.price_move`."""

    buyers: int
    """Distinct watched wallets that bought; one that sold as well is in both counts."""
    sellers: int
    price_move: float


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome. `last_price` is USDC per share of the newest order on the chain, not the last to arrive."""

    token_id: str
    label: str | None
    last_price: float
    windows: dict[str, OutcomeWindow]


class Outcome(msgspec.Struct, array_like=True, gc=False):
    """Changed by `advance` and `add` only. Times are whole seconds, a level is an index into `SPANS`."""

    number: int
    """Its number in the market, in order of arrival."""
    label: str | None
    price: float
    """USDC per share of the order at `rank`, the newest on the chain."""
    rank: Rank
    clock: int = 0
    buys: Windows = msgspec.field(default_factory=Windows)
    sells: Windows = msgspec.field(default_factory=Windows)
    prices: Prices = msgspec.field(default_factory=Prices)

    def advance(self, second: int) -> None:
        """Let everything decay to `second`; a time in the past is ignored."""
        if second > self.clock:
            self.clock = second
            self.buys.advance(second)
            self.sells.advance(second)

    def at(self, second: int) -> Outcome:
        """Return this outcome decayed to `second`, to look at."""
        buys, sells, clock = self.buys.at(second), self.sells.at(second), max(second, self.clock)
        return Outcome(self.number, self.label, self.price, self.rank, clock, buys, sells, self.prices)

    def add(self, order: OrderRecord, rank: Rank, second: int, *, wallet: int, repeated: int) -> None:
        """Count an order of a wallet at `second`, which a window holds at the time advanced to; see `Windows.add`."""
        buy = order.side == "BUY"
        (self.buys if buy else self.sells).add(
            second, buy=buy, notional=order.notional_micros, shares=order.shares, member=wallet, repeated=repeated
        )
        self.prices.add(second, rank, order.price, clock=self.clock)

    def sums(self, level: int) -> Sums:
        """Return the sums over a window."""
        return self.buys.sums(level) + self.sells.sums(level)

    def largest(self, level: int) -> int:
        """Return the largest order in a window, micro-USDC."""
        return max(self.buys.largest[level], self.sells.largest[level])

    def buyers(self, level: int) -> int:
        """Return how many distinct watched wallets bought in a window."""
        return self.buys.distinct[level]

    def sellers(self, level: int) -> int:
        """Return how many distinct watched wallets sold in a window."""
        return self.sells.distinct[level]

    def price_move(self, level: int) -> float:
        """
        Return the newest price less the one at the beginning of a window, USDC per share.

        This is the last price of the oldest bucket with a fill; with fewer than two such buckets the move is 0.
        """
        first = self.prices.first(level, self.clock)
        return 0.0 if first is None else self.price - first

    def view(self, token: str) -> OutcomeView:
        """Return the statistics at the time advanced to."""
        windows = {span.name: self._window(level) for level, span in enumerate(SPANS)}
        return OutcomeView(token_id=token, label=self.label, last_price=self.price, windows=windows)

    def _window(self, level: int) -> OutcomeWindow:
        sums = self.sums(level)
        return OutcomeWindow(
            orders=sums.orders,
            volume=sums.volume,
            net_flow=sums.bought - sums.sold,
            buyers=self.buyers(level),
            sellers=self.sellers(level),
            price_move=self.price_move(level),
        )
