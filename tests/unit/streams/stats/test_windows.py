from __future__ import annotations

from itertools import pairwise

import pytest

from streams.stats.buckets import BUCKETS, NEVER, SPANS
from streams.stats.windows import Windows

T = 1_440_000
"""A second at which a bucket of every width begins."""


def windows(*seconds: int, clock: int | None = None, size: int = 1) -> Windows:
    """Return windows with an order of `size` at each second, folded at its own time or at one clock."""
    made = Windows()
    for second in seconds:
        made.advance(second if clock is None else clock)
        made.add(second, buy=True, notional=size, shares=size, member=second)
    return made


def orders(held: Windows) -> list[int]:
    """Return the number of orders per window."""
    return [held.sums(level).orders for level in range(len(SPANS))]


def test_every_window_has_sixty_buckets_that_nest() -> None:
    """What the module relies on."""
    widths = [span.width for span in SPANS]
    assert [span.length // span.width for span in SPANS] == [BUCKETS] * 4
    assert all(wide % narrow == 0 for narrow, wide in pairwise(widths))


@pytest.mark.parametrize(
    ("level", "first_out"),
    # An order at T + 7 is in bucket T of 5 s, 60 s and 1,440 s, which leave 60 widths after T + 5, T and T.
    [(0, T + 7 + 60), (1, T + 5 + 300), (2, T + 3_600), (3, T + 86_400)],
)
def test_an_order_leaves_each_window_with_its_bucket(level: int, first_out: int) -> None:
    """The window is (at - length, at], floored to buckets."""
    #   T     T+7                                   first_out - 1   first_out
    #   |------o--------------------------------------------|----------|
    #   [bucket ............][.. 59 more buckets ...........]  gone
    held = windows(T + 7)
    assert orders(held.at(first_out - 1))[level] == 1
    assert orders(held.at(first_out))[level] == 0


def test_an_out_of_order_order_lands_in_its_own_bucket() -> None:
    """It counts only where it would still be, had it come in time."""
    #        T-3000        T-200   T-30   T      60 s window from T-59, 300 s from T-295 (floored), 3,600 s from T-3540
    held = windows(T, T - 30, T - 200, T - 3_000, T - 80_000, clock=T)
    assert orders(held) == [2, 3, 4, 5]
    held.advance(T + 30)
    assert orders(held) == [1, 3, 4, 5]


def test_an_order_older_than_every_window_is_not_counted() -> None:
    """The caller is told."""
    held = windows(T)
    assert not held.add(T - 86_400, buy=True, notional=1, shares=1, member=None)
    assert orders(held) == [1, 1, 1, 1]


def test_a_clock_in_the_past_is_ignored() -> None:
    """The clock is a running maximum."""
    held = windows(T, T + 100)
    assert not held.advance(T + 99)
    assert held.clock == T + 100


def test_advance_tells_whether_anything_left() -> None:
    """Nobody has to look again where nothing changed."""
    held = windows(T)
    assert not held.advance(T + 59)
    assert held.advance(T + 60)


def test_the_largest_order_is_the_largest_of_what_is_left() -> None:
    """A maximum cannot be subtracted: it is found again among the buckets."""
    held = Windows()
    for second, size in ((T, 9), (T + 10, 5), (T + 20, 7)):
        held.advance(second)
        held.add(second, buy=True, notional=size, shares=1, member=None)
    # 60 s window:    9 5 7      5 7 (9 left)   7     nothing
    found = [held.at(at).largest for at in (T + 59, T + 60, T + 70, T + 80)]
    assert found == [[9, 9, 9, 9], [7, 9, 9, 9], [7, 9, 9, 9], [0, 9, 9, 9]]
    assert held.at(T + 310).largest == [0, 7, 9, 9]


def test_members_are_counted_once_per_window_whatever_the_order_of_arrival() -> None:
    """A market stays in a window as long as its newest order does."""
    held = Windows()
    held.advance(T)
    for second, member in ((T, 1), (T - 200, 1), (T - 200, 2), (T - 30, 2), (T - 31, 2)):
        held.add(second, buy=True, notional=1, shares=1, member=member)
    assert held.distinct == [2, 2, 2, 2]
    assert [held.at(at).distinct[0] for at in (T + 29, T + 30, T + 59, T + 60)] == [2, 1, 1, 0]
    assert held.at(T + 86_400).members == {}


def test_a_member_is_met_again_a_second_later() -> None:
    """Its newest order moves on, and leaves with that one."""
    held = Windows()
    for second in (T, T + 1):
        held.advance(second)
        held.add(second, buy=True, notional=1, shares=1, member=1)
    assert [held.at(at).distinct[0] for at in (T + 60, T + 61)] == [1, 0]


def test_a_member_that_left_with_the_last_second_of_a_bucket_is_new_when_it_returns() -> None:
    """Nothing of it is kept beyond the longest window."""
    held = windows(T + 1_439)
    held.advance(T + 86_400)
    assert held.members == {}
    held.add(T + 86_400, buy=True, notional=1, shares=1, member=T + 1_439)
    assert held.distinct == [1, 1, 1, 1]


def test_nothing_is_due_when_nothing_is_held() -> None:
    """Idle subjects need no timer."""
    assert Windows().due == NEVER
    assert windows(T).at(T + 90_000).due == NEVER


def test_buckets_are_bounded_whatever_the_number_of_orders() -> None:
    """A busy day takes 60 buckets per window at most, and sums stay exact."""
    held = Windows()
    for second in range(T, T + 100_000, 7):
        held.advance(second)
        held.add(second, buy=second % 2 == 0, notional=3, shares=1, member=second % 5)
    assert max(len(tier) for tier in held.tiers) <= BUCKETS
    assert held.lifetime().orders == len(range(T, T + 100_000, 7))
    assert held.distinct == [5, 5, 5, 5]
