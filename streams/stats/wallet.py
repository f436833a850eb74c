"""
The state of one wallet: windows, baseline, positions, its recent orders, and what its rules remember.

Times at this interface are milliseconds. An order counts at its block time, or at the clock where
the two clocks disagree and the block time would lie in the future.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from streams.stats.buckets import NEVER, SPANS
from streams.stats.codec import StateCodec
from streams.stats.exposure import Exposure
from streams.stats.numbers import market_number, packed_token
from streams.stats.older import holds, retire
from streams.stats.positions import Position, Positions
from streams.stats.recent import contains, packed_id, remember
from streams.stats.rulestate import RuleState
from streams.stats.sizes import count, rank
from streams.stats.verdict import Verdict
from streams.stats.walletview import WalletWindow, wallet_window
from streams.stats.windows import Windows

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

BASELINE_SAMPLES = 20
"""Orders a wallet must have made before one can be unusual for it."""

SCHEMA = 3
"""Of the encoded state. `streams.stats.glance` knows the fields too."""

_HALF = 62
_MASK = (1 << _HALF) - 1


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
    older: dict[int, int] = {}
    sizes: dict[int, int] = {}
    """Bucket of `sizes` -> orders ever counted."""
    positions: Positions = msgspec.field(default_factory=Positions)
    first_seen: int = 0
    """Second of the log's clock at the wallet's first record."""
    clock: int = 0
    """Milliseconds of the log's clock that it was advanced to."""

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
        """Return whether the order of this packed id is among the recent ones or those shortly before."""
        return contains(self.recent, packed) or holds(self.older, packed)

    def advance(self, clock: int) -> bool:
        """Let the windows decay to `clock` (ms); returns whether a statistic changed."""
        self.clock = max(self.clock, clock)
        second = clock // 1_000
        self.exposures.advance(second)
        return self.windows.advance(second)

    def apply(self, order: OrderRecord, packed: bytes, *, offset: int) -> Verdict:
        """Absorb an order that is not known, at the clock advanced to; `packed` is its id, see `recent`."""
        notional, buy, shares = order.notional_micros, order.side == "BUY", order.shares
        market, token = market_number(order.condition_id), packed_token(order.token_id)
        second = min(order.timestamp, self.windows.clock)
        self.first_seen = self.first_seen or self.windows.clock
        self.positions.add(token, market, second, buy=buy, notional=notional, shares=shares)
        counted = self.windows.add(second, buy=buy, notional=notional, shares=shares, member=market)
        left = remember(self.recent, packed, second, offset)
        if left is not None:
            retire(self.older, left, self.windows.clock)
        if not counted:
            self.late += 1
            return Verdict.LATE
        if market is not None:
            self.exposures.add(market, second, notional if buy else -notional)
        count(self.sizes, notional)
        low = self.squares_low + notional * notional
        self.squares_high += low >> _HALF
        self.squares_low = low & _MASK
        return Verdict.APPLIED

    def view(self, at: int) -> dict[str, WalletWindow]:
        """Return the statistics per window at `at` (ms, not before the clock), changing nothing."""
        windows = self.windows.at(at // 1_000)
        return {span.name: wallet_window(windows, level) for level, span in enumerate(SPANS)}

    def next_change(self, at: int) -> int | None:
        """Return the first millisecond after `at` at which the view differs without a new order."""
        due = self.windows.at(at // 1_000).due
        return None if due == NEVER else due * 1_000

    def exposure(self, condition_id: str | None) -> int:
        """Return bought minus sold (micro-USDC) in a market over the longest window, at the clock."""
        market = market_number(condition_id)
        return 0 if market is None else self.exposures.net(market)

    def market_orders(self, condition_id: str | None) -> int:
        """Return the orders in a market over the longest window, at the clock."""
        market = market_number(condition_id)
        return 0 if market is None else self.exposures.orders(market)

    def orders_in_market(self, condition_id: str | None) -> int:
        """Return the orders in a market ever, as far as its tokens' positions are remembered; 0 without a market."""
        market = market_number(condition_id)
        return 0 if market is None else self.positions.orders_in(market)

    def position(self, token_id: str) -> Position | None:
        """Return what is known of an outcome token, not to be changed; None where no order of it is remembered."""
        return self.positions.held.get(packed_token(token_id))

    def size_rank(self, notional: int, *, without: int | None = None) -> float:
        """
        Return the percentile (0 to 100) of an order size (micro-USDC) among all orders ever counted, see `sizes`.

        `without` leaves one order of that notional out, the tipping one. 0 below the required number of samples.
        """
        return rank(self.sizes, notional, without=without, least=BASELINE_SAMPLES)

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


_codec = StateCodec(WalletState, schema=SCHEMA, oldest=SCHEMA)
