"""The markets of the board. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.board.changes import Table
from streams.board.rows import WINDOWS, MarketRow, MarketSums, shortened

if TYPE_CHECKING:
    from streams.records import MarketStats

MOST_MARKETS = 2_000
_OUTCOMES = 4
"""Shown of each; most markets have two."""


class Markets:
    """The markets heard of last, `MOST_MARKETS` at once."""

    def __init__(self) -> None:
        self.table: Table[MarketRow] = Table(MOST_MARKETS)
        self._versions: dict[str, tuple[int, int]] = {}
        self._tokens: dict[str, tuple[str, str | None]] = {}
        """Token -> its market, and what the outcome is called."""

    def statistics(self, record: MarketStats) -> None:
        """Take in statistics unless newer ones are known."""
        market, version = record.condition_id, (record.as_of_offset, record.as_of)
        if version < self._versions.get(market, (-1, -1)):
            return
        self.table.put(market, _row(record))
        self._versions[market] = version
        for outcome in record.outcomes[:_OUTCOMES]:
            self._tokens[outcome.token_id] = (market, outcome.label)
        if len(self._versions) > 2 * MOST_MARKETS:
            self._versions = {key: each for key, each in self._versions.items() if key in self.table}
            self._tokens = {token: each for token, each in self._tokens.items() if each[0] in self.table}

    def title(self, market: str | None) -> str | None:
        """Return the title of a market, None where it is not known."""
        row = None if market is None else self.table.get(market)
        return None if row is None else row.title or row.slug

    def outcome(self, token: str) -> str | None:
        """Return what an outcome token stands for, None where it is not known."""
        market, label = self._tokens.get(token, (None, None))
        title = self.title(market)
        return None if title is None else shortened(f"{label or '?'}: {title}")


def _row(record: MarketStats) -> MarketRow:
    sums = [record.windows[name] for name in WINDOWS]
    return MarketRow(
        market=record.condition_id,
        title=shortened(record.title),
        slug=shortened(record.market_slug),
        prices=[(shortened(each.label), each.last_price) for each in record.outcomes[:_OUTCOMES]],
        windows=[MarketSums(each.orders, each.volume, each.net_flow, each.wallets, each.consensus) for each in sums],
    )
