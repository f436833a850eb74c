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
from streams.grader import DEFAULT_HORIZONS, Grader
from streams.grades import AlertGrade, Tipped
from streams.records import Alert, MarketStats, WalletStats
from streams.rules.interface import Arrival, NoRules
from streams.stats.market import MarketState
from streams.stats.numbers import check_ids
from streams.stats.recent import packed_id
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.record import OrderRecord
    from streams.grader import Horizon
    from streams.rules.interface import Errors, Rules


IDLE_MS = 35 * 86_400_000
"""Milliseconds of the log after which a subject without an order is forgotten, like its orders in `orders.v1`."""


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
    grades: list[AlertGrade]


class WalletFold:
    """Folds records of `orders.v1`, key wallet."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules: Rules = NoRules() if rules is None else rules

    def step(
        self,
        state: WalletState | None,
        order: OrderRecord,
        *,
        partition: int,
        offset: int,
        clock: int,
        source: str,
        gap_id: str | None = None,
        label: str | None = None,
        errors: Errors | None = None,
        quiet: bool = False,
    ) -> WalletStep:
        """
        Absorb the order at `offset`; `state` is None for a wallet not seen before, `errors` are the partition's.

        `quiet` fills statistics and tips no alert.

        Raises:
            InvalidRecord: an id of the order is malformed. The state is as it was.
        """
        packed = packed_id(order.event_id)
        if state is not None and state.knows(packed):
            return WalletStep(state, Verdict.DUPLICATE, [], forward=False)
        errors = {} if errors is None else errors
        check_ids(order)
        known = state is not None and not is_idle(state.clock, clock)
        alerts = [] if state is None else self.rules.before_wallet(state, order.user, clock, errors)
        state = state if state is not None and known else WalletState(first_seen=clock // 1_000)
        state.advance(clock)
        verdict = state.apply(order, packed, offset=offset)
        if verdict is Verdict.APPLIED and not quiet:
            arrival = Arrival(partition, offset, clock, source, gap_id, label)
            alerts += self.rules.after_wallet(state, order, arrival, errors)
        return WalletStep(state, verdict, alerts, forward=order.condition_id is not None)

    def settle(self, state: WalletState, wallet: str, clock: int, errors: Errors) -> list[Alert]:
        """Return the alerts that are due up to `clock` (ms) without an order, and bring the state there."""
        alerts = self.rules.before_wallet(state, wallet, clock, errors)
        state.advance(clock)
        return alerts

    def due(self, state: WalletState, at: int) -> int | None:
        """Return when after `at` (ms) statistics change without an order, or after the state's own clock alerts do."""
        return earliest(state.next_change(at), self.rules.due("wallet", state, state.clock))

    def stats(self, wallet: str, state: WalletState, *, at: int, as_of_offset: int, partition: int) -> WalletStats:
        """Return the record of the statistics at `at` (ms, not before the state's clock)."""
        return WalletStats(
            wallet=wallet,
            as_of=at,
            as_of_offset=as_of_offset,
            partition=partition,
            windows=state.view(at),
            late=state.late,
            positions=state.positions.views(),
            positions_dropped=state.positions.dropped,
        )


class MarketFold:
    """Folds records of `orders-by-market.v1`, key condition id."""

    def __init__(self, rules: Rules | None = None, horizons: Sequence[Horizon] = DEFAULT_HORIZONS) -> None:
        """`horizons` say how long after an alert it is graded."""
        self.rules: Rules = NoRules() if rules is None else rules
        self._grader = Grader(horizons)

    def step(
        self,
        state: MarketState | None,
        order: OrderRecord,
        *,
        origin: tuple[int, int],
        clock: int,
        source: str,
        gap_id: str | None = None,
        label: str | None = None,
        errors: Errors | None = None,
        tipped: Sequence[Tipped] = (),
        quiet: bool = False,
    ) -> MarketStep:
        """
        Absorb an order; `origin` is its partition and offset in `orders.v1`, see `records.read_origin`.

        `quiet` fills statistics and tips no alert.
        `tipped` are the alerts that it made its wallet tell, to be graded here.

        Raises:
            InvalidRecord: the order has no condition id, or an id is malformed. The state is as it was.
        """
        if order.condition_id is None:
            raise InvalidRecord("condition_id: is missing or null, an order of a market has one")
        if state is not None and state.seen(origin):
            return MarketStep(state, Verdict.DUPLICATE, [], [])
        errors = {} if errors is None else errors
        check_ids(order)
        known = state is not None and not is_idle(state.clock, clock)
        alerts = [] if state is None else self.rules.before_market(state, order.condition_id, clock, errors)
        grades = [] if state is None else self.grade(state, order.condition_id, clock)
        if state is None or not known:  # what was absorbed of each origin is not forgotten
            state = MarketState(first_seen=clock // 1_000, origins={} if state is None else state.origins)
        state.advance(clock)
        verdict = state.apply(order, origin=origin)
        if verdict is Verdict.APPLIED and not quiet:
            arrival = Arrival(*origin, clock, source, gap_id, label)
            alerts += self.rules.after_market(state, order, arrival, errors)
        grades += self._grader.take(state, order, tipped, alerts, clock)
        return MarketStep(state, verdict, alerts, grades)

    def settle(self, state: MarketState, market: str, clock: int, errors: Errors) -> list[Alert]:
        """Return the alerts that are due up to `clock` (ms) without an order, and bring the state there."""
        alerts = self.rules.before_market(state, market, clock, errors)
        state.advance(clock)
        return alerts

    def grade(self, state: MarketState, market: str, clock: int) -> list[AlertGrade]:
        """Return the grades that are due up to `clock` (ms), and change the state accordingly."""
        return self._grader.settle(state, market, clock)

    def due(self, state: MarketState, at: int) -> int | None:
        """Return when statistics change after `at` (ms), or alerts and grades after the state's own clock."""
        rules = self.rules.due("market", state, state.clock)
        return earliest(state.next_change(at), rules, state.grading.next_due)

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


def is_idle(since: int, clock: int) -> bool:
    """Return whether a subject without an order since a time begins anew at `clock` (ms), forgotten or not."""
    return clock - since > IDLE_MS


def earliest(*times: int | None) -> int | None:
    """Return the first of some times, None being never."""
    return min((time for time in times if time is not None), default=None)
