"""
The state of one market: windows over all its orders and per outcome, and the last prices.

Only orders of watched wallets count: this is their flow, not the market's whole volume. A market
hears from every partition of `orders.v1`; its state remembers the last offset of each, so that an
order forwarded a second time (after a crash) is recognised whatever lies between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.stats.buckets import NEVER, SPANS
from streams.stats.codec import StateCodec
from streams.stats.rulestate import RuleState
from streams.stats.verdict import Verdict
from streams.stats.wallet import market_number
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

Rank = tuple[int, int, int, str]
"""Place of an order on the chain; see `_rank`."""


class FlowWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome in one window; money in micro-USDC."""

    orders: int
    volume: int
    net_flow: int


class MarketWindow(FlowWindow, frozen=True, kw_only=True):
    """The whole market in one window; `wallets` counts distinct watched wallets."""

    wallets: int


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome. `last_price` is USDC per share of the newest order on the chain, not the last to arrive."""

    token_id: str
    label: str | None
    last_price: float
    windows: dict[str, FlowWindow]


class Outcome(msgspec.Struct, array_like=True, gc=False):
    """State of one outcome."""

    label: str | None
    price: float
    rank: Rank
    windows: Windows = msgspec.field(default_factory=Windows)


class MarketState(msgspec.Struct, array_like=True, gc=False):
    """Changed by `advance` and `apply` only; see `streams.fold` for the step around them."""

    windows: Windows = msgspec.field(default_factory=Windows)
    outcomes: dict[str, Outcome] = {}
    """By token id."""
    origins: dict[int, int] = {}
    """Partition of `orders.v1` -> last offset absorbed from it."""
    slug: str | None = None
    title: str | None = None
    late: int = 0
    rules: dict[int, RuleState] = {}

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
        """
        Let the windows decay to `clock` (ms); returns whether a statistic changed.

        An outcome's windows follow when it has an order or is looked at.
        """
        return self.windows.advance(clock // 1_000)

    def apply(self, order: OrderRecord, *, origin: tuple[int, int]) -> Verdict:
        """Absorb an order that was not seen before, at the clock advanced to."""
        self.origins[origin[0]] = origin[1]
        self.slug = order.market_slug or self.slug
        self.title = order.title or self.title
        outcome = self._outcome(order)
        clock = self.windows.clock
        outcome.windows.advance(clock)
        second = min(order.timestamp, clock)
        buy, notional, shares = order.side == "BUY", order.notional_micros, order.shares
        wallet = market_number(order.user)
        if not self.windows.add(second, buy=buy, notional=notional, shares=shares, member=wallet):
            self.late += 1
            return Verdict.LATE
        outcome.windows.add(second, buy=buy, notional=notional, shares=shares, member=None)
        return Verdict.APPLIED

    def _outcome(self, order: OrderRecord) -> Outcome:
        rank = _rank(order)
        outcome = self.outcomes.get(order.token_id)
        if outcome is None:
            outcome = self.outcomes[order.token_id] = Outcome(order.token_label, order.price, rank)
        elif rank > outcome.rank:
            outcome.price, outcome.rank = order.price, rank
        outcome.label = outcome.label or order.token_label
        return outcome

    def view(self, at: int) -> dict[str, MarketWindow]:
        """Return the statistics per window at `at` (ms, not before the clock), changing nothing."""
        windows = self.windows.at(at // 1_000)
        return {span.name: _market_window(windows, level) for level, span in enumerate(SPANS)}

    def outcome_views(self, at: int) -> list[OutcomeView]:
        """Return the outcomes at `at` (ms), by token id."""
        return [_outcome_view(token, self.outcomes[token], at // 1_000) for token in sorted(self.outcomes)]

    def next_change(self, at: int) -> int | None:
        """Return the first millisecond after `at` at which a view differs without a new order."""
        due = self.windows.at(at // 1_000).due  # each order of an outcome is an order of the market
        return None if due == NEVER else due * 1_000


def _rank(order: OrderRecord) -> Rank:
    """
    Return the place of an order on the chain: time, block, log index, id.

    Time, which blocks follow, comes first because only some orders know their block, and all are to
    be comparable.
    """
    block, index = order.block_number, order.log_index
    return (order.timestamp, -1 if block is None else block, -1 if index is None else index, order.event_id)


def _outcome_view(token: str, outcome: Outcome, second: int) -> OutcomeView:
    windows = outcome.windows.at(second)
    flows = {span.name: _flow_window(windows, level) for level, span in enumerate(SPANS)}
    return OutcomeView(token_id=token, label=outcome.label, last_price=outcome.price, windows=flows)


def _flow_window(windows: Windows, level: int) -> FlowWindow:
    sums = windows.sums(level)
    return FlowWindow(orders=sums.orders, volume=sums.bought + sums.sold, net_flow=sums.bought - sums.sold)


def _market_window(windows: Windows, level: int) -> MarketWindow:
    sums = windows.sums(level)
    return MarketWindow(
        orders=sums.orders,
        volume=sums.bought + sums.sold,
        net_flow=sums.bought - sums.sold,
        wallets=windows.distinct[level],
    )


_codec = StateCodec(MarketState, schema=1)
