"""
A generated market, in the shape of the recorded data: blocks of two seconds, bursts, skewed wallets.

One match yields a row per maker order filled and one row for the taker's order, all in one transaction; the
taker's row names the exchange as `taker`. Maker orders are filled in parts, so `order_hash` repeats; now and
then the same fill happens twice in a transaction and only `log_index` tells the two rows apart.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Any

import msgspec

from connector.simulator.population import EXCHANGE, Market, Population, hex_id, make_markets
from connector.simulator.timeline import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

BLOCK_SECONDS = 2.0
_FIRST_BLOCK = 82_000_000
_BUSY_BLOCKS, _BUSY, _CALM = 0.1, 4.0, 2 / 3
"""A tenth of the blocks holds four times the average, the others two thirds: together the average."""
_CROSSED = 0.3
"""Share of fills against the other outcome (both sides buy, or both sell)."""
_LIQUIDITY = 0.5
"""Chance that a fill goes on with the maker order filled last."""
_MOST_SHARES = 100_000
Row = dict[str, Any]


class _Resting(msgspec.Struct):
    user: str
    order_hash: str
    ticks: int


class _Transaction(msgspec.Struct):
    tx_hash: str
    market: Market
    taker: str
    side: str
    outcome: int
    rows: list[Row] = []


class GeneratedMarket:
    """An endless, seeded stream of orders."""

    def __init__(
        self, rng: Random, *, rate: float, burst: int, wallets: int, markets: int = 40, twins: float = 0.02
    ) -> None:
        """
        Make a market of its own; the same arguments make the same.

        Args:
            rng: Source of everything random.
            rate: Orders per second, on average.
            burst: Most orders released in one instant; 1 is a steady flow.
            wallets: How many trade.
            markets: How many are traded.
            twins: Probability that a fill happens twice in its transaction.
        """
        self._rng = rng
        self._rate = rate
        self._burst = burst
        self._twins = twins
        self._population = Population(rng, wallets)
        self._markets = make_markets(rng, markets)
        self._resting: dict[tuple[str, int, str], _Resting] = {}

    @property
    def wallets(self) -> list[str]:
        """All wallets, the busiest first."""
        return self._population.wallets

    def batches(self) -> Iterator[Batch]:
        """Yield the market's orders: a block every two seconds, released in bursts spread over it."""
        owed = 0.0
        for number in count():
            owed += self._rate * BLOCK_SECONDS * self._activity()
            start, released = number * BLOCK_SECONDS, 0
            rows = self._block(_FIRST_BLOCK + number, owed)
            while burst := list(islice(rows, self._burst)):
                at = start + BLOCK_SECONDS * min(1.0, released / owed)
                yield Batch(at=at, rows=burst, block_at=start)
                released += len(burst)
            owed -= released

    def _activity(self) -> float:
        """Return the size of the next block, as a multiple of the average."""
        if self._burst == 1:
            return 1.0
        return _BUSY if self._rng.random() < _BUSY_BLOCKS else _CALM

    def _block(self, number: int, size: float) -> Iterator[Row]:
        """Yield about `size` rows; made one match at a time, so that a large block stalls nobody."""
        made, log_index = 0, self._rng.randint(0, 20)
        while made + 1 < size:
            for row in self._match():
                made, log_index = made + 1, log_index + self._rng.randint(1, 6)
                yield row | {"block_number": number, "log_index": log_index}

    def _match(self) -> list[Row]:
        rng = self._rng
        market = rng.choice(self._markets)
        market.walk(rng.choice((-1, 0, 0, 0, 1)))
        side = rng.choice(("BUY", "SELL"))
        match = _Transaction(hex_id(rng, 256), market, self._population.pick(rng), side, rng.randint(0, 1))
        for _ in range(rng.choices((1, 2, 3, 4), (60, 25, 10, 5))[0]):
            self._fill(match)
        return [*match.rows, self._taker_row(match)]

    def _fill(self, match: _Transaction) -> None:
        """Fill one maker order, or twice the same one."""
        crossed = self._rng.random() < _CROSSED
        outcome = 1 - match.outcome if crossed else match.outcome
        side = match.side if crossed else _other(match.side)
        maker = self._maker(match, outcome, side)
        row = _row(
            match,
            outcome,
            user=maker.user,
            side=side,
            shares=self._size(),
            price=maker.ticks / 100,
            order_hash=maker.order_hash,
            taker=match.taker,
        )
        match.rows += [row, row] if self._rng.random() < self._twins else [row]

    def _maker(self, match: _Transaction, outcome: int, side: str) -> _Resting:
        place = (match.market.condition_id, outcome, side)
        resting = self._resting.get(place)
        if resting is None or resting.user == match.taker or self._rng.random() > _LIQUIDITY:
            ticks = match.market.ticks if outcome == 0 else 100 - match.market.ticks
            user = self._population.pick(self._rng)
            resting = self._resting[place] = _Resting(user, hex_id(self._rng, 256), ticks)
        return resting

    def _size(self) -> int:
        """Return raw shares, in hundredths of a share as the exchange has them."""
        shares = min(self._rng.lognormvariate(3.0, 1.4), _MOST_SHARES)
        return max(1, round(shares * 100)) * 10_000

    def _taker_row(self, match: _Transaction) -> Row:
        """Return the taker's row: everything it got in this transaction, at the mean price of its outcome."""
        token = match.market.outcomes[match.outcome].token_id
        shares = sum(row["shares"] for row in match.rows)
        paid = sum(
            row["shares"] * (row["price"] if row["token_id"] == token else 1 - row["price"]) for row in match.rows
        )
        return _row(
            match,
            match.outcome,
            user=match.taker,
            side=match.side,
            shares=shares,
            price=min(1.0, paid / shares),
            order_hash=hex_id(self._rng, 256),
            taker=EXCHANGE,
        )


def _row(
    match: _Transaction,
    outcome: int,
    *,
    user: str,
    side: str,
    shares: int,
    price: float,
    order_hash: str,
    taker: str,
) -> Row:
    return {
        "token_id": match.market.outcomes[outcome].token_id,
        "token_label": match.market.outcomes[outcome].label,
        "side": side,
        "market_slug": match.market.slug,
        "condition_id": match.market.condition_id,
        "shares": shares,
        "shares_normalized": shares / 1_000_000,
        "price": price,
        "tx_hash": match.tx_hash,
        "title": match.market.title,
        "timestamp": 0,
        "order_hash": order_hash,
        "user": user,
        "taker": taker,
    }


def _other(side: str) -> str:
    return "SELL" if side == "BUY" else "BUY"
