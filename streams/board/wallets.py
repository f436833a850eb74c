"""The wallets of the board: statistics, coverage, newest orders and flow of each. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from connector.contract.coverage import CoverageRecord
from streams.board.changes import Table
from streams.board.flow import Flow, Minute
from streams.board.rows import WINDOWS, WalletRow, WalletSums
from streams.records import WalletStats, decode

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WALLETS = 10_000
ORDERS_EACH = 40
"""Newest orders kept of each wallet: about 12 KB, so 120 MB of the most wallets at worst."""


class Wallet:
    """What is known of one wallet."""

    __slots__ = ("coverage", "flow", "label", "last", "orders", "statistics", "version", "wallet", "windows")

    def __init__(self, wallet: str) -> None:
        self.wallet = wallet
        self.label: str | None = None
        self.last: int | None = None
        self.coverage: CoverageRecord | None = None
        self.windows: list[WalletSums] = []
        self.version = (-1, -1)
        """Of the statistics: a lower one is older."""
        self.statistics: bytes | None = None
        """The record, undecoded: it is looked at on one wallet's page only."""
        self.orders: deque[msgspec.Raw] = deque(maxlen=ORDERS_EACH)
        self.flow = Flow()

    def row(self) -> WalletRow:
        """Return what tables show."""
        coverage = self.coverage
        return WalletRow(
            wallet=self.wallet,
            label=self.label,
            standing=None if coverage is None else coverage.standing,
            gap=None if coverage is None or coverage.gap is None else coverage.gap.cause,
            last=self.last,
            windows=self.windows,
        )


class WalletPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one wallet."""

    row: WalletRow
    coverage: CoverageRecord | None
    statistics: WalletStats | None
    tokens: dict[str, str]
    """What the tokens of its positions stand for, as far as is known."""
    flow: list[Minute]
    orders: list[msgspec.Raw]
    """Newest first."""


class Wallets:
    """All wallets, `MOST_WALLETS` at once: those of which something was heard last."""

    def __init__(self) -> None:
        self.table: Table[Wallet] = Table(MOST_WALLETS)

    def order(self, wallet: str, row: msgspec.Raw, at: int, *, label: str | None, buy: bool, micros: int) -> None:
        """Take in an order, encoded as it will be sent."""
        known = self._known(wallet)
        known.orders.append(row)
        known.flow.add(at, buy=buy, micros=micros)
        known.label = label or known.label
        known.last = max(known.last or 0, at)
        self.table.put(wallet, known)

    def statistics(self, record: WalletStats, value: bytes) -> None:
        """Take in statistics unless newer ones are known."""
        known = self._known(record.wallet)
        version = (record.as_of_offset, record.as_of)
        if version < known.version:
            return
        known.version, known.statistics = version, value
        sums = [record.windows[name] for name in WINDOWS]
        known.windows = [WalletSums(each.orders, each.volume, each.net_flow, each.markets) for each in sums]
        self.table.put(record.wallet, known)

    def coverage(self, wallet: str, record: CoverageRecord | None) -> None:
        """Take in what the connector says of a wallet; None: it is watched no more."""
        known = self.table.get(wallet)
        if known is None and record is None:
            return
        known = known or self._known(wallet)
        before = (known.row().standing, known.row().gap)
        known.coverage = record
        if self.table.get(wallet) is None or before != (known.row().standing, known.row().gap):
            self.table.put(wallet, known)

    def page(self, wallet: str, now_ms: int, outcome: Callable[[str], str | None]) -> WalletPage | None:
        """Return all that is known of a wallet; `outcome` says what a token stands for."""
        known = self.table.get(wallet)
        if known is None:
            return None
        statistics = None if known.statistics is None else decode(WalletStats, known.statistics)
        tokens = () if statistics is None else (each.token_id for each in statistics.positions)
        return WalletPage(
            row=known.row(),
            coverage=known.coverage,
            statistics=statistics,
            tokens={token: name for token in tokens if (name := outcome(token))},
            flow=known.flow.until(now_ms),
            orders=list(reversed(known.orders)),
        )

    def watched(self) -> list[CoverageRecord]:
        """Return what was last said of each wallet that is watched."""
        return [known.coverage for known in self.table.values() if known.coverage is not None]

    def _known(self, wallet: str) -> Wallet:
        return self.table.get(wallet) or Wallet(wallet)
