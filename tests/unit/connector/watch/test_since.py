from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.watch.since import DAY_S, MOST_DAYS, InvalidSince, parse_since

NOW = 1_794_000_000  # 2026-11-06T21:20:00Z


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2026-11-01", 1_793_491_200),
        ("2026-11-01T12:30", 1_793_491_200 + 45_000),
        ("2026-11-01T12:30:00+02:00", 1_793_491_200 + 37_800),
        ("2026-11-01 00:00Z", 1_793_491_200),
        ("1793491200", 1_793_491_200),
        ("90s", NOW - 90),
        ("30m", NOW - 1_800),
        (" 2h ", NOW - 7_200),
        ("30d", NOW - 30 * DAY_S),
        ("0s", NOW),
    ],
)
def test_times_are_read(text: str, since: int) -> None:
    """Dates, times, unix seconds, and how long ago."""
    assert parse_since(text, NOW) == since


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-11-07", "in the future"),
        (str(NOW + 1), "in the future"),
        ("31d", "more than 30 days ago"),
        ("2026-01-05", "more than 30 days ago"),
        (str(NOW * 1000), "milliseconds"),
        ("yesterday", "no time: expected 2026-11-01"),
        ("2026-13-01", "no time"),
        ("", "no time"),
        ("-2h", "no time"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    """Each kind of mistake has its own words."""
    with pytest.raises(InvalidSince, match=said):
        parse_since(text, NOW)


@given(st.text() | st.from_regex(r"[0-9]{1,10}[smhd]?") | st.datetimes().map(str))
def test_any_text_is_a_time_that_counts_or_an_error(text: str) -> None:
    """What is accepted is between 30 days ago and now."""
    try:
        since = parse_since(text, NOW)
    except InvalidSince:
        return
    assert NOW - MOST_DAYS * DAY_S <= since <= NOW
