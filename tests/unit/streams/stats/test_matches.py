from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from streams.stats.market import MarketState
from streams.stats.matches import KEPT_S, MOST, MOST_ROWS, Match, Matches, Row, row_of
from tests.support.logs import START, order

NOW = START * 1_000
A, B, C, D, EXCHANGE = (f"0x{digit * 40}" for digit in "abcde")


def row(user: str, taker: str | None, usdc: float, **fields: Any) -> dict[str, Any]:
    """Return the fields of a row of a match."""
    return {"user": user, "taker": taker, "usdc": usdc, **fields}


def market(*rows: dict[str, Any], clocks: tuple[int, ...] = ()) -> MarketState:
    """Return a market after these rows, each at its clock (seconds after START), else all at START."""
    state = MarketState()
    for number, fields in enumerate(rows):
        clock = clocks[number] if clocks else 0
        state.fold(order(number, **fields), origin=(0, number), clock=NOW + clock * 1_000)
    return state


def volume(state: MarketState, at: int = 0) -> float:
    """Return the market's volume in the longest window, USDC."""
    return state.view(NOW + at * 1_000)["24h"].volume / 1e6


MATCH = [row(A, C, 3.0, side="SELL"), row(B, C, 2.0, side="SELL"), row(C, EXCHANGE, 6.0, side="BUY")]


@pytest.mark.parametrize("rows", list(permutations(MATCH)))
def test_a_match_of_which_both_sides_are_watched_counts_once(rows: tuple[dict[str, Any], ...]) -> None:
    """In whatever order its rows come; orders, wallets and net flow are those of the wallets."""
    state = market(*rows)
    minute = state.view(NOW)["1m"]
    assert volume(state) == 6.0
    assert (minute.orders, minute.wallets, minute.net_flow) == (3, 3, 1_000_000)


@pytest.mark.parametrize("rows", [MATCH[:2], MATCH[2:]])
def test_one_side_alone_counts_as_it_is(rows: list[dict[str, Any]]) -> None:
    """Nothing of it is told twice."""
    assert volume(market(*rows)) == sum(each["usdc"] for each in rows)


def test_the_smaller_side_is_what_is_told_twice() -> None:
    """Of a match whose makers are not all watched, the taker's row holds everything."""
    assert volume(market(MATCH[1], MATCH[2])) == 6.0
    assert volume(market(MATCH[0], row(C, EXCHANGE, 1.0))) == 3.0


def test_other_transactions_are_other_trades() -> None:
    """The same wallets may trade again; a taker of one transaction is nobody in the next."""
    other = {"tx_hash": "0x" + "f" * 64}
    assert volume(market(MATCH[0], MATCH[2] | other)) == 9.0


def test_an_outcome_is_corrected_within_its_own_rows() -> None:
    """
    A match across outcomes: the taker buys Yes, of which one maker sells and for which another buys No.

    row         user   taker      outcome   USDC
    maker       A      C          Yes       3
    maker       B      C          No        2
    taker's     C      exchange   Yes       6       market: 6 + 5 - 5    Yes: 9 - 3    No: 2
    """
    state = market(MATCH[0], MATCH[1] | {"token_id": "2"}, MATCH[2])
    assert volume(state) == 6.0
    assert [view.windows["1m"].volume for view in state.outcome_views(NOW)] == [6_000_000, 2_000_000]


def test_who_trades_with_himself_counts_once_too() -> None:
    """His maker's row names himself, and is no taker's for that."""
    assert volume(market(row(A, A, 4.0, side="SELL"), row(A, EXCHANGE, 4.0))) == 4.0


def test_equal_fills_are_two_fills() -> None:
    """A maker's order that was filled twice alike in a transaction counts twice, against the taker's whole."""
    assert volume(market(row(A, C, 3.0), row(A, C, 3.0), row(C, EXCHANGE, 6.0))) == 6.0


def test_a_row_can_take_a_correction_back() -> None:
    """
    Whoever turns out to be a taker changes sides.

    row    user   taker   takers        others   told twice
    1      A      -
    2      B      A       A 100         B 50     50
    3      C      B       A 100 B 50    C 30     30
    """
    rows = [row(A, None, 100.0), row(B, A, 50.0), row(C, B, 30.0)]
    assert [volume(market(*rows[:count])) for count in (1, 2, 3)] == [100.0, 100.0, 150.0]


def test_a_correction_leaves_the_windows_with_its_rows() -> None:
    """
    It counts at their second, however late the last of them comes.

    second     0        59          60
    rows       maker    taker's
    volume     3        6           1m: 0, 24h: 6
    """
    state = market(MATCH[0], MATCH[2], clocks=(0, 59))
    assert [state.view(NOW + at * 1_000)["1m"].volume for at in (59, 60)] == [6_000_000, 0]
    assert volume(state, 60) == 6.0
    assert volume(state, 86_400) == 0.0


@pytest.mark.parametrize(("pause", "counted"), [(KEPT_S, 6.0), (KEPT_S + 1, 9.0)])
def test_a_twin_that_comes_too_late_counts_twice(pause: int, counted: float) -> None:
    """A transaction waits for ten minutes of the log's time, whatever lies between."""
    assert volume(market(MATCH[0], MATCH[2], clocks=(0, pause)), pause) == counted


def test_the_memory_of_transactions_is_bounded() -> None:
    """The one that began first goes; one that is known needs no room."""
    matches = Matches()
    for number in range(MOST + 1):
        matches.add(number << 40, START, row_of(1, 2, 0, 5), START)
    matches.add(1 << 40, START, row_of(2, 3, 0, 5), START)
    assert len(matches.recent) == MOST
    assert START not in matches.recent
    assert matches.recent[1 << 40 ^ START] == Match(START, [Row(1, 2, 0, 5), Row(2, 3, 0, 5)], met=True)


def test_the_rows_of_a_transaction_are_bounded() -> None:
    """Rows that differ in the amount only are one, and what is beyond all reason counts as it is."""
    matches = Matches()
    for user in range(1, MOST_ROWS + 10):
        for _ in range(2):
            matches.add(7, START, row_of(user, None, 0, 5), START)
    (match,) = matches.recent.values()
    assert [each.notional for each in match.rows] == [10] * MOST_ROWS
    assert matches.add(7, START, row_of(999, 1, 0, 5), START) == (0, 0)


def test_a_state_with_matches_survives_its_encoding() -> None:
    """What comes after a restart finds its transaction."""
    state = MarketState.decode(market(*MATCH[:2]).encode())
    state.fold(order(7, **MATCH[2]), origin=(0, 7), clock=NOW)
    assert volume(state) == 6.0
