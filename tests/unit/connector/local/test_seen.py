from __future__ import annotations

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from connector.local.seen import Seen, quantile


def seen(timestamp_ms: int = 0, **headers: str) -> Seen:
    """Return a record with these headers."""
    return Seen(0, 0, timestamp_ms, None, b"", tuple((name, value.encode()) for name, value in headers.items()))


def test_latency_is_from_the_socket_to_the_brokers_stamp() -> None:
    """received_ns is in nanoseconds, the broker's stamp in milliseconds."""
    assert seen(1_005, received_ns="1000000000").since_wire_ms() == 5.0


def test_latency_to_a_header() -> None:
    """A later stage's own time may be asked for by name."""
    record = seen(9_999, received_ns="1000000000", published_ns="1002500000")
    assert record.since_wire_ms("published_ns") == 2.5


def test_no_time_no_latency() -> None:
    """Absent or foreign headers give no number, instead of a wrong one."""
    assert seen(5).since_wire_ms() is None
    assert seen(5, received_ns="soon").since_wire_ms() is None
    assert seen(5, received_ns="1").since_wire_ms("published_ns") is None


def test_a_stamp_in_whole_milliseconds_never_makes_a_negative_latency() -> None:
    """The broker's stamp is cut to milliseconds, so it may lie just before the socket's time."""
    assert seen(1_000, received_ns="1000900000").since_wire_ms() == 0.0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_reached_by_its_share_and_by_no_smaller_value(values: list[float], q: float) -> None:
    """The result is one of the values; enough values do not exceed it, and fewer do not exceed the one below."""
    found = quantile(values, q)
    assert found in values
    needed = ceil(q * len(values))
    assert sum(value <= found for value in values) >= needed
    assert sum(value < found for value in values) < needed


def test_no_values_no_quantile() -> None:
    """Nothing measured is no zero."""
    assert quantile([], 0.5) is None
