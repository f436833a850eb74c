"""The board as state that grows by records of topics. Pure: no clock, no I/O."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from connector.contract.coverage import decode_coverage
from connector.contract.errors import InvalidRecord
from connector.contract.gap import decode_gap
from connector.contract.provenance import Provenance, header_ns, read_provenance
from connector.contract.record import OrderRecord, decode_order
from streams.board.alerts import Alerts
from streams.board.gaps import Gaps
from streams.board.markets import Markets
from streams.board.pulse import Arrivals, Latency
from streams.board.rows import OrderRow, shortened
from streams.board.wallets import Wallets
from streams.grades import decode_grade
from streams.records import Alert, MarketStats, WalletStats, decode

if TYPE_CHECKING:
    from streams.effects import LogRecord

Topic = Literal[
    "orders.v1", "wallet-stats.v1", "market-stats.v1", "alerts.v1", "alert-grades.v1", "coverage.v1", "gaps.v1"
]
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
"""What the board reads, without the deployment's prefix."""

LATEST_ORDERS = 100
_EVENT_IDS = 20_000
"""Remembered, to leave out an order that is told twice."""


class Board:
    """State behind the page; `absorb` records, `frames` tells viewers of it."""

    def __init__(self) -> None:
        self.wallets = Wallets()
        self.markets = Markets()
        self.alerts = Alerts()
        self.gaps = Gaps()
        self.orders = 0
        """Read since the start, each once."""
        self.unreadable = 0
        self.arrivals = Arrivals()
        self.to_kafka = Latency()
        self.to_alert = Latency()
        self.latest: deque[tuple[int, msgspec.Raw]] = deque(maxlen=LATEST_ORDERS)
        """The newest orders with their numbers, oldest first."""
        self._event_ids: dict[str, None] = {}

    def absorb(self, topic: Topic, record: LogRecord) -> None:
        """Take in one record; what cannot be read is counted and passed over, the board only shows."""
        try:
            self._absorb(topic, record, record.value)
        except InvalidRecord:
            self.unreadable += 1

    def _absorb(self, topic: Topic, record: LogRecord, value: bytes | None) -> None:
        if topic == "coverage.v1":
            wallet = (record.key or b"").decode("ascii", "replace")
            self.wallets.coverage(wallet, None if value is None else decode_coverage(value))
            return
        if value is None:
            return
        match topic:
            case "orders.v1":
                self._order(decode_order(value), record)
            case "wallet-stats.v1":
                self.wallets.statistics(decode(WalletStats, value), value)
            case "market-stats.v1":
                self.markets.statistics(decode(MarketStats, value))
            case "alerts.v1":
                self._alert(decode(Alert, value), record)
            case "alert-grades.v1":
                self.alerts.grade(decode_grade(value))
            case "gaps.v1":
                self.gaps.report(decode_gap(value))

    def _order(self, order: OrderRecord, record: LogRecord) -> None:
        if order.event_id in self._event_ids:
            return
        self._event_ids[order.event_id] = None
        if len(self._event_ids) > _EVENT_IDS:
            del self._event_ids[next(iter(self._event_ids))]
        provenance = read_provenance(record.headers)
        self.orders += 1
        # A stamp of the future is the provider's; nothing is executed after it arrived.
        at = min(order.timestamp * 1_000, record.timestamp)
        row = msgspec.Raw(msgspec.json.encode(_order_row(self.orders, at, order, provenance)))
        buy, micros = order.side == "BUY", order.notional_micros
        self.wallets.order(order.user, row, at, label=provenance.label, buy=buy, micros=micros)
        self.latest.append((self.orders, row))
        self.arrivals.add(record.timestamp)
        if provenance.source == "ws":
            self.to_kafka.add(record.timestamp, record.timestamp - provenance.received_ns / 1e6)

    def _alert(self, alert: Alert, record: LogRecord) -> None:
        if not self.alerts.alert(alert) or alert.transition == "resolved":
            return
        received, published = (header_ns(record.headers, name) for name in ("received_ns", "published_ns"))
        if received is not None and published is not None and alert.source == "ws":
            self.to_alert.add(published // 1_000_000, (published - received) / 1e6)


def _order_row(number: int, at: int, order: OrderRecord, provenance: Provenance) -> OrderRow:
    return OrderRow(
        number=number,
        event_id=order.event_id,
        at=at,
        wallet=order.user,
        label=provenance.label,
        side=order.side,
        outcome=shortened(order.token_label),
        price=order.price,
        shares=order.shares,
        micros=order.notional_micros,
        market=order.condition_id,
        title=shortened(order.title or order.market_slug),
        source=provenance.source,
        gap=provenance.gap_id is not None,
    )
