from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stats.ending import market_end


@pytest.mark.parametrize(
    ("slug", "end"),
    [
        ("btc-updown-15m-1762479900", 1_762_479_900 + 900),  # the documentation's sample: 8:45 to 9:00 PM
        ("eth-updown-4h-1767556800", 1_767_556_800 + 14_400),
        ("x-1h-15m-1762479900", 1_762_479_900 + 900),
    ],
)
def test_a_slug_with_length_and_start_says_when_the_market_ends(slug: str, end: int) -> None:
    """The last parts of the slug count."""
    assert market_end(slug) == end


@pytest.mark.parametrize(
    "slug",
    [
        None,
        "",
        "ethereum-up-or-down-january-4-2pm-et",
        "btc-updown-15m-",
        "btc-updown-15m-17624799",
        "btc-updown-15m-1762479900-x",
        "btc-updown-15m-1762479900\n",
        "btc-updown-0m-1762479900",
        "btc-updown-15d-1762479900",
        "btc-updown-1762479900",
        "15m-1762479900",
    ],
)
def test_other_slugs_say_nothing(slug: str | None) -> None:
    """None is not a guess."""
    assert market_end(slug) is None


@given(st.text(), st.integers(1, 9_999), st.sampled_from("mh"), st.integers(10**9, 10**10 - 1))
def test_whatever_stands_before_is_of_no_account(name: str, length: int, unit: str, start: int) -> None:
    """Any name may begin a slug; none raises."""
    assert market_end(f"{name}-{length}{unit}-{start}") == start + length * (60 if unit == "m" else 3_600)
    market_end(name)
