"""The budget of a key, in simulated time."""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.budget import Budget


def made(budget: Budget, until: float, start: float = 0.0) -> list[float]:
    """Return when requests are made by somebody who makes one whenever he may."""
    now, times = start, []
    while now < until:
        wait = budget.wait(now)
        if wait > 0:
            now += wait
        else:
            budget.begin(now)
            budget.end(now)
            times.append(now)
    return times


def most_within(times: list[float], seconds: float) -> int:
    """Return the most requests in any window of that length."""
    return max(sum(begin <= time < begin + seconds - 1e-6 for time in times) for begin in times)


@given(
    st.lists(st.tuples(st.sampled_from([1.0, 2.0, 10.0]), st.integers(1, 40)), min_size=1, max_size=3),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
)
def test_no_window_holds_more_than_the_share(limits: list[tuple[float, int]], share: float) -> None:
    """Of each documented limit, wherever the window lies; and the rate is used, not only kept."""
    times = made(Budget(limits, share), 30.0)
    for seconds, most in limits:
        assert most_within(times, seconds) <= ceil(most * share)
    slowest = min(most * share / seconds for seconds, most in limits)
    assert len(times) >= int(slowest * 30) * 0.7


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=1, max_size=40),
    st.integers(1, 20),
)
def test_no_window_of_the_provider_holds_more(most: int, latencies: list[tuple[float, float]], callers: int) -> None:
    """Though it counts a request at any moment between our asking and its answer."""
    # asked |------ counted -----| answered, some of them at once
    budget = Budget([(1.0, most)], 0.8)
    now, counted, answers = 0.0, [], list[float]()
    for latency, part in latencies:
        while (wait := budget.wait(now)) > 0 or len(answers) == callers:
            now = min([*answers, now + wait] if wait > 0 else answers)
            while answers and answers[0] <= now:
                budget.end(heappop(answers))
        budget.begin(now)
        counted.append(now + part * latency)
        heappush(answers, now + latency)
    assert most_within(counted, 1.0) <= most


def test_less_than_one_request_in_a_window_stretches_it() -> None:
    """Four fifths of one request a second are one in 1.25 seconds."""
    assert made(Budget([(1.0, 1)], 0.8), 6.0) == pytest.approx([0.0, 1.25, 2.5, 3.75, 5.0])


def test_complaints_halve_the_rate_for_a_while() -> None:
    """It grows back over a minute, and never ends."""
    # requests a second:  10 | 429 | 5 ... grows by 1/6 a second ... 10
    budget = Budget([(1.0, 10)], 1.0)
    budget.complained(0.0)
    assert len(made(budget, 0.9)) == 5
    assert len(made(budget, 4.9, start=0.9)) == pytest.approx(4 * 5.5, abs=3)
    assert len(made(budget, 34.0, start=30.0)) == pytest.approx(4 * 10, abs=1)
    for _ in range(50):
        budget.complained(100.0)
    budget.begin(100.0)
    budget.end(100.0)
    assert 0 < budget.wait(100.0) <= 1.7


def test_retry_after_blocks_every_request() -> None:
    """Until then nothing is asked; but no provider silences us for hours."""
    budget = Budget([(1.0, 10)], 1.0)
    budget.complained(5.0, 7.0)
    assert budget.wait(5.0) == 7.0
    budget.complained(5.0, 2.0)
    assert budget.wait(5.0) == 7.0
    assert budget.wait(12.0) == 0.0
    budget.complained(20.0, 1e9)
    assert budget.wait(20.0) == 600.0
