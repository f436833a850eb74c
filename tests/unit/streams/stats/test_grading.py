from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streams.stats.buckets import NEVER
from streams.stats.grading import FRESH_MS, MOST, Due, Grading, Ungraded
from tests.support.logs import START, order

if TYPE_CHECKING:
    from collections.abc import Iterable

T0 = START * 1_000
HOUR = 3_600_000


def waiting(alert_id: str = "a", *dues: Due, **fields: Any) -> Ungraded:
    """Return an alert of a BUY of token 1 at 0.5, to be graded after an hour unless told otherwise."""
    values: dict[str, Any] = {"token_id": "1", "side": "BUY", "price": 0.5, "as_of": T0, **fields}
    return Ungraded(
        alert_id=alert_id,
        rule="r",
        rule_hash="0" * 16,
        shadow=False,
        dues=list(dues) or [Due(T0 + HOUR, "1h")],
        **values,
    )


def after(fills: Iterable[tuple[int, float]], alert: Ungraded | None = None) -> Grading:
    """Return a market with an alert, and fills of token 1 at seconds after START and prices, each known at once."""
    grading = Grading()
    grading.add(alert or waiting(), T0)
    for number, (at, price) in enumerate(fills):
        grading.see(order(number, at=at, price=price), T0 + at * 1_000)
    return grading


def test_nothing_happens_before_the_due_time() -> None:
    """One millisecond too early there is no grade, and the alert goes on waiting."""
    grading = after([(3_599, 0.7)])
    assert grading.settle(T0 + HOUR - 1) == []
    assert (grading.next_due, len(grading.alerts)) == (T0 + HOUR, 1)


def test_the_newest_fill_before_the_due_time_is_the_price_and_the_alert_is_forgotten() -> None:
    """Fills of 0.6 at 50 min, 0.7 at 59 min; due at 60 min: 0.7, and then there is nothing to wait for."""
    grading = after([(3_000, 0.6), (3_540, 0.7)])
    (settled,) = grading.settle(T0 + 2 * HOUR)
    assert settled.fill is not None
    assert (settled.fill.price, settled.fill.second, settled.reason) == (0.7, START + 3_540, None)
    assert (grading.alerts, grading.due, grading.next_due) == ([], NEVER, None)


def test_newest_is_by_place_on_the_chain_not_by_arrival() -> None:
    """Of one second the higher block counts, then the higher log index, whichever came first."""
    grading = Grading()
    grading.add(waiting(), T0)
    clock = T0 + 3_598_000
    for number, (price, block, index) in enumerate([(0.1, 8, 2), (0.2, 8, 1), (0.3, 7, 9), (0.4, None, None)]):
        grading.see(order(number, at=3_590, price=price, block_number=block, log_index=index), clock)
    grading.see(order(9, at=3_000, price=0.9, block_number=99), clock)
    (settled,) = grading.settle(T0 + HOUR)
    assert settled.fill is not None
    assert settled.fill.price == 0.1


def test_a_fill_from_the_future_counts_at_its_arrival_and_hides_no_later_one() -> None:
    """A provider's clock that is an hour ahead would otherwise freeze the price for an hour."""
    grading = Grading()
    grading.add(waiting(), T0)
    grading.see(order(1, at=9_000, price=0.9), T0 + 3_000_000)
    grading.see(order(2, at=3_100, price=0.4), T0 + 3_100_000)
    (settled,) = grading.settle(T0 + HOUR)
    assert settled.fill is not None
    assert settled.fill.price == 0.4


@pytest.mark.parametrize(("before_ms", "reason"), [(FRESH_MS - 1_000, None), (FRESH_MS, "no-fill")])
def test_a_fill_older_than_fifteen_minutes_tells_no_price(before_ms: int, reason: str | None) -> None:
    """The interval is open at its old end: exactly 15 minutes before is too old."""
    grading = after([((HOUR - before_ms) // 1_000, 0.7)])
    (settled,) = grading.settle(T0 + HOUR)
    assert settled.reason == reason
    assert (settled.fill is None) is (reason is not None)


def test_fills_of_another_token_tell_nothing() -> None:
    """The price of No is no price of Yes."""
    grading = after([])
    grading.see(order(1, at=3_590, token_id="2"), T0 + 3_595_000)
    (settled,) = grading.settle(T0 + HOUR)
    assert settled.reason == "no-fill"


@pytest.mark.parametrize(("price", "reason"), [(0.0, "low-price"), (0.00009, "low-price"), (0.0001, None)])
def test_an_alert_at_next_to_no_price_has_no_return(price: float, reason: str | None) -> None:
    """A share that cost nothing earns infinitely much; the price now is told all the same."""
    (settled,) = after([(3_590, 0.2)], waiting(price=price)).settle(T0 + HOUR)
    assert settled.reason == reason
    assert settled.fill is not None


def test_an_alert_is_graded_at_each_horizon_in_order_of_time() -> None:
    """Two alerts and three due times come out by time, however many are settled at once."""
    grading = Grading()
    grading.add(waiting("a", Due(T0 + 10, "x"), Due(T0 + 30, "y")), T0)
    grading.add(waiting("b", Due(T0 + 20, "x")), T0)
    assert [(each.alert.alert_id, each.due.horizon) for each in grading.settle(T0 + 29)] == [("a", "x"), ("b", "x")]
    assert grading.next_due == T0 + 30
    assert [(each.alert.alert_id, each.due.horizon) for each in grading.settle(T0 + 30)] == [("a", "y")]


def test_an_alert_whose_time_has_passed_on_its_way_is_late_for_that_horizon_only() -> None:
    """A market that lags two hours cannot know the price of an hour ago, but that of tomorrow."""
    grading = Grading()
    late = grading.add(waiting("a", Due(T0 + HOUR, "1h"), Due(T0 + 24 * HOUR, "24h")), T0 + 2 * HOUR)
    assert [(each.due.horizon, each.reason, each.fill) for each in late] == [("1h", "late", None)]
    assert grading.next_due == T0 + 24 * HOUR
    assert [each.reason for each in grading.add(waiting("b"), T0 + HOUR)] == ["late"]
    assert len(grading.alerts) == 1


def test_of_too_many_alerts_the_oldest_is_given_up() -> None:
    """State stays bounded, and what is given up is told: every alert has a grade at every horizon."""
    grading = Grading()
    grading.add(waiting("oldest", Due(T0 + 5, "x"), Due(T0 + 6, "y")), T0)
    for number in range(MOST - 1):
        assert grading.add(waiting(str(number)), T0) == []
    given_up = grading.add(waiting("newest"), T0)
    assert [(each.alert.alert_id, each.due.horizon, each.reason) for each in given_up] == [
        ("oldest", "x", "too-many"),
        ("oldest", "y", "too-many"),
    ]
    assert (len(grading.alerts), grading.next_due) == (MOST, T0 + HOUR)
