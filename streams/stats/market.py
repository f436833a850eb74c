"""
The state of one market: windows over all its orders, its outcomes, and the trades that may be told twice.

Only orders of watched wallets count: this is their flow, not the market's whole volume. A market
hears from every partition of `orders.v1`; its state remembers the last offset of each, so that an
order forwarded a second time (after a crash) is recognised whatever lies between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.stats.buckets import NEVER, SPANS
from streams.stats.codec import StateCodec
from streams.stats.grading import Grading
from streams.stats.matches import Matches, row_of
from streams.stats.numbers import hash_number, wallet_number
from streams.stats.outcome import FlowWindow, Outcome, OutcomeView
from streams.stats.prices import rank_of
from streams.stats.rulestate import RuleState
from streams.stats.verdict import Verdict
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.contract.record import OrderRecord
    from streams.stats.prices import Rank


class MarketWindow(FlowWindow, frozen=True, kw_only=True):
    """The whole market in one window; `wallets` counts distinct watched wallets."""

    wallets: int
    consensus: int
    """Most distinct wallets on one side of one outcome."""
    disagreement: int
    """Distinct wallets on the smaller side of the outcome where this is largest."""


class MarketState(msgspec.Struct, array_like=True, gc=False):
    """Changed by `advance` and `apply` only; see `streams.fold` for the step around them."""

    windows: Windows = msgspec.field(default_factory=Windows)
    """Over all orders; members are the wallets."""
    outcomes: dict[str, Outcome] = {}
    """By token id."""
    origins: dict[int, int] = {}
    """Partition of `orders.v1` -> last offset absorbed from it."""
    slug: str | None = None
    title: str | None = None
    late: int = 0
    rules: dict[int, RuleState] = {}
    matches: Matches = msgspec.field(default_factory=Matches)
    first_seen: int = 0
    """Second of the log's clock at the market's first record."""
    grading: Grading = msgspec.field(default_factory=Grading)
    """Changed by `streams.grader` only."""
    clock: int = 0
    """Milliseconds of the log's clock that it was advanced to."""

    def encode(self) -> bytes:
        """Return the compact value of the state topic."""
        return _codec.encode(self)

    @staticmethod
    def decode(value: bytes) -> MarketState:
        """Read a value of the state topic; raises `NewerState` or `InvalidRecord`."""
        return _codec.decode(value)

    def fold(self, order: OrderRecord, *, origin: tuple[int, int], clock: int) -> Verdict:
        """Advance to `clock` (ms) and absorb the order that came from `origin`, partition and offset of `orders.v1`."""
        if self.seen(origin):
            return Verdict.DUPLICATE
        self.advance(clock)
        return self.apply(order, origin=origin)

    def seen(self, origin: tuple[int, int]) -> bool:
        """Return whether this state has absorbed what was at `origin`."""
        partition, offset = origin
        return offset <= self.origins.get(partition, -1)

    def advance(self, clock: int) -> bool:
        """Let windows and outcomes decay to `clock` (ms); returns whether a statistic changed."""
        self.clock = max(self.clock, clock)
        changed = self.windows.advance(clock // 1_000)
        if changed:  # what leaves an outcome's window leaves the market's
            for outcome in self.outcomes.values():
                outcome.advance(self.windows.clock)
        return changed

    def apply(self, order: OrderRecord, *, origin: tuple[int, int]) -> Verdict:
        """Absorb an order that was not seen before, at the clock advanced to."""
        rank, transaction = rank_of(order, self.windows.clock), hash_number("tx_hash", order.tx_hash)
        wallet, taker = wallet_number(order.user), None if order.taker is None else wallet_number(order.taker)
        self.origins[origin[0]] = origin[1]
        self.slug = order.market_slug or self.slug
        self.title = order.title or self.title
        clock, buy, notional = self.windows.clock, order.side == "BUY", order.notional_micros
        self.first_seen = self.first_seen or clock
        outcome = self._outcome(order, rank)
        outcome.advance(clock)
        second = min(order.timestamp, clock)
        row = row_of(wallet, taker, outcome.number, notional)
        twice, twice_of_outcome = self.matches.add(transaction, second, row, clock)
        if not self.windows.add(second, buy=buy, notional=notional, shares=order.shares, member=wallet, repeated=twice):
            self.late += 1
            return Verdict.LATE
        outcome.add(order, rank, second, wallet=wallet, repeated=twice_of_outcome)
        return Verdict.APPLIED

    def _outcome(self, order: OrderRecord, rank: Rank) -> Outcome:
        outcome = self.outcomes.get(order.token_id)
        if outcome is None:
            number = len(self.outcomes)
            outcome = self.outcomes[order.token_id] = Outcome(number, order.token_label, order.price, rank)
        elif rank > outcome.rank:
            outcome.price, outcome.rank = order.price, rank
        outcome.label = outcome.label or order.token_label
        return outcome

    def consensus(self, level: int, at: int | None = None) -> int:
        """
        Return the most distinct wallets on one side of one outcome, over window `level`.

        `at` (ms, not before the clock) looks at a later time than the clock, changing nothing.
        """
        return max(map(max, _sides(self._outcomes(at), level)), default=0)

    def disagreement(self, level: int, at: int | None = None) -> int:
        """Return, of the outcome where this is most, the distinct wallets on its smaller side; see `consensus`."""
        return max(map(min, _sides(self._outcomes(at), level)), default=0)

    def _outcomes(self, at: int | None) -> list[Outcome]:
        outcomes = list(self.outcomes.values())
        return outcomes if at is None else [outcome.at(at // 1_000) for outcome in outcomes]

    def view(self, at: int) -> dict[str, MarketWindow]:
        """Return the statistics per window at `at` (ms, not before the clock), changing nothing."""
        windows, outcomes = self.windows.at(at // 1_000), self._outcomes(at)
        return {span.name: _market_window(windows, outcomes, level) for level, span in enumerate(SPANS)}

    def outcome_views(self, at: int) -> list[OutcomeView]:
        """Return the outcomes at `at` (ms), by token id."""
        return [self.outcomes[token].at(at // 1_000).view(token) for token in sorted(self.outcomes)]

    def next_change(self, at: int) -> int | None:
        """Return the first millisecond after `at` at which a view differs without a new order."""
        due = self.windows.at(at // 1_000).due  # each order of an outcome is an order of the market
        return None if due == NEVER else due * 1_000


def _sides(outcomes: Iterable[Outcome], level: int) -> list[tuple[int, int]]:
    return [(outcome.buyers(level), outcome.sellers(level)) for outcome in outcomes]


def _market_window(windows: Windows, outcomes: list[Outcome], level: int) -> MarketWindow:
    sums, sides = windows.sums(level), _sides(outcomes, level)
    return MarketWindow(
        orders=sums.orders,
        volume=sums.volume,
        net_flow=sums.bought - sums.sold,
        wallets=windows.distinct[level],
        consensus=max(map(max, sides), default=0),
        disagreement=max(map(min, sides), default=0),
    )


_codec = StateCodec(MarketState, schema=2, oldest=2)
