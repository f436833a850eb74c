from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.stats.codec import NewerState
from streams.stats.exposure import Exposure
from streams.stats.market import MarketState
from streams.stats.older import KEPT_S, MOST, holds, retire
from streams.stats.positions import MOST_POSITIONS
from streams.stats.recent import RECENT, contains, newest_first, packed_id, remember
from streams.stats.rulestate import FIRING, RuleState
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState
from tests.support import oracle
from tests.support.logs import MARKETS, START, logs, order

if TYPE_CHECKING:
    from tests.support.oracle import Logged

NOW = START * 1_000


def test_an_order_of_the_future_counts_now() -> None:
    """Block time cannot be after append time but by clock skew, so it is clamped to the clock."""
    state = WalletState()
    state.fold(order(1, at=30), offset=0, clock=NOW)
    assert state.view(NOW)["1m"].orders == 1
    assert state.view(NOW + 60_000)["1m"].orders == 0


def test_statistics_of_one_minute() -> None:
    """Units and definitions, by hand."""
    state = WalletState()
    state.fold(order(1, usdc=2.0, price=0.5), offset=0, clock=NOW)
    state.fold(order(2, usdc=1.0, price=0.2, condition_id=MARKETS[1]), offset=1, clock=NOW)
    state.fold(order(3, usdc=5.0, side="SELL"), offset=2, clock=NOW)
    minute = state.view(NOW)["1m"]
    assert (minute.orders, minute.buys, minute.sells, minute.markets) == (3, 2, 1, 2)
    assert (minute.bought, minute.sold, minute.volume, minute.net_flow) == (3_000_000, 5_000_000, 8_000_000, -2_000_000)
    assert (minute.mean_order, minute.max_order) == (2_666_667, 5_000_000)
    assert minute.mean_price == 3.0 / 9.0  # 3 USDC for 4 + 5 shares


def test_an_empty_window_has_no_means() -> None:
    """No orders is not an order of nothing."""
    minute = WalletState().view(NOW)["1m"]
    assert (minute.orders, minute.mean_order, minute.max_order, minute.mean_price) == (0, None, None, None)


@given(st.lists(st.integers(1, 10**13), min_size=1, max_size=60))
def test_the_baseline_is_exact_for_sizes_whose_squares_outgrow_64_bits(sizes: list[int]) -> None:
    """Mean and deviation equal the textbook's, after encoding too."""
    state = WalletState()
    for offset, size in enumerate(sizes):
        state.fold(order(offset, usdc=size / 1e6), offset=offset, clock=NOW)
    notionals = [order(offset, usdc=size / 1e6).notional_micros for offset, size in enumerate(sizes)]
    baseline = WalletState.decode(state.encode()).baseline()
    assert baseline.samples == len(sizes)
    assert math.isclose(baseline.mean, statistics.fmean(notionals))
    assert math.isclose(baseline.deviation, statistics.pstdev(notionals), rel_tol=1e-6, abs_tol=1e-3)


def test_the_baseline_without_an_order_is_that_of_the_others() -> None:
    """An order is compared with the ones before it."""
    state = WalletState()
    for offset, usdc in enumerate((1.0, 2.0, 9.0)):
        state.fold(order(offset, usdc=usdc), offset=offset, clock=NOW)
    baseline = state.baseline(without=9_000_000)
    assert (baseline.samples, baseline.mean, baseline.deviation) == (2, 1_500_000.0, 500_000.0)
    assert WalletState().baseline().samples == 0


def test_exposure_is_what_the_longest_window_holds() -> None:
    """It decays by 24-minute buckets, and an empty market is dropped."""
    exposure = Exposure()
    exposure.advance(START)
    exposure.add(7, START, 50)
    exposure.add(7, START - 3_000, -20)
    exposure.add(8, START - 3_000, 5)
    assert (exposure.net(7), exposure.net(8), exposure.net(9)) == (30, 5, 0)
    assert (exposure.orders(7), exposure.orders(8), exposure.orders(9)) == (2, 1, 0)
    exposure.advance(START + 86_399 - 1_440)
    assert (exposure.net(7), exposure.orders(7), set(exposure.markets)) == (50, 1, {7})
    exposure.advance(START + 86_400)
    assert exposure.markets == {}


