"""
The step per record: pure, used by the agents and by whatever replays a log.

Time comes as an argument: `clock` is the running maximum of the append times (ms) of the records
of this partition up to this one. State changes by records only; `stats` looks at any later time.
The same records in the same order make the same states, statistics and alerts, however they were
batched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connector.contract.errors import InvalidRecord
from streams.records import Alert, MarketStats, WalletStats
from streams.rules.interface import Arrival, NoRules
from streams.stats.market import MarketState
from streams.stats.recent import packed_id
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.rules.interface import Rules


class WalletStep(msgspec.Struct, frozen=True, gc=False):
    """What one order did to its wallet. `state` is the object that came in, changed, or a new one."""

    state: WalletState
    verdict: Verdict
    alerts: list[Alert]
    forward: bool
    """Whether the order goes on to `orders-by-market.v1`."""


class MarketStep(msgspec.Struct, frozen=True, gc=False):
    """What one order did to its market."""

    state: MarketState
    verdict: Verdict
    alerts: list[Alert]


class WalletFold:
    """Folds records of `orders.v1`, key wallet."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules: Rules = NoRules() if rules is None else rules

    def step(
        self, state: WalletState | None, order: OrderRecord, *, partition: int, offset: int, clock: int, source: str
    ) -> WalletStep:
        """
        Absorb the order at `offset`; `state` is None for a wallet not seen before.

        Raises:
            InvalidRecord: an id of the order is malformed. The state is as it was.
        """
        state = WalletState() if state is None else state
        packed = packed_id(order.event_id)
        if state.knows(packed):
            return WalletStep(state, Verdict.DUPLICATE, [], forward=False)
        if state.advance(clock):
            self._rules.before_wallet(state, order, clock)
        verdict = state.apply(order, packed, offset=offset)
        alerts = []
        if verdict is Verdict.APPLIED:
            alerts = self._rules.after_wallet(state, order, Arrival(partition, offset, clock, source))
        return WalletStep(state, verdict, alerts, forward=order.condition_id is not None)

    def stats(self, wallet: str, state: WalletState, *, at: int, as_of_offset: int, partition: int) -> WalletStats:
        """Return the record of the statistics at `at` (ms, not before the state's clock)."""
        return WalletStats(
            wallet=wallet,
            as_of=at,
            as_of_offset=as_of_offset,
            partition=partition,
            windows=state.view(at),
            late=state.late,
        )


class MarketFold:
    """Folds records of `orders-by-market.v1`, key condition id."""

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules: Rules = NoRules() if rules is None else rules

    def step(
        self, state: MarketState | None, order: OrderRecord, *, origin: tuple[int, int], clock: int, source: str
    ) -> MarketStep:
        """
        Absorb an order; `origin` is its partition and offset in `orders.v1`, see `records.read_origin`.

        Raises:
            InvalidRecord: the order has no condition id, or an id is malformed. The state is as it was.
        """
        if order.condition_id is None:
            raise InvalidRecord("condition_id: is missing or null, an order of a market has one")
        state = MarketState() if state is None else state
        if state.seen(origin):
            return MarketStep(state, Verdict.DUPLICATE, [])
        if state.advance(clock):
            self._rules.before_market(state, order, clock)
        verdict = state.apply(order, origin=origin)
        alerts = []
        if verdict is Verdict.APPLIED:
            alerts = self._rules.after_market(state, order, Arrival(*origin, clock, source))
        return MarketStep(state, verdict, alerts)

    def stats(self, market: str, state: MarketState, *, at: int, as_of_offset: int, partition: int) -> MarketStats:
        """Return the record of the statistics at `at` (ms, not before the state's clock)."""
        return MarketStats(
            condition_id=market,
            market_slug=state.slug,
            title=state.title,
            as_of=at,
            as_of_offset=as_of_offset,
            partition=partition,
            windows=state.view(at),
            outcomes=state.outcome_views(at),
            late=state.late,
        )
