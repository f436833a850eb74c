"""The provider's clock, from Date headers in a simulated exchange with a known truth."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.provider_clock import ProviderClock, parse_date, retry_after

T = 1_700_000_000.0
"""The provider's time, unix seconds, at our monotonic reading 0."""


def date(at: float, ahead: float = T) -> str:
    """Return the Date that a provider `ahead` seconds ahead of us gives at our reading `at`."""
    return formatdate(int(at + ahead), usegmt=True)


def test_the_wall_clock_counts_until_the_first_date() -> None:
    """Then no longer, however wrong it was."""
    clock = ProviderClock(100.0, int(T - 3_600) * 1000)
    assert clock.ms(101.5) == (T - 3_600 + 1.5) * 1000
    clock.observe(date(102.0), 102.0, 102.0)
    assert clock.synchronized
    assert clock.ms(102.0) == pytest.approx((T + 102.5) * 1000, abs=1)


@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    st.floats(-1e5, 1e5),
)
def test_the_truth_is_within_the_round_trip_and_a_second(
    exchanges: list[tuple[float, float, float]], wrong_by: float
) -> None:
    """The error never exceeds half of the tightest round trip and the second that a Date cuts off."""
    # |--pause--|--to the provider: Date is made--|--back--|
    clock = ProviderClock(0.0, int((T + wrong_by) * 1000))
    now, tightest = 0.0, 10.0
    for pause, there, back in exchanges:
        sent = now + pause
        now = sent + there + back
        clock.observe(date(sent + there), now, sent)
        tightest = min(tightest, there + back)
    clock.ms(now)
    now += 5.0  # one that is ahead by less stands still until it is right
    assert abs(clock.ms(now) / 1000 - (now + T)) <= (tightest + 1) / 2 + 0.1


def test_many_answers_are_better_than_one() -> None:
    """Each falls elsewhere in its second, and what all allow is little."""
    clock = ProviderClock(0.0, 0)
    for number in range(100):
        at = number * 1.37 + 0.2
        clock.observe(date(at, T + 0.77), at + 0.02, at - 0.02)
    assert clock.ms(140.0) == pytest.approx((T + 0.77 + 140.0) * 1000, abs=100)


def test_clocks_may_drift_apart() -> None:
    """A provider's that gains 100 us a second is followed by each single answer: what was known grows old."""
    clock = ProviderClock(0.0, 0)
    for number in range(200):
        at = number * 60.37
        clock.observe(date(at * 1.0001), at, at)
    assert clock.ms(12_000.0) == pytest.approx((T + 12_001.2) * 1000, abs=300)


def test_a_date_without_its_request_is_a_lower_bound() -> None:
    """As from a handshake: the provider's time is then or later, and no more is known."""
    clock = ProviderClock(0.0, 0)
    clock.observe(date(1.9), 2.0)
    clock.observe(date(11.0), 31.0)  # read 20 s late: worth nothing beside the other
    assert clock.ms(2.0) == pytest.approx((T + 1.5) * 1000, abs=20)


@pytest.mark.parametrize(
    "garbage",
    ["", "soon", "Tue, 99 Foo 2026 00:00:00 GMT", "\x00", "Tue, 24 Nov 99999999999 00:14:05 GMT", "0", "é" * 5000],
)
def test_garbage_is_ignored(garbage: str) -> None:
    """As if it had not come."""
    assert parse_date(garbage) is None
    clock = ProviderClock(0.0, int(T) * 1000)
    clock.observe(garbage, 1.0, 0.0)
    assert not clock.synchronized


@given(st.text(max_size=40))
def test_no_header_raises(header: str) -> None:
    """Whatever a provider or a proxy writes."""
    assert (parse_date(header) or 1.0) > 0
    assert (retry_after(header, header) or 0.0) >= 0.0


def test_a_date_without_a_zone_is_gmt() -> None:
    """As HTTP demands, and not the zone of this machine."""
    assert parse_date("Tue, 24 Nov 2026 00:14:05 GMT") == 1_795_479_245
    assert parse_date("Tue, 24 Nov 2026 00:14:05") == 1_795_479_245
    assert parse_date("Tue, 24 Nov 2026 00:14:05 -0000") == 1_795_479_245


def test_one_server_with_a_wrong_clock_changes_nothing() -> None:
    """Only a second answer that agrees with the contradiction does: then the clock was set."""
    clock = ProviderClock(0.0, 0)
    clock.observe(date(1.0), 1.0, 1.0)
    before = clock.ms(10.0)
    clock.observe(date(2.0, T + 500), 2.0, 2.0)
    clock.observe(date(3.0), 3.0, 3.0)
    clock.observe(date(4.0, T + 500), 4.0, 4.0)
    assert clock.ms(10.0) == before
    clock.observe(date(5.0, T + 500), 5.0, 5.0)
    assert clock.ms(10.0) == pytest.approx((T + 510.5) * 1000, abs=600)


def test_our_clock_may_pause_in_a_suspended_machine() -> None:
    """The monotonic clock of Linux does: after two answers the provider's time is right again."""
    clock = ProviderClock(0.0, 0)
    clock.observe(date(1.0), 1.0, 1.0)
    for at in (2.0, 3.0):
        clock.observe(date(at, T + 7_200), at, at)
    assert clock.ms(3.0) == pytest.approx((T + 7_203.5) * 1000, abs=600)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2), st.booleans()), max_size=30))
def test_time_does_not_turn_back(steps: list[tuple[float, float, bool]]) -> None:
    """Corrections of less than seconds only hold it for a while."""
    clock = ProviderClock(0.0, int(T + 1) * 1000)
    now, latest = 0.0, 0
    for pause, trip, observed in steps:
        now += pause
        if observed:
            clock.observe(date(now), now + trip, now)
            now += trip
        assert clock.ms(now) >= latest
        latest = clock.ms(now)


def test_earlier_readings_are_not_later_times() -> None:
    """A moment of the past may be asked for at any time."""
    clock = ProviderClock(0.0, int(T) * 1000)
    now = clock.ms(60.0)
    assert clock.ms(50.0) == now - 10_000
    clock.observe(date(61.0, T + 4), 61.0, 61.0)
    assert clock.ms(59.9) <= now


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("0", 0.0),
        ("-5", None),
        ("9" * 400, 999_999_999.0),
        ("Tue, 24 Nov 2026 00:15:05 GMT", 60.0),
        ("Tue, 24 Nov 2026 00:13:05 GMT", 0.0),
        ("later", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    """Seconds, or a date, which counts from the answer's own."""
    assert retry_after(header, "Tue, 24 Nov 2026 00:14:05 GMT") == seconds
