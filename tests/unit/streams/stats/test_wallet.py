from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.stats.codec import NewerState
from streams.stats.exposure import Exposure
from streams.stats.market import MarketState
from streams.stats.recent import RECENT, contains, newest_first, packed_id, remember
from streams.stats.rulestate import RuleState
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState
from tests.support.logs import MARKETS, START, order

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
    exposure.advance(START + 86_399 - 1_440)
    assert (exposure.net(7), set(exposure.markets)) == (50, {7})
    exposure.advance(START + 86_400)
    assert exposure.markets == {}


def test_duplicates_are_known_among_the_last_orders_only() -> None:
    """The bound is the documented one."""
    state = WalletState()
    for number in range(RECENT + 1):
        assert state.fold(order(number), offset=number, clock=NOW) is Verdict.APPLIED
    assert state.fold(order(1), offset=90, clock=NOW) is Verdict.DUPLICATE
    assert state.fold(order(0), offset=91, clock=NOW) is Verdict.APPLIED


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
    assert len(few.encode()) < 700
    assert len(busy.encode()) < 12_000


def test_a_state_survives_its_encoding_with_its_rules() -> None:
    """The value of the state topic is the whole state."""
    state = WalletState()
    state.fold(order(1), offset=0, clock=NOW)
    state.rules[2**64 - 1] = RuleState(fired=NOW, armed=False)
    assert WalletState.decode(state.encode()) == state


@pytest.mark.parametrize("kind", [WalletState, MarketState])
def test_a_newer_state_is_refused_by_name(kind: type[WalletState | MarketState]) -> None:
    """An old program must not go on with what a new one wrote."""
    with pytest.raises(NewerState, match=f"{kind.__name__} has schema 2, this program knows 1: roll out"):
        kind.decode(b"\x02whatever")


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x01", b"\x01\xc1", b"\x01\x80"])
def test_what_is_no_state_is_refused(value: bytes) -> None:
    """Truncated or foreign bytes are not read as an empty wallet."""
    with pytest.raises(InvalidRecord, match="WalletState"):
        WalletState.decode(value)
