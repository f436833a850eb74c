"""
What a wallet bought and sold of each outcome token since watching began.

These are sums of the orders that were seen, so they do not depend on their order, and late orders count too. They
are no account: what the wallet held before, merged, split or redeemed is invisible, so net shares may be negative
and no profit can be told from them.

Kept are the `MOST_POSITIONS` tokens with the newest orders. Which these are does not depend on the order of arrival
either; what a token that was dropped and comes back has lost does, and so does the count of those dropped.
"""

from __future__ import annotations

import msgspec

from streams.stats.numbers import token_text

MOST_POSITIONS = 64
"""Tokens remembered per wallet."""
MOST_VIEWED = 16
"""Positions in a record of statistics."""


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome token as published. Money is in micro-USDC, shares in raw shares (1e-6)."""

    token_id: str
    orders: int
    shares: int
    """Bought minus sold, negative where earlier buys were not seen."""
    bought_shares: int
    bought: int
    sold_shares: int
    sold: int
    average_price: float | None
    """USDC per share bought."""
    newest: int
    """Second of the newest order."""


class Position(msgspec.Struct, array_like=True, gc=False):
    """Sums over the orders of one token: money in micro-USDC, raw shares, the second of the newest order."""

    market: int | None = None
    """Number of its market, see `numbers`; None where no order named it."""
    orders: int = 0
    bought_shares: int = 0
    bought: int = 0
    sold_shares: int = 0
    sold: int = 0
    newest: int = 0

    @property
    def shares(self) -> int:
        """Raw shares bought minus sold; negative where earlier buys were not seen."""
        return self.bought_shares - self.sold_shares

    @property
    def average_price(self) -> float | None:
        """Volume-weighted USDC per share bought; None without buys."""
        return self.bought / self.bought_shares if self.bought_shares else None


class Positions(msgspec.Struct, array_like=True, gc=False):
    """The positions of one wallet."""

    held: dict[bytes, Position] = {}
    """Packed token -> position."""
    dropped: int = 0
    """How often a token was dropped for a newer one."""

    def add(self, token: bytes, market: int | None, second: int, *, buy: bool, notional: int, shares: int) -> None:
        """Count an order of time `second`, however old."""
        position = self.held.get(token)
        if position is None:
            position = self.held[token] = Position()
        position.orders += 1
        if buy:
            position.bought_shares += shares
            position.bought += notional
        else:
            position.sold_shares += shares
            position.sold += notional
        if second > position.newest:  # noqa: PLR1730  # max() takes three times as long
            position.newest = second
        if market != position.market and market is not None:
            # A token has one market. Should orders disagree, the larger number stays, whichever came first.
            position.market = market if position.market is None else max(market, position.market)
        if len(self.held) > MOST_POSITIONS:
            self._drop()

    def _drop(self) -> None:
        del self.held[min(self.held, key=lambda token: (self.held[token].newest, token))]
        self.dropped += 1

    def orders_in(self, market: int) -> int:
        """Return the orders of all remembered tokens of a market."""
        return sum(position.orders for position in self.held.values() if position.market == market)

    def views(self) -> list[PositionView]:
        """Return the positions with the newest orders, newest first, ties by the number of the token."""
        newest = sorted(self.held.items(), key=lambda item: (-item[1].newest, item[0]))
        return [_view(token, position) for token, position in newest[:MOST_VIEWED]]


def _view(token: bytes, position: Position) -> PositionView:
    return PositionView(
        token_id=token_text(token),
        orders=position.orders,
        shares=position.shares,
        bought_shares=position.bought_shares,
        bought=position.bought,
        sold_shares=position.sold_shares,
        sold=position.sold,
        average_price=position.average_price,
        newest=position.newest,
    )