@given(log=logs())
@settings(max_examples=40, deadline=None)
def test_flows_in_a_market_equal_the_oracle(log: list[Logged]) -> None:
    """At each order, exposure and orders are those of the market's orders in the longest window."""
    state, clock = WalletState(), 0
    for entry in log:
        clock = max(clock, entry.append_ms)
        if state.fold(entry.order, offset=entry.offset, clock=clock) is Verdict.DUPLICATE:
            continue  # the state stays at the clock of the order before
        placed = oracle.place(log, partition=0, up_to=entry.offset)
        for market in MARKETS:
            held = [o for o in oracle.held(placed, clock, "24h") if o.condition_id == market]
            assert state.market_orders(market) == len(held)
            assert state.exposure(market) == sum(o.notional_micros * (1 if o.side == "BUY" else -1) for o in held)
    assert (state.market_orders(None), state.exposure(None)) == (0, 0)


def test_a_wallet_is_known_since_its_first_record() -> None:
    """By the log's clock, however old the order was."""
    state = WalletState()
    state.fold(order(1, at=-100_000), offset=0, clock=NOW + 999)
    state.fold(order(2, at=5), offset=1, clock=NOW + 5_000)
    assert WalletState.decode(state.encode()).first_seen == START


def fold_many(state: WalletState, numbers: range, *, second: int) -> list[Verdict]:
    """Fold these orders, all at one second after START."""
    return [state.fold(order(number, at=second), offset=number, clock=NOW + second * 1_000) for number in numbers]


def test_a_quiet_wallets_duplicate_is_known_however_late_it_comes() -> None:
    """The last orders are remembered for as long as they are the last; the next but one is gone."""
    state = WalletState()
    fold_many(state, range(RECENT), second=0)
    assert fold_many(state, range(1), second=80_000) == [Verdict.DUPLICATE]
    assert state.older == {}


def test_a_busy_wallets_duplicate_is_known_for_ten_minutes_whatever_lies_between() -> None:
    """
    An unclean handover of the connector may repeat an order minutes later.

    second   0          1             600                601                   602
    order    0 .. 99    1,000 more    0 .. 99 again      the 1,000 again       0 again: too late, as documented
    """
    state = WalletState()
    fold_many(state, range(100), second=0)
    assert set(fold_many(state, range(1_000, 2_000), second=1)) == {Verdict.APPLIED}
    assert set(fold_many(state, range(100), second=KEPT_S)) == {Verdict.DUPLICATE}
    fold_many(state, range(3_000, 3_001), second=KEPT_S + 1)
    assert set(fold_many(state, range(1_000, 2_000), second=KEPT_S + 1)) == {Verdict.DUPLICATE}
    assert fold_many(state, range(1), second=KEPT_S + 2) == [Verdict.APPLIED]


def test_the_memory_of_a_wallet_is_bounded() -> None:
    """However busy it is within ten minutes; the newest orders are the ones that are kept."""
    state, last = WalletState(), RECENT + MOST + 500
    fold_many(state, range(last), second=0)
    assert len(state.older) == MOST
    assert len(state.encode()) < 65_000
    assert set(fold_many(state, range(500, last), second=KEPT_S)) == {Verdict.DUPLICATE}
    assert fold_many(state, range(499, 500), second=KEPT_S) == [Verdict.APPLIED]


def test_twins_that_left_the_last_orders_are_two_orders_still() -> None:
    """The occurrence is part of what is kept."""
    older: dict[int, int] = {}
    retire(older, packed_id("ab" * 16 + "-0"), START)
    assert holds(older, packed_id("ab" * 16 + "-0"))
    assert not holds(older, packed_id("ab" * 16 + "-1"))


def test_twins_are_two_orders() -> None:
    """Equal content with another occurrence number is another order."""
    recent = bytearray()
    content = "ab" * 16
    remember(recent, packed_id(f"{content}-0"), START, 1)
    assert contains(recent, packed_id(f"{content}-0"))
    assert not contains(recent, packed_id(f"{content}-1"))


