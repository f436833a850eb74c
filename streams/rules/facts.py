"""What a condition can look at when an order is folded: the order, the state with the order in it, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.stats.buckets import Sums
    from streams.stats.market import MarketState
    from streams.stats.wallet import Baseline, WalletState
    from streams.stats.windows import Windows


class Held:
    """The sums of windows, each computed once."""

    __slots__ = ("_sums", "windows")

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self._sums: dict[int, Sums] = {}

    def sums(self, level: int) -> Sums:
        """Return the sums of window `level`."""
        sums = self._sums.get(level)
        if sums is None:
            sums = self._sums[level] = self.windows.sums(level)
        return sums


class WalletFacts(Held):
    """Facts for rules of scope wallet."""

    __slots__ = ("_baseline", "_exposure", "clock", "order", "state")

    def __init__(self, state: WalletState, order: OrderRecord, clock: int) -> None:
        super().__init__(state.windows)
        self.state = state
        self.order = order
        self.clock = clock
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
            self._baseline = self.state.baseline(without=self.order.notional_micros)
        return self._baseline

    @property
    def exposure(self) -> int:
        """Bought minus sold in the order's market with this order, micro-USDC."""
        if self._exposure is None:
            self._exposure = self.state.exposure(self.order.condition_id)
        return self._exposure

    @property
    def exposure_before(self) -> int:
        """The same without this order."""
        notional = self.order.notional_micros
        return self.exposure - (notional if self.order.side == "BUY" else -notional)


class MarketFacts(Held):
    """Facts for rules of scope market; `outcome` is the one the order traded."""

    __slots__ = ("clock", "order", "outcome", "price", "recent", "state")

    def __init__(self, state: MarketState, order: OrderRecord, clock: int) -> None:
        super().__init__(state.windows)
        self.state = state
        self.order = order
        self.clock = clock
        outcome = state.outcomes.get(order.token_id)
        self.outcome = self if outcome is None else Held(outcome.windows)
        self.price = order.price if outcome is None else outcome.price
        self.recent = bytearray()


Facts = WalletFacts | MarketFacts
