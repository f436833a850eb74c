"""
The state of one wallet: its windows, its baseline, its recent orders, and what its rules remember.

Times at this interface are milliseconds. An order counts at its block time, or at the clock where
the two clocks disagree and the block time would lie in the future.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from connector.contract.errors import InvalidRecord
from streams.stats.buckets import NEVER, SPANS
from streams.stats.codec import StateCodec
from streams.stats.exposure import Exposure
from streams.stats.recent import contains, packed_id, remember
from streams.stats.rulestate import RuleState
from streams.stats.verdict import Verdict
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

BASELINE_SAMPLES = 20
"""Orders a wallet must have made before one can be unusual for it."""

_HALF = 62
_MASK = (1 << _HALF) - 1


class WalletWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of one window. Money is in micro-USDC, `mean_price` in USDC per share bought."""

    orders: int
    buys: int
    sells: int
    bought: int
    sold: int
    volume: int
    net_flow: int
    markets: int
    mean_order: int | None
    max_order: int | None
    mean_price: float | None


class WalletState(msgspec.Struct, array_like=True, gc=False):
    """Changed by `advance` and `apply` only; see `streams.fold` for the step around them."""

    windows: Windows = msgspec.field(default_factory=Windows)
    exposures: Exposure = msgspec.field(default_factory=Exposure)
    recent: bytearray = msgspec.field(default_factory=bytearray)
    late: int = 0
    """Orders that came later than the longest window."""
    squares_high: int = 0
    squares_low: int = 0
    """Sum of the squared notionals of all orders, in two halves because it outgrows 64 bits."""
    rules: dict[int, RuleState] = {}

    def encode(self) -> bytes:
        """Return the compact value of the state topic."""
        return _codec.encode(self)

    @staticmethod
    def decode(value: bytes) -> WalletState:
        """Read a value of the state topic; raises `NewerState` or `InvalidRecord`."""
        return _codec.decode(value)

    def fold(self, order: OrderRecord, *, offset: int, clock: int) -> Verdict:
        """Advance to `clock` (ms) and absorb the order at `offset` of the wallet's partition."""
        packed = packed_id(order.event_id)
        if self.knows(packed):
            return Verdict.DUPLICATE
        self.advance(clock)
        return self.apply(order, packed, offset=offset)

    def knows(self, packed: bytes) -> bool:
        """Return whether the order of this packed id is among the recent ones."""
        return contains(self.recent, packed)

    def advance(self, clock: int) -> bool:
        """Let the windows decay to `clock` (ms); returns whether a statistic changed."""
        second = clock // 1_000
        self.exposures.advance(second)
        return self.windows.advance(second)

    def apply(self, order: OrderRecord, packed: bytes, *, offset: int) -> Verdict:
        """Absorb an order that is not known, at the clock advanced to; `packed` is its id, see `recent`."""
        notional, buy = order.notional_micros, order.side == "BUY"
        market = market_number(order.condition_id)
        second = min(order.timestamp, self.windows.clock)
        counted = self.windows.add(second, buy=buy, notional=notional, shares=order.shares, member=market)
        remember(self.recent, packed, second, offset)
        if not counted:
            self.late += 1
            return Verdict.LATE
        if market is not None:
            self.exposures.add(market, second, notional if buy else -notional)
        low = self.squares_low + notional * notional
        self.squares_high += low >> _HALF
        self.squares_low = low & _MASK
        return Verdict.APPLIED

    def view(self, at: int) -> dict[str, WalletWindow]:
        """Return the statistics per window at `at` (ms, not before the clock), changing nothing."""
        windows = self.windows.at(at // 1_000)
        return {span.name: _window(windows, level) for level, span in enumerate(SPANS)}

    def next_change(self, at: int) -> int | None:
        """Return the first millisecond after `at` at which the view differs without a new order."""
        due = self.windows.at(at // 1_000).due
        return None if due == NEVER else due * 1_000

    def exposure(self, condition_id: str | None) -> int:
        """Return bought minus sold (micro-USDC) in a market over the longest window, at the clock."""
        market = market_number(condition_id)
        return 0 if market is None else self.exposures.net(market)

    def baseline(self, without: int | None = None) -> Baseline:
        """Return count, mean and deviation of order sizes, optionally without one order of that notional."""
        total = self.windows.lifetime()
        count = total.orders
        volume = total.bought + total.sold
        squares = (self.squares_high << _HALF) + self.squares_low
        if without is not None:
            count, volume, squares = count - 1, volume - without, squares - without * without
        if count == 0:
            return Baseline(samples=0, mean=0.0, deviation=0.0)
        return Baseline(
            samples=count,
            mean=volume / count,
            deviation=math.sqrt(count * squares - volume * volume) / count,
        )


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What is usual for a wallet: `mean` and (population) `deviation` of its order sizes in micro-USDC."""

    samples: int
    mean: float
    deviation: float

    def sigma(self, notional: int) -> float:
        """Return how many deviations an order is above the mean; 0 below the required number of samples."""
        if self.samples < BASELINE_SAMPLES or self.deviation == 0.0:
            return 0.0
        return (notional - self.mean) / self.deviation


def market_number(condition_id: str | None) -> int | None:
    """
    Return the market's number within a state: the last 64 bits of its condition id, a hash.

    Raises:
        InvalidRecord: it is not hexadecimal.
    """
    if condition_id is None:
        return None
    try:
        return int(condition_id[-16:], 16)
    except ValueError as error:
        raise InvalidRecord(f"condition_id: expected hex digits, got {condition_id!r}") from error


def _window(windows: Windows, level: int) -> WalletWindow:
    sums = windows.sums(level)
    orders, bought, sold = sums.orders, sums.bought, sums.sold
    volume = bought + sold
    return WalletWindow(
        orders=orders,
        buys=sums.buys,
        sells=orders - sums.buys,
        bought=bought,
        sold=sold,
        volume=volume,
        net_flow=bought - sold,
        markets=windows.distinct[level],
        mean_order=(2 * volume + orders) // (2 * orders) if orders else None,
        max_order=windows.largest[level] if orders else None,
        mean_price=bought / sums.shares if sums.shares else None,
    )


_codec = StateCodec(WalletState, schema=1)
