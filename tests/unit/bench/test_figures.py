"""Medians and percentiles of the benchmark, and what it makes of times."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from tests.bench.figures import figure, percentile
from tests.bench.latency import Arrival, figures

MS = 1_000_000


def alert(event_id: str, arrived_ms: int, **headers_ms: int) -> Arrival:
    """Return an alert about an order, with time headers, as it arrived."""
    record: Any = SimpleNamespace(
        value=orjson.dumps({"alert_id": "a", "orders": [{"event_id": event_id}]}),
        headers=[(name, b"%d" % (at * MS)) for name, at in headers_ms.items()],
    )
    return Arrival(arrived_ms * MS, record)


def test_a_figure_is_a_median_between_extremes() -> None:
    """It reads as such, and two of them have a ratio."""
    assert f"{figure([3.0, 1.0, 2.0]):.1f}" == "2.0 (1.0 - 3.0)"
    assert figure([4.0]) / figure([1.0, 2.0, 9.0]) == pytest.approx(2.0)
    assert math.isnan(figure([1.0]) / figure([0.0]))


@pytest.mark.parametrize(("percent", "expected"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_percentiles_are_nearest_ranks(percent: float, expected: int) -> None:
    """Of 1 to 100, the p-th percentile is p."""
    assert percentile(range(100, 0, -1), percent) == expected
    assert math.isnan(percentile([], percent))


def test_latency_counts_the_first_arrival_and_what_is_missing() -> None:
    """Repetitions and strangers change nothing; the waterfall adds up."""
    #  sent 0 --2-- received --1-- published --4-- admitted --1-- alert --2-- arrived 10
    stages = {"received_ns": 2, "order_published_ns": 3, "admitted_ns": 7, "published_ns": 8}
    arrivals = [alert("one", 10, **stages), alert("one", 50, **stages), alert("stranger", 11, **stages)]
    found = figures({"one": 0, "two": 0}, arrivals)
    assert (found["sent"], found["missing"], found["p50_ms"]) == (2, 1, 10.0)
    assert [stretch["p50"] for stretch in found["waterfall_ms"].values()] == [2.0, 1.0, 4.0, 1.0, 2.0]
