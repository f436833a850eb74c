from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.stats.numbers import market_number, packed_token
from streams.stats.positions import MOST_POSITIONS, MOST_VIEWED, Positions
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState
from tests.support.logs import MARKETS, START, WALLET, logs, order
from tests.support.oracle import Logged, wallet_stats

if TYPE_CHECKING:
    from random import Random

NOW = START * 1_000
LARGEST = str(2**256 - 1)


def wallet(*orders: dict[str, Any]) -> WalletState:
    """Return a wallet after these orders."""
    state = WalletState()
    for number, fields in enumerate(orders):
        state.fold(order(number, **fields), offset=number, clock=NOW)
    return state


def add(positions: Positions, token: int, second: int) -> None:
    """Count an order of one share for one micro-USDC."""
    positions.add(packed_token(str(token)), None, second, buy=True, notional=1, shares=1)


def test_a_position_by_hand() -> None:
    """Shares and money of both sides, the mean price of what was bought, the newest order."""
    #            bought 4 for 2.00   bought 10 for 1.00   sold 5 for 4.50
    state = wallet(
        {"at": -9, "usdc": 2.0, "price": 0.5},
        {"at": -5, "usdc": 1.0, "price": 0.1},
        {"at": -7, "usdc": 4.5, "price": 0.9, "side": "SELL"},
    )
    position = state.position("1")
    assert position is not None
    assert (position.bought_shares, position.bought) == (14_000_000, 3_000_000)
    assert (position.sold_shares, position.sold) == (5_000_000, 4_500_000)
    assert (position.shares, position.average_price) == (9_000_000, 3.0 / 14.0)
    assert (position.orders, position.newest) == (3, START - 5)


def test_more_can_be_sold_than_was_seen_bought() -> None:
    """Earlier buys are invisible; a mean of nothing is none."""
    position = wallet({"usdc": 1.0, "price": 0.5, "side": "SELL"}).position("1")
    assert position is not None
    assert (position.shares, position.average_price) == (-2_000_000, None)


def test_late_orders_and_orders_without_a_market_count() -> None:
    """They are orders, though in no window or of no market."""
    state = wallet({"condition_id": None}, {"at": -100_000})
    position = state.position("1")
    assert position is not None
    assert (position.orders, state.late) == (2, 1)
    assert position.market == market_number(MARKETS[0])


def test_an_unknown_token_has_no_position() -> None:
    """None is not a position of nothing."""
    assert wallet({}).position("2") is None


def test_the_orders_of_a_market_are_those_of_its_tokens() -> None:
    """The first order in a market is the one after which there is one."""
    other = {"token_id": "3", "condition_id": MARKETS[1]}
    state = wallet({}, {"token_id": "2"}, {}, other, {"token_id": "4", "condition_id": None})
    asked = [state.orders_in_market(market) for market in (*MARKETS, None)]
    assert asked == [3, 1, 0, 0]


def test_a_token_of_256_bits_is_published_as_it_came() -> None:
    """Packing loses nothing."""
    (view,) = wallet({"token_id": LARGEST}).positions.views()
    assert view.token_id == LARGEST


def test_the_newest_positions_are_published_first() -> None:
    """Ties go by the number of the token, and sixteen are enough."""
    positions = Positions()
    for token in range(20):
        add(positions, token, START + token // 2)
    tokens = [int(view.token_id) for view in positions.views()]
    assert tokens == [18, 19, 16, 17, 14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5]
    assert len(tokens) == MOST_VIEWED


def test_the_token_whose_newest_order_is_oldest_goes() -> None:
    """
    However often it was traded before; of equal ones the smaller number.

    token    0 .. 63   0 again   64            65
    second   0         1         1: 1 goes     1: 2 goes
    """
    positions = Positions()
    for token in range(MOST_POSITIONS):
        add(positions, token, START)
    for token in (0, MOST_POSITIONS, MOST_POSITIONS + 1):
        add(positions, token, START + 1)
    assert {packed_token("1"), packed_token("2")}.isdisjoint(positions.held)
    assert (len(positions.held), positions.dropped) == (MOST_POSITIONS, 2)


def test_what_is_older_than_all_others_is_not_kept() -> None:
    """A late order does not cost a newer position."""
    positions = Positions()
    for token in range(MOST_POSITIONS):
        add(positions, token, START)
    add(positions, 99, START - 1)
    assert packed_token("99") not in positions.held
    assert positions.dropped == 1


def test_a_token_that_comes_back_begins_anew() -> None:
    """What was dropped is gone, and the count says so."""
    positions = Positions()
    for token in (*range(MOST_POSITIONS + 1), 0):
        add(positions, token, START + token if token else START + 100 * len(positions.held))
    assert positions.held[packed_token("0")].orders == 1


orders_of_many = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9)), min_size=90, max_size=200)


@given(orders_of_many, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_which_tokens_are_kept_does_not_depend_on_the_order_of_arrival(
    orders: list[tuple[int, int]], seed: Random
) -> None:
    """They are the ones with the newest orders; below the limit their sums are the same too."""
    newest = {token: max(second for each, second in orders if each == token) for token, _ in orders}
    expected = sorted(newest, key=lambda token: (newest[token], token))[-MOST_POSITIONS:]
    shuffled = list(orders)
    seed.shuffle(shuffled)
    kept = []
    for arrival in (orders, shuffled):
        kept.append(Positions())
        for token, second in arrival:
            add(kept[-1], token, second)
    assert set(kept[0].held) == set(kept[1].held) == {packed_token(str(token)) for token in expected}
    assert len(newest) > MOST_POSITIONS or kept[0] == kept[1]


@given(log=logs(repeats=False), seed=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_positions_do_not_depend_on_the_order_of_arrival(log: list[Logged], seed: Random) -> None:
    """Late, early and twins: every permutation at one clock ends in the same positions."""
    clock = max(entry.append_ms for entry in log)
    shuffled = list(log)
    seed.shuffle(shuffled)
    states = []
    for arrival in (log, shuffled):
        states.append(WalletState())
        for entry in arrival:
            states[-1].fold(entry.order, offset=entry.offset, clock=clock)
    assert states[0].positions == states[1].positions
    assert states[0].sizes == states[1].sizes


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 500)), min_size=60, max_size=120))
@settings(max_examples=30, deadline=None)
def test_positions_of_many_tokens_equal_the_oracle(orders: list[tuple[int, int]]) -> None:
    """Beyond the limit too, with what was dropped and came back."""
    log, state = [], WalletState()
    for offset, (token, second) in enumerate(orders):
        log.append(Logged(order(offset, at=second, token_id=str(token)), 0, offset, NOW + 500_000))
        assert state.fold(log[-1].order, offset=offset, clock=NOW + 500_000) is Verdict.APPLIED
    expected = wallet_stats(log, WALLET, partition=0, as_of_offset=len(log), as_of=NOW + 500_000)
    assert msgspec.to_builtins(state.positions.views()) == expected["positions"]
    assert state.positions.dropped == expected["positions_dropped"]


@pytest.mark.parametrize("token", ["", "x", "-1", "1.5", str(2**256)])
def test_a_malformed_token_is_refused_and_changes_nothing(token: str) -> None:
    """A poison record can be set aside without harm to the wallet."""
    state = wallet({})
    before = state.encode()
    with pytest.raises(InvalidRecord, match="token_id"):
        state.fold(order(7, token_id=token), offset=7, clock=NOW)
    assert state.encode() == before
