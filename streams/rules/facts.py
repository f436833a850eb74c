"""
What a condition can look at: a subject's state at a time of the log's clock, and the order at hand if there is one.

Without an order only variables that are not `of_order` may be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from streams.stats.ending import market_end
from streams.stats.positions import Position
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.records import Scope
    from streams.stats.buckets import Sums
    from streams.stats.market import MarketState
    from streams.stats.outcome import Outcome
    from streams.stats.wallet import Baseline, WalletState

UNKNOWN_S = 2**31 - 1
"""Seconds until a market ends of which nobody knows when."""


class Held:
    """The sums of windows, each computed once."""

    __slots__ = ("_source", "_sums")

    def __init__(self, source: Windows | Outcome) -> None:
        self._source = source
        self._sums: dict[int, Sums] = {}

    def sums(self, level: int) -> Sums:
        """Return the sums of window `level`."""
        sums = self._sums.get(level)
        if sums is None:
            sums = self._sums[level] = self._source.sums(level)
        return sums

    def largest(self, level: int) -> int:
        """Return the largest order in window `level`, micro-USDC."""
        source = self._source
        return source.largest[level] if isinstance(source, Windows) else source.largest(level)


class Looked(Held):
    """What both scopes have in common; `label` is the wallet's on the watch-list, as the order at hand says."""

    __slots__ = ("clock", "label", "order", "subject", "windows")

    def __init__(
        self, windows: Windows, order: OrderRecord | None, clock: int, *, subject: str, label: str | None
    ) -> None:
        super().__init__(windows)
        self.windows = windows
        self.order = order
        self.clock = clock
        self.subject = subject
        self.label = label

    @property
    def at_hand(self) -> OrderRecord:
        """The order at hand."""
        if self.order is None:
            raise AssertionError("a rule about orders is looked at without one")
        return self.order

    @property
    def seconds_left(self) -> int:
        """Seconds until the market of the order at hand ends."""
        end = market_end(self.at_hand.market_slug)
        return UNKNOWN_S if end is None else end - self.clock // 1_000


class WalletFacts(Looked):
    """Facts for rules of scope wallet."""

    __slots__ = ("_baseline", "_exposure", "state")
    scope: ClassVar[Scope] = "wallet"

    def __init__(
        self, state: WalletState, order: OrderRecord | None, clock: int, *, subject: str, label: str | None = None
    ) -> None:
        super().__init__(state.windows, order, clock, subject=subject, label=label)
        self.state = state
        self._baseline: Baseline | None = None
        self._exposure: int | None = None

    @property
    def recent(self) -> bytearray:
        """The wallet's recent orders, packed."""
        return self.state.recent

    @property
    def baseline(self) -> Baseline:
        """The wallet's order sizes before this order."""
        if self._baseline is None:
            self._baseline = self.state.baseline(without=self.at_hand.notional_micros)
        return self._baseline

    @property
    def market_orders(self) -> int:
        """Orders in the order's market before it, in the longest window."""
        return max(0, self.state.market_orders(self.at_hand.condition_id) - 1)

    @property
    def position(self) -> Position:
        """What is known of the order's outcome."""
        return self.state.position(self.at_hand.token_id) or Position()

    @property
    def exposure(self) -> int:
        """Bought minus sold in the order's market with this order, micro-USDC."""
        if self._exposure is None:
            self._exposure = self.state.exposure(self.at_hand.condition_id)
        return self._exposure

    @property
    def exposure_before(self) -> int:
        """The same without this order."""
        notional = self.at_hand.notional_micros
        return self.exposure - (notional if self.at_hand.side == "BUY" else -notional)


class MarketFacts(Looked):
    """Facts for rules of scope market; `outcome` is the one that the order at hand traded."""

    __slots__ = ("_outcome", "recent", "state")
    scope: ClassVar[Scope] = "market"

    def __init__(
        self, state: MarketState, order: OrderRecord | None, clock: int, *, subject: str, label: str | None = None
    ) -> None:
        super().__init__(state.windows, order, clock, subject=subject, label=label)
        self.state = state
        self.recent = bytearray()
        self._outcome: Held | None = None

    @property
    def outcome(self) -> Held:
        """The sums of the outcome that the order at hand traded."""
        if self._outcome is None:
            self._outcome = Held(self.traded)
        return self._outcome

    @property
    def traded(self) -> Outcome:
        """The state of the outcome that the order at hand traded."""
        return self.state.outcomes[self.at_hand.token_id]

    def side(self, level: int, *, other: bool = False) -> int:
        """Return the distinct wallets on the side of the order at hand in a window, or on the other one."""
        buyers = (self.at_hand.side == "BUY") is not other
        return self.traded.buyers(level) if buyers else self.traded.sellers(level)

    @property
    def price(self) -> float:
        """Its newest price on the chain."""
        return self.traded.price


Facts = WalletFacts | MarketFacts
