from __future__ import annotations

import pytest

from streams.shards.standing import Standing, Working


@pytest.mark.parametrize(
    ("following", "fetched", "told", "empty_to", "lag"),
    [
        (10, None, None, 0, None),
        (10, None, 15, 0, 5),
        (10, 12, None, 0, 2),
        (10, 12, 15, 0, 5),
        (10, 15, 12, 0, 5),
        (10, 10, 10, 0, 0),
        (12, 10, 10, 0, 0),
        (10, 11, 11, 11, 0),
        (10, 11, 12, 11, 2),
    ],
    ids=["unknown", "told", "fetched", "newer", "older", "none", "ahead", "marks", "beyond marks"],
)
def test_lag_is_to_the_newest_end_that_anybody_knows(
    following: int, fetched: int | None, told: int | None, empty_to: int, lag: int | None
) -> None:
    """Marks of transactions are none; but what lies beyond them may be all records."""
    working = Working(following, fetched, empty_to, following - 1, 0.0, subjects=1, state_bytes=1)
    assert working.lag(told) == lag


def test_a_shard_is_named_as_people_know_it() -> None:
    """Topic and partition."""
    assert Standing("orders.v1", 3, "orders", 1, 0, None).name == "orders.v1 3"
