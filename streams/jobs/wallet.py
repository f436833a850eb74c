"""What the wallet agent does with one record. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.keys import market_key, wallet_key
from streams.grades import tipped_by, with_alerts
from streams.jobs.job import Folded, Job, header, known_headers, require_key
from streams.records import origin_headers
from streams.stats.glance import glance_at_wallet
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.contract.record import OrderRecord
    from streams.effects import Item, LogRecord, Topics
    from streams.fold import WalletFold
    from streams.grades import Tipped
    from streams.shards.live import Live


class WalletJob(Job[WalletState]):
    """Orders of a wallet partition: wallet statistics, alerts, and the orders again by market."""

    label = "orders"
    glance = staticmethod(glance_at_wallet)

    def __init__(self, fold: WalletFold, topics: Topics, market_partition: Callable[[bytes], int]) -> None:
        super().__init__(fold, topics)
        self._step = fold
        self._market_partition = market_partition
        self.source_topic = topics.orders
        self.state_topic = topics.wallet_state
        self.statistics_topic = topics.wallet_stats

    def decode_state(self, value: bytes) -> WalletState:
        """Read one value of the wallet state topic."""
        return WalletState.decode(value)

    def _fold(self, live: Live[WalletState], order: OrderRecord, record: LogRecord, clock: int) -> Folded[WalletState]:
        require_key(record, wallet_key(order.user))
        step = self._step.step(
            live.values.get(order.user),
            order,
            partition=record.partition,
            offset=record.offset,
            clock=clock,
            source=header(record, "source") or "unknown",
            gap_id=header(record, "gap_id"),
            label=header(record, "label"),
            errors=live.errors,
            quiet=record.timestamp < live.quiet_before,
        )
        forward = None
        if step.forward and order.condition_id:
            forward = self._by_market(order.condition_id, record, tipped_by(order.event_id, step.alerts))
        duplicate = step.verdict is Verdict.DUPLICATE
        return Folded(order.user, step.state, step.alerts, forward=forward, duplicate=duplicate)

    def _by_market(self, market: str, record: LogRecord, tipped: list[Tipped]) -> tuple[tuple[str, int], Item]:
        key = market_key(market)
        headers = [*with_alerts(known_headers(record), tipped), *origin_headers(record.partition, record.offset)]
        return (self._topics.orders_by_market, self._market_partition(key)), (key, record.value, headers)
