from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.durations import format_duration, parse_duration


@given(st.integers(0, 999_999_999))
def test_durations_are_written_as_they_are_read(milliseconds: int) -> None:
    """Any duration comes back the same."""
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(("milliseconds", "text"), [(0, "0s"), (1, "1ms"), (90_000, "90s"), (86_400_000, "1d")])
def test_durations_are_in_the_largest_whole_unit(milliseconds: int, text: str) -> None:
    """For people."""
    assert format_duration(milliseconds) == text


@pytest.mark.parametrize("text", ["", "5", "m", "1h30m", "-1s", "1.5s", " 1s", "\u0661s", "1234567890s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match="such as 60s or 5m"):
        parse_duration(text)
