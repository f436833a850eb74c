from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.stats.buckets import BUCKETS, LEVELS, SPANS
from streams.stats.market import MarketState
from streams.stats.prices import Prices, Rank
from tests.support.logs import START, order

T = 1_440_000
"""A second at which a bucket of every width begins."""


def prices(*fills: tuple[int, float], clock: int) -> Prices:
    """Return prices after fills of (second, price), all at one clock."""
    held = Prices()
    for number, (second, price) in enumerate(fills):
        held.add(second, (second, -1, -1, bytes((number,))), price, clock=clock)
    return held


def firsts(held: Prices, clock: int) -> list[float | None]:
    """Return the price at the beginning of each window."""
    return [held.first(level, clock) for level in range(LEVELS)]


def moves(*fills: tuple[int, float], at: int) -> list[float]:
    """Return the price moves per window at `at`, after fills of (second after START, price)."""
    state = MarketState()
    for number, (second, price) in enumerate(fills):
        made = order(number, at=second, price=price)
        state.fold(made, origin=(0, number), clock=(START + at) * 1_000)
    return [round(state.outcomes["1"].price_move(level), 6) for level in range(LEVELS)]


def test_a_price_moves_from_the_beginning_of_each_window_to_the_newest() -> None:
    """
    Of the oldest bucket of a window with a fill, the last price counts.

    second     -5000   -250   -249   -40    0        window   oldest bucket    move
    price      0.10    0.20   0.30   0.45   0.60     1m       -40              0.15
                                                     5m       -250 .. -246     0.30
                                                     1h       -300 .. -241     0.30
                                                     24h      -5760 .. -4321   0.50
    """
    fills = [(-5_000, 0.1), (-250, 0.2), (-249, 0.3), (-40, 0.45), (0, 0.6)]
    assert moves(*fills, at=0) == [0.15, 0.3, 0.3, 0.5]
    assert moves(*reversed(fills), at=0) == [0.15, 0.3, 0.3, 0.5]


def test_prices_in_one_bucket_have_not_moved() -> None:
    """
    There is nothing to compare with.

    second   0 and 4 are two buckets of 1m, one of every other window
    """
    assert moves((0, 0.2), (4, 0.7), at=4) == [0.5, 0.0, 0.0, 0.0]


def test_nothing_moves_where_nothing_is() -> None:
    """Neither without a fill nor with one, nor when all have left."""
    assert firsts(Prices(), T) == [None] * LEVELS
    assert moves((0, 0.5), at=0) == [0.0] * LEVELS
    assert moves((0, 0.2), (30, 0.7), at=95) == [0.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("level", "first_out"),
    # A fill at T + 7 is in bucket T + 7 of 1 s, T + 5 of 5 s, T of 60 s and of 1,440 s.
    [(0, T + 7 + 60), (1, T + 5 + 300), (2, T + 3_600), (3, T + 86_400)],
)
def test_a_price_leaves_each_window_with_its_bucket(level: int, first_out: int) -> None:
    """As an order does, however the prices were thinned out."""
    #   T + 7 at 0.1            first_out - width at 0.4    first_out - 1       first_out at 0.9
    #   |------o-------------------------o------------------------|-------------------o
    #   first:                                                   0.1                 0.4
    before = prices((T + 7, 0.1), (first_out - SPANS[level].width, 0.4), clock=first_out - 1)
    assert before.first(level, first_out - 1) == 0.1
    before.add(first_out, (first_out, -1, -1, b""), 0.9, clock=first_out)
    assert before.first(level, first_out) == 0.4


def test_the_last_price_of_a_bucket_is_the_last_on_the_chain() -> None:
    """Not the last to arrive."""
    state = MarketState()
    for number, (at, index, price) in enumerate(((0, 9, 0.3), (0, 2, 0.8), (20, 1, 0.5))):
        made = order(number, at=at, price=price, block_number=7, log_index=index)
        state.fold(made, origin=(0, number), clock=(START + 20) * 1_000)
    assert state.outcomes["1"].price_move(0) == 0.5 - 0.3


def test_prices_are_bounded_whatever_the_number_of_orders() -> None:
    """A busy day takes 60 per window at most, and a few more until they are thinned out again."""
    held = Prices()
    for second in range(T, T + 200_000, 11):
        held.add(second, (second, -1, -1, b""), second / 1e9, clock=second)
        assert len(held.held) <= BUCKETS * LEVELS + 32
    assert firsts(held, second) == [
        next(each for each in bucket_ends(level, second) if each is not None) for level in range(LEVELS)
    ]


def bucket_ends(level: int, clock: int) -> list[float | None]:
    """Return, per bucket of the window, the last of the prices of the test above."""
    width = SPANS[level].width
    ends: list[float | None] = []
    for number in range(clock // width - BUCKETS + 1, clock // width + 1):
        seconds = [s for s in range(number * width, (number + 1) * width) if (s - T) % 11 == 0 and T <= s <= clock]
        ends.append(seconds[-1] / 1e9 if seconds else None)
    return ends


def test_old_prices_go_when_there_is_no_room() -> None:
    """What no window holds is not kept."""
    held = Prices()
    for second in (*range(T, T + 32), T + 200_000):
        held.add(second, (second, -1, -1, b""), 0.5, clock=second)
    assert [each.second for each in held.held] == [T + 200_000]


FILLS = st.lists(
    st.tuples(st.sampled_from((0, 1, 7, 61, 3_600, 50_000)), st.sampled_from((0, 1, 2, 59, 61, 301, 5_000, 80_000))),
    min_size=33,
    max_size=120,
)


@given(FILLS, st.sampled_from((0, 30, 400, 4_000, 80_000)))
@settings(max_examples=60, deadline=None)
def test_first_prices_equal_brute_force_however_often_they_are_thinned_out(
    fills: list[tuple[int, int]], later: int
) -> None:
    """Fills of (pause, age) out of order, at any later time: the last of the oldest bucket, if there is a later one."""
    held, clock, seen = Prices(), T, list[tuple[Rank, float]]()
    for number, (pause, age) in enumerate(fills):
        clock += pause
        rank = (clock - age, -1, number * 7 % 5, bytes((number,)))
        held.add(clock - age, rank, number / 128, clock=clock)
        seen.append((rank, number / 128))
    assert firsts(held, clock + later) == [brute_force(seen, level, clock + later) for level in range(LEVELS)]


def brute_force(fills: list[tuple[Rank, float]], level: int, clock: int) -> float | None:
    """Return the price at the beginning of a window, given the rank, which begins with the second, and the price."""
    width = SPANS[level].width
    inside = [fill for fill in fills if fill[0][0] // width > clock // width - BUCKETS]
    numbers = {rank[0] // width for rank, _ in inside}
    return max(fill for fill in inside if fill[0][0] // width == min(numbers))[1] if len(numbers) > 1 else None
