from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.explain.comparison import Comparison, compare
from streams.explain.places import Places
from streams.explain.refold import Refold
from streams.explain.text import refolded, stored
from streams.replay import Replay
from streams.rules.engine import compile_rules
from tests.support.logs import WALLET, logged, logs, order
from tests.support.replays import RULES, RULES_TEXT, TOPICS, market_partition, records_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.records import Alert
    from streams.replay import Record
    from tests.support.oracle import Logged

ACTIVE = {active.rule.hash: active for active in compile_rules(RULES_TEXT)}


class Recording(Replay):
    """Keeps the orders by market that it makes up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.by_market: list[Record] = []

    def _absorb_by_market(self, record: Record) -> None:  # type: ignore[override]
        self.by_market.append(record)
        super()._absorb_by_market(record)


def told(log: list[Logged], later: int) -> tuple[list[Alert], list[Record]]:
    """Return the alerts of all rules on a log, and the records of both topics."""
    alerts: list[Alert] = []
    replay = Recording(RULES, TOPICS, alerts.append, market_partition=market_partition)
    replay.run(records_of(log))
    replay.finish(max(entry.append_ms for entry in log) + later)
    return alerts, [*records_of(log), *replay.by_market]


def refold(alert: Alert, records: Iterable[Record], *, missing: list[str] | None = None) -> Comparison:
    """Fold again what the partition of an alert holds."""
    again = Refold(alert, ACTIVE[alert.rule_hash], TOPICS)
    topic = TOPICS.orders if alert.scope == "wallet" else TOPICS.orders_by_market
    number = alert.orders[0].partition if alert.scope == "wallet" else market_partition(alert.subject.encode())
    for record in records:
        if record.topic == topic and record.partition == number:
            again.feed(record)
    return compare(alert, again.result(), missing or [])


@given(log=logs(users=3), later=st.sampled_from((0, 7_000, 301_000)))
@settings(max_examples=40, deadline=None)
def test_every_alert_comes_again_word_for_word_from_its_partition_and_its_rule_alone(
    log: list[Logged], later: int
) -> None:
    """Firing, escalated and resolved, by an order or by time, of wallets and markets, in shadow or not."""
    alerts, records = told(log, later)
    for alert in alerts:
        comparison = refold(alert, records)
        assert (comparison.verdict, comparison.fields) == ("same", [])
        assert all(operand.same for operand in comparison.operands)


BURST = [order(number, at=number, usdc=1.0) for number in range(6)]


def an_alert(rule: str, transition: str = "firing") -> tuple[Alert, list[Record]]:
    """Return an alert about six orders within six seconds, and the records."""
    alerts, records = told(logged(BURST), 400_000)
    return next(alert for alert in alerts if (alert.rule, alert.transition) == (rule, transition)), records


def test_an_operand_that_was_stored_otherwise_is_named_with_both_values() -> None:
    """Somebody's altered alert, or a defect: what the orders say stands beside what the alert says."""
    alert, records = an_alert("burst")
    altered = msgspec.structs.replace(alert, values={"wallet.w1m.orders": 7}, message="seven")
    comparison = refold(altered, records)
    assert comparison.verdict == "differs"
    (operand,) = comparison.operands
    assert (operand.name, operand.stored, operand.refolded, operand.same) == ("wallet.w1m.orders", 7, 2, False)
    assert [(field.name, field.stored, field.refolded) for field in comparison.fields] == [("message", "seven", "m")]
    assert "rule" in comparison.same_fields
    text = "\n".join(refolded(comparison))
    assert "wallet.w1m.orders  7       2         DIFFERS" in text
    assert "differs   message: stored    seven" in text


def test_without_the_first_orders_the_alert_does_not_come_and_the_operands_say_why() -> None:
    """
    Retention took the first order, so its window holds less than the alert says.

        orders  0 (gone)  1 <- fired here
    """
    alert, records = an_alert("burst")
    assert alert.orders[0].offset == 1
    places = Places(alert.orders)
    for record in records[1:]:
        places.see(record)
    comparison = refold(alert, records[1:], missing=places.missing({alert.orders[0].partition: 1}))
    assert comparison.verdict == "not again"
    assert comparison.said == "it does not come again: the condition is false at that moment"
    (operand,) = comparison.operands
    assert (operand.stored, operand.refolded, operand.same) == (2, 1, False)
    assert [said.split(" ", 2)[2] for said in comparison.missing] == [
        f"at partition {alert.orders[0].partition} offset 0 is no longer retained, the partition begins at offset 1"
    ]


def test_without_its_own_order_nothing_can_be_said_of_the_moment() -> None:
    """All its orders are gone."""
    alert, records = an_alert("burst")
    comparison = refold(alert, records[2:])
    assert comparison.said == "it does not come again: of its orders none came by"
    assert [operand.same for operand in comparison.operands] == [False]


def test_an_alert_that_its_rule_would_have_held_back_is_told_so() -> None:
    """A rule that was applied after the first orders: in force all along, it would have fired before."""
    alerts, _ = told(logged(BURST[3:]), 0)
    _, records = told(logged(BURST), 0)
    late = next(alert for alert in alerts if alert.rule == "burst")
    comparison = refold(late, records)
    assert comparison.verdict == "not again"
    assert "with the rule in force all along, its last alert before is" in comparison.said
    assert "(firing at" in comparison.said


def test_another_record_at_its_place_means_that_the_topic_was_recreated() -> None:
    """Offsets alone prove nothing."""
    alert, records = an_alert("burst")
    places = Places(alert.orders)
    for record in records[:6]:
        places.see(record._replace(value=b"{}"))
    assert all(said.endswith("is another record: the topic was recreated") for said in places.missing({}))
    assert len(places.missing({})) == len(alert.orders)


@pytest.mark.parametrize("transition", ["firing", "resolved"])
def test_the_text_shows_what_the_alert_says(transition: str) -> None:
    """Clauses with their truth and operands, orders with their places, times, hash and coverage."""
    alert, _ = an_alert("held", transition)
    text = "\n".join(stored(alert))
    assert f"rule      held, hash {alert.rule_hash}" in text
    assert f"about     wallet {WALLET}" in text
    assert "coverage: complete" in text
    assert "windows   5m, up to its time" in text
    assert f"wallet.w5m.orders >= 2  (wallet.w5m.orders = {alert.values['wallet.w5m.orders']})" in text
    first = alert.orders[0]
    assert f"orders.v1 partition {first.partition} offset {first.offset}  {first.event_id}" in text
