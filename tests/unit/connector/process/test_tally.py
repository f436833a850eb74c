from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from connector.process.tally import Counts, Distributions

BOUNDS = (0.001, 0.5, 1, 30)
EVENTS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(BOUNDS) | st.floats(0, 100)))


def _told(registry: CollectorRegistry) -> list[str]:
    """Return what a scraper gets, without the times of creation."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


@given(EVENTS)
def test_they_tell_what_prometheus_client_would(events: list[tuple[str, float]]) -> None:
    """Names, help, types, labels, buckets with their bounds included, counts and sums."""
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    counter = Counter("things_total", "Things.", ["kind"], registry=theirs)
    histogram = Histogram("wait_seconds", "Waits.", ["kind"], buckets=BOUNDS, registry=theirs)
    plain = Histogram("all_seconds", "All waits.", buckets=BOUNDS, registry=theirs)
    counts = Counts("things_total", "Things.", ["kind"], registry=ours)
    waits = Distributions("wait_seconds", "Waits.", BOUNDS, ["kind"], registry=ours)
    every = Distributions("all_seconds", "All waits.", BOUNDS, registry=ours)
    for kind, seconds in events:
        counter.labels(kind).inc()
        histogram.labels(kind).observe(seconds)
        plain.observe(seconds)
        counts.labels(kind).inc()
        waits.labels(kind).observe(seconds)
        every.labels().observe(seconds)
    assert sorted(_told(ours)) == sorted(_told(theirs))
