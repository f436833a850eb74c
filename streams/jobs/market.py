"""What the market agent does with one record. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.errors import InvalidRecord
from connector.contract.keys import market_key
from streams.grades import read_alerts
from streams.jobs.job import Folded, Job, header, require_key
from streams.records import read_origin
from streams.scores import grade_outputs, score_outputs
from streams.stats.market import MarketState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.record import OrderRecord
    from streams.effects import Effects, LogRecord, Topics
    from streams.fold import MarketFold
    from streams.grades import AlertGrade
    from streams.shards.live import Live


class MarketJob(Job[MarketState]):
    """Orders of a market partition: market statistics and alerts, and grades of the alerts of both scopes."""

    label = "orders-by-market"

    def __init__(self, fold: MarketFold, topics: Topics) -> None:
        super().__init__(fold, topics)
        self._step = fold
        self.source_topic = topics.orders_by_market
        self.state_topic = topics.market_state
        self.statistics_topic = topics.market_stats

    def decode_state(self, value: bytes) -> MarketState:
        """Read one value of the market state topic."""
        return MarketState.decode(value)

    def tick(self, live: Live[MarketState], subject: str, at: int, effects: Effects) -> None:
        """
        See `Job`. What is due by the log's own clock is settled for good.

        Most markets are graded after their last order; without this each takeover would tell their grades again. It
        makes no difference when this happens: the next record would settle the same before it is absorbed.
        """
        state = live.values[subject]
        if grades := self._grade(state, subject, min(at, live.clock)):
            live.unremembered.add(subject)
            effects.urgent += grade_outputs(self._topics, grades, live.ahead.get(subject), effects.admitted_ns)
            effects.urgent += score_outputs(self._topics, live, grades, live.offset)
        super().tick(live, subject, at, effects)
        if state.grading.due <= at:
            live.settle_at(subject, state.grading.due)

    def _waits(self, state: MarketState, at: int) -> bool:
        return bool(state.rules) or state.grading.due <= at

    def _grade(self, state: MarketState, subject: str, at: int) -> Sequence[AlertGrade]:
        return self._step.grade(state, subject, at)

    def _fold(self, live: Live[MarketState], order: OrderRecord, record: LogRecord, clock: int) -> Folded[MarketState]:
        market = order.condition_id
        if market is None:
            raise InvalidRecord("condition_id: missing in an order forwarded by market")
        require_key(record, market_key(market))
        origin = read_origin(record.headers)
        step = self._step.step(
            live.values.get(market),
            order,
            origin=origin,
            clock=clock,
            source=header(record, "source") or "unknown",
            gap_id=header(record, "gap_id"),
            label=header(record, "label"),
            errors=live.errors,
            quiet=record.timestamp < live.quiet_before,
            tipped=read_alerts(record.headers),
        )
        return Folded(market, step.state, step.alerts, step.grades)