def test_the_bytes_of_neighbours_are_no_order() -> None:
    """An id is found at the place of an id only."""
    recent = bytearray()
    first, second = bytes(range(16)).hex(), bytes(range(16, 32)).hex()
    remember(recent, packed_id(f"{first}-0"), 0, 0)
    remember(recent, packed_id(f"{second}-0"), 0, 0)
    assert contains(recent, packed_id(f"{second}-0"))
    shifted = bytes(recent[4:22])  # would be found by a search that ignores places
    assert not contains(recent, shifted)
    recent += shifted + bytes(10)
    assert contains(recent, shifted)


def test_recent_orders_come_newest_first_with_time_and_offset() -> None:
    """Alerts name the orders that made them."""
    recent = bytearray()
    remember(recent, packed_id("ab" * 16 + "-3"), START, 2**40)
    remember(recent, packed_id("cd" * 16 + "-0"), START + 1, 2**40 + 1)
    assert [tuple(each) for each in newest_first(recent)] == [
        ("cd" * 16 + "-0", START + 1, 2**40 + 1),
        ("ab" * 16 + "-3", START, 2**40),
    ]


@pytest.mark.parametrize(
    "event_id", ["", "x" * 34, "ab" * 16, "ab" * 16 + "-", "ab" * 16 + "-65536", "ab" * 16 + "+1", "ab-1"]
)
def test_a_malformed_event_id_is_refused(event_id: str) -> None:
    """It is named, with what was expected."""
    with pytest.raises(InvalidRecord, match="event_id"):
        packed_id(event_id)


def test_a_state_is_small() -> None:
    """An occasional wallet takes a few hundred bytes, a busy one a bounded number."""
    few, busy = WalletState(), WalletState()
    for number in range(10):
        few.fold(order(number, at=number * 600), offset=number, clock=NOW + number * 600_000)
    for number in range(20_000):
        busy.fold(
            order(number, at=number * 5, condition_id=MARKETS[number % 3]), offset=number, clock=NOW + number * 5_000
        )
    assert len(few.encode()) < 800
    assert few.older == {}
    assert len(busy.encode()) < 12_000


def test_positions_and_sizes_are_bounded() -> None:
    """A wallet of ten thousand tokens and all sizes takes a few KB more than one of a single token."""
    one, many = WalletState(), WalletState()
    for number in range(10_000):
        usdc = 10.0 ** (number % 15 - 6)
        one.fold(order(number, at=number), offset=number, clock=NOW + number * 1_000)
        token = str(2**256 - 1 - number)
        many.fold(order(number, at=number, token_id=token, usdc=usdc), offset=number, clock=NOW + number * 1_000)
    assert len(many.positions.held) == MOST_POSITIONS
    assert many.positions.dropped == 10_000 - MOST_POSITIONS
    assert len(many.encode()) < len(one.encode()) + 8_000


def test_a_state_survives_its_encoding_with_its_rules() -> None:
    """The value of the state topic is the whole state."""
    state = WalletState()
    state.fold(order(1), offset=0, clock=NOW)
    state.rules[2**64 - 1] = RuleState(2**64 - 1, fired=NOW, phase=FIRING)
    assert WalletState.decode(state.encode()) == state


@pytest.mark.parametrize(("kind", "schema"), [(WalletState, 3), (MarketState, 2)])
def test_a_newer_state_is_refused_by_name(kind: type[WalletState | MarketState], schema: int) -> None:
    """An old program must not go on with what a new one wrote."""
    with pytest.raises(
        NewerState, match=f"{kind.__name__} has schema {schema + 1}, this program knows {schema}: roll out"
    ):
        kind.decode(bytes((schema + 1,)) + b"whatever")


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x02", b"\x03", b"\x03\xc1", b"\x03\x80"])
def test_what_is_no_state_is_refused(value: bytes) -> None:
    """Truncated or foreign bytes are not read as an empty wallet."""
    with pytest.raises(InvalidRecord, match="WalletState"):
        WalletState.decode(value)
