from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.backoff import Backoff, Patience


def delays(*, attempts: int, random: float) -> list[float]:
    """Return the first delays with base 0.5 s and cap 30 s, where every draw is `random`."""
    backoff = Backoff(base=0.5, cap=30.0, random=lambda: random)
    return [backoff.next_delay() for _ in range(attempts)]


def test_bounds_double_up_to_the_cap() -> None:
    """The most unlucky draw waits 0.5, 1, 2, ... 30, 30 s."""
    assert delays(attempts=9, random=1.0) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_is_full() -> None:
    """Draws spread over the whole interval, zero included: a herd of clients comes apart."""
    assert delays(attempts=3, random=0.0) == [0, 0, 0]
    assert delays(attempts=3, random=0.25) == [0.125, 0.25, 0.5]


def test_reset_starts_over() -> None:
    """After proven health the next failure waits briefly again."""
    backoff = Backoff(base=0.5, cap=30.0, random=lambda: 1.0)
    for _ in range(5):
        backoff.next_delay()
    backoff.reset()
    assert backoff.next_delay() == 0.5


@given(st.floats(0.01, 10), st.floats(0.01, 100), st.integers(0, 2000), st.floats(0, 1, exclude_max=True))
def test_no_delay_exceeds_its_bound(base: float, cap: float, attempts: int, draw: float) -> None:
    """Within [0, cap] for ever: a thousand failures overflow nothing."""
    backoff = Backoff(base=base, cap=cap, random=lambda: draw)
    for attempt in range(attempts):
        assert 0 <= backoff.next_delay() <= min(cap, base * 2.0 ** min(attempt, 64))


def test_a_key_that_never_worked_is_given_up_at_once() -> None:
    """It is wrong."""
    assert Patience(60.0).refused(0.0)


def test_a_key_that_had_worked_may_be_refused_for_a_while() -> None:
    """
    Counted from the first refusal since it worked last.

    0         10       50       60        100      160
    accepted  refused  refused  accepted  refused  refused: given up
    """
    patience = Patience(60.0)
    patience.accepted()
    assert [patience.refused(at) for at in (10.0, 50.0)] == [False, False]
    patience.accepted()
    assert [patience.refused(at) for at in (100.0, 159.9, 160.0)] == [False, False, True]


def test_patience_may_be_endless() -> None:
    """Where another side goes on alone, a wrong key does not end it."""
    patience = Patience(float("inf"))
    assert not patience.refused(0.0)
    patience.accepted()
    assert not patience.refused(1e9)
