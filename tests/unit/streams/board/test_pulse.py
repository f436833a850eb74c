from __future__ import annotations

from streams.board.pulse import SHOWN_SECONDS, Arrivals, Latency, Spread
from tests.support.board import NOW_MS


def test_the_rate_is_that_of_full_seconds() -> None:
    """The second that has just begun would make it look slower."""
    arrivals = Arrivals()
    for _ in range(50):
        arrivals.add(NOW_MS - 1)
    arrivals.add(NOW_MS)
    assert arrivals.rate(NOW_MS) == 5.0
    assert arrivals.history(NOW_MS)[-1] == 50
    assert len(arrivals.history(NOW_MS)) == SHOWN_SECONDS


def test_seconds_long_past_are_forgotten() -> None:
    """A start reads hours of history; what is not shown is not kept."""
    arrivals = Arrivals()
    for second in range(10_000):
        arrivals.add(NOW_MS + second * 1_000)
    assert len(arrivals._seconds) <= 2 * SHOWN_SECONDS + 1


def test_latency_is_that_of_the_last_minutes() -> None:
    """Median and 99th percentile; what is old, or has not been measured, is not told."""
    latency = Latency()
    assert latency.spread(NOW_MS) is None
    for took in range(1, 101):
        latency.add(NOW_MS, took)
    assert latency.spread(NOW_MS + 1_000) == Spread(50.0, 99.0)
    assert latency.spread(NOW_MS + 400_000) is None


def test_clocks_that_differ_make_no_negative_latency() -> None:
    """The broker's stamp may be before the connector's."""
    latency = Latency()
    latency.add(NOW_MS, -3.0)
    assert latency.spread(NOW_MS) == Spread(0.0, 0.0)
