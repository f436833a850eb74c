from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.board.flow import MINUTE_MS, MINUTES, Flow, Minute

START = 29_459_271 * MINUTE_MS


def test_money_is_counted_in_its_minute() -> None:
    """Bought and sold apart, minutes without orders too."""
    flow = Flow()
    flow.add(START + 1, buy=True, micros=5)
    flow.add(START + 59_999, buy=True, micros=6)
    flow.add(START + MINUTE_MS, buy=False, micros=7)
    assert flow.until(START + 2 * MINUTE_MS)[-4:] == [
        Minute(START - MINUTE_MS, 0, 0),
        Minute(START, 11, 0),
        Minute(START + MINUTE_MS, 0, 7),
        Minute(START + 2 * MINUTE_MS, 0, 0),
    ]


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans(), st.integers(1, 9)), max_size=60), st.integers(0, 300))
def test_it_holds_what_an_unbounded_one_would_show(orders: list[tuple[int, bool, int]], later: int) -> None:
    """Whatever the order of arrival, but for what is older than an hour when it comes."""
    flow, newest, wanted = Flow(), 0, dict[tuple[int, bool], int]()
    for minute, buy, micros in orders:
        flow.add(START + minute * MINUTE_MS, buy=buy, micros=micros)
        newest = max(newest, minute)
        if minute > newest - MINUTES:
            wanted[minute, buy] = wanted.get((minute, buy), 0) + micros
    last = max(later, newest) if orders else later
    shown = flow.until(START + later * MINUTE_MS)
    assert shown == [
        Minute(START + minute * MINUTE_MS, wanted.get((minute, True), 0), wanted.get((minute, False), 0))
        for minute in range(last - MINUTES + 1, last + 1)
    ]
