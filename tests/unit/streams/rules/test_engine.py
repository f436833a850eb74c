from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from streams.fold import MarketFold, WalletFold
from streams.rules.engine import Engine, load_rules
from streams.stats.wallet import WalletState
from tests.support.logs import MARKETS, START, WALLET, logs, order

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.records import Alert
    from tests.support.oracle import Logged


def engine(expr: str, *, scope: str = "wallet", message: str = "x", **more: str) -> Engine:
    """Return an engine of one rule, without cooldown unless told."""
    fields = {"id": "r", "scope": scope, "severity": "info", "cooldown": "0s", **more}
    lines = "".join(f"    {name}: {value}\n" for name, value in fields.items())
    return load_rules(f"rules:\n  -\n{lines}    expr: {expr!r}\n    message: {message!r}\n")


def fold(rules: Engine, orders: list[OrderRecord], *, delay_s: float = 0.0) -> list[list[Alert]]:
    """Fold a wallet's orders, each appended `delay_s` after its time; return what begins to fire, per order."""
    state, clock, alerts = None, 0, []
    for offset, each in enumerate(orders):
        clock = max(clock, round((each.timestamp + delay_s) * 1_000))
        step = WalletFold(rules).step(state, each, partition=3, offset=offset, clock=clock, source="ws")
        state = WalletState.decode(step.state.encode())
        alerts.append(firing(step.alerts))
    return alerts


def firing(alerts: list[Alert]) -> list[Alert]:
    """Return those that begin to fire."""
    return [alert for alert in alerts if alert.transition == "firing"]


def fired_at(rules: Engine, times: list[int], **more: Any) -> list[int]:
    """Return the times, of orders of 1 USDC at these times, at which the rule fired."""
    alerts = fold(rules, [order(number, at=at) for number, at in enumerate(times)], **more)
    return [at for at, each in zip(times, alerts, strict=True) if each]


def test_a_rule_about_the_order_fires_at_each_order_that_matches() -> None:
    """Each matching order is an edge of its own."""
    orders = [order(1, usdc=5.0), order(2, usdc=1.0), order(3, usdc=6.0)]
    assert [len(each) for each in fold(engine("order.notional >= 5.0"), orders)] == [1, 0, 1]


def test_a_rule_over_statistics_fires_when_it_becomes_true() -> None:
    """It stays silent while it stays true."""
    # orders    0   1   2   3   4
    # in 1 m    1   2   3   4   5
    #                   ^ becomes true, stays true
    assert fired_at(engine("wallet.w1m.orders >= 3"), [0, 1, 2, 3, 4]) == [2]


def test_a_rule_is_armed_again_by_decay_just_before_the_next_order() -> None:
    """It was false in between, though true after both orders: two edges."""
    # orders    0  1          61 (the minute holds only 61 and, from 2 on, nothing of the first two)
    # in 1 m    1  2   1  0   1     62: 2
    assert fired_at(engine("wallet.w1m.orders >= 2"), [0, 1, 61, 62]) == [1, 62]
    # a single order tips it each time, and it decays to zero before the next
    assert fired_at(engine("wallet.w1m.orders >= 1"), [0, 60, 120]) == [0, 60, 120]


def test_a_rule_that_stays_true_through_decay_does_not_fire_again() -> None:
    """Decay that leaves the condition true is no edge."""
    # orders    0  1  2 .. 59         60: one has left, one has come
    assert fired_at(engine("wallet.w1m.orders >= 2"), [0, 1, 30, 60, 75]) == [1]


def test_a_rule_is_armed_again_by_an_order_that_makes_it_false() -> None:
    """An order can end a condition as well as begin it."""
    rules = engine("wallet.w1m.net_flow > 5.0")
    orders = [
        order(1, at=0, usdc=10.0),
        order(2, at=1, usdc=8.0, side="SELL"),
        order(3, at=2, usdc=1.0),
        order(4, at=3, usdc=4.0),
    ]
    assert [len(each) for each in fold(rules, orders)] == [1, 0, 0, 1]


def test_cooldown_holds_an_edge_back_without_using_it_up() -> None:
    """What is still true after the cooldown fires at the next order."""
    # fires at 0; false at 60; true again at 70, in the cooldown; still true at 100, after it
    rules = engine("wallet.w1m.orders >= 1", cooldown="100s")
    assert fired_at(rules, [0, 70, 99, 100, 101]) == [0, 100]


def test_cooldown_of_a_rule_about_the_order_drops_matches() -> None:
    """Matches within the cooldown are not alerted later."""
    assert fired_at(engine("order.notional > 0.0", cooldown="10s"), [0, 9, 10, 15, 20]) == [0, 10, 20]


def test_an_old_order_changes_statistics_but_tips_nothing() -> None:
    """A back-fill does not flood; the first fresh order at which the condition holds fires."""
    rules = engine("wallet.w5m.orders >= 2", max_age="60s")
    orders = [order(1, at=0), order(2, at=0), order(3, at=0), order(4, at=200)]
    state, alerts = None, []
    for offset, (each, clock) in enumerate(zip(orders, (100, 100, 100, 200), strict=True)):
        step = WalletFold(rules).step(
            state, each, partition=0, offset=offset, clock=(START + clock) * 1_000, source="backfill"
        )
        state = step.state
        alerts.append(len(firing(step.alerts)))
    assert alerts == [0, 0, 0, 1]


@pytest.mark.parametrize(("delay_s", "fires"), [(60.0, 1), (60.001, 0)])
def test_max_age_is_inclusive(delay_s: float, fires: int) -> None:
    """Exactly as old as allowed still fires."""
    alerts = fold(engine("order.notional > 0.0"), [order(1)], delay_s=delay_s)
    assert len(alerts[0]) == fires


def test_a_late_order_tips_nothing_at_any_age() -> None:
    """It is in no window: the statistics are not its own."""
    alerts = fold(engine("order.notional > 0.0", max_age="9d"), [order(1)], delay_s=86_400.0)
    assert alerts == [[]]


def test_a_duplicate_tips_nothing() -> None:
    """The second delivery of the tipping order is no order."""
    assert [len(each) for each in fold(engine("order.notional > 0.0"), [order(1), order(1)])] == [1, 0]


def test_unusual_size_needs_twenty_samples_and_leaves_the_order_itself_out() -> None:
    """The baseline is the orders before this one."""
    # 19 or 20 orders of 1 and 3 USDC (mean 2, deviation 1), then one of 7: 5 deviations
    for before, expected in ((18, 0.0), (20, 5.0)):
        rules = engine("order.notional > 6.0", message="{wallet.size_sigma} {wallet.samples} {wallet.mean_order}")
        sizes = [1.0, 3.0] * (before // 2) + [7.0]
        alerts = fold(rules, [order(number, usdc=size) for number, size in enumerate(sizes)])
        assert alerts[-1][0].message == f"{expected} {before} 2.0"


def test_exposure_is_of_the_orders_market_and_knows_what_was_before() -> None:
    """Crossing a line fires once per crossing, per market."""
    rules = engine("wallet.market_exposure >= 10.0 && wallet.market_exposure_before < 10.0")
    flows = [(0, 6.0, "BUY"), (1, 6.0, "BUY"), (0, 6.0, "BUY"), (0, 6.0, "BUY"), (0, 9.0, "SELL"), (0, 1.5, "BUY")]
    orders = [
        order(number, usdc=usdc, side=side, condition_id=MARKETS[market])  # type: ignore[arg-type]
        for number, (market, usdc, side) in enumerate(flows)
    ]
    # market 0:   6        12    18    9    10.5
    # market 1:        6
    assert [len(each) for each in fold(rules, orders)] == [0, 0, 1, 0, 0, 1]


def test_an_alert_explains_itself() -> None:
    """It names the rule, the clauses with their values, and the orders that made it."""
    rules = engine(
        "wallet.w1m.orders >= 3 && order.notional > 4.0",
        message="{order.notional:.2f} USDC after {wallet.w1m.orders}",
        labels="{team: desk}",
        severity="critical",
    )
    orders = [order(0, at=0), order(1, at=30), order(2, at=70), order(3, at=80, usdc=5.0)]
    (alert,) = fold(rules, orders, delay_s=1.5)[-1]
    assert alert.message == "5.00 USDC after 3"
    assert (alert.rule, alert.severity, alert.labels, alert.subject) == ("r", "critical", {"team": "desk"}, WALLET)
    assert [(clause.text, clause.value, clause.operands) for clause in alert.clauses] == [
        ("wallet.w1m.orders >= 3", True, {"wallet.w1m.orders": 3}),
        ("order.notional > 4.0", True, {"order.notional": 5.0}),
    ]
    assert alert.reason == ("wallet.w1m.orders >= 3 (wallet.w1m.orders = 3); order.notional > 4.0 (order.notional = 5)")
    # at 81.5 the minute begins with second 22: the order at 0 has left
    assert [(ref.event_id, ref.partition, ref.offset) for ref in alert.orders] == [
        (orders[place].event_id, 3, place) for place in (3, 2, 1)
    ]
    assert (alert.order_age_s, alert.source, alert.as_of) == (1.5, "ws", (START + 80) * 1_000 + 1_500)


def test_the_orders_of_an_alert_are_those_of_the_window() -> None:
    """The first second of the window is in it, the one before is not."""
    orders = [order(0, at=0), order(1, at=1), order(2, at=60)]
    (alert,) = fold(engine("wallet.w1m.orders == 2"), orders)[-1]
    assert [ref.offset for ref in alert.orders] == [2, 1]


def test_alert_ids_depend_on_rule_subject_and_order_only() -> None:
    """The same order tips the same alert at any clock and offset; a changed rule makes another."""
    (first,) = fold(engine("order.notional > 0.0"), [order(1)])[0]
    (again,) = fold(engine("order.notional > 0.0"), [order(1)], delay_s=5.0)[0]
    (changed,) = fold(engine("order.notional > 0.5"), [order(1)])[0]
    (other,) = fold(engine("order.notional > 0.0"), [order(2)])[0]
    assert first.alert_id == again.alert_id
    assert len({first.alert_id, changed.alert_id, other.alert_id}) == 3
    assert first.fingerprint == changed.fingerprint == other.fingerprint


def test_the_id_of_an_alert_does_not_depend_on_coverage() -> None:
    """An order replayed with another header tips the same alert again."""
    rules = engine("order.notional > 0.0")
    alerts = [
        WalletFold(rules)
        .step(None, order(1), partition=0, offset=0, clock=START * 1_000, source="ws", gap_id=gap)
        .alerts[0]
        for gap in (None, "g-1")
    ]
    assert [alert.coverage for alert in alerts] == ["complete", "gap"]
    assert alerts[0].alert_id == alerts[1].alert_id


def test_a_changed_rule_starts_anew() -> None:
    """Cooldown and edge of the old version do not hold the new one back."""
    old, new = engine("wallet.w1m.orders >= 1", cooldown="1h"), engine("wallet.w1m.orders >= 1", cooldown="2h")
    step = WalletFold(old).step(None, order(1), partition=0, offset=0, clock=START * 1_000, source="ws")
    step = WalletFold(new).step(step.state, order(2), partition=0, offset=1, clock=START * 1_000, source="ws")
    assert [(alert.transition, alert.rule_hash) for alert in step.alerts] == [
        ("resolved", old.rules[0].hash),
        ("firing", new.rules[0].hash),
    ]
    assert len(step.state.rules) == 1  # nothing is kept of the old one


def test_a_rule_that_errs_harms_only_itself() -> None:
    """It neither fires nor stops others, and is counted."""
    conditions = {
        "bad": "1 / (wallet.w1m.orders - 1) >= 0",
        "worse": "2 * (wallet.w1m.orders + 4611686018427387904) > 0",
        "good": "order.notional > 0.0",
    }
    lines = (
        f"  - {{id: {name}, scope: wallet, severity: info, message: x, expr: {expr}}}\n"
        for name, expr in conditions.items()
    )
    rules, errors = load_rules("rules:\n" + "".join(lines)), dict[int, int]()
    state, alerts = None, []
    for number in range(2):
        made = order(number, at=number)
        step = WalletFold(rules).step(
            state, made, partition=0, offset=number, clock=made.timestamp * 1_000, source="ws", errors=errors
        )
        state = step.state
        alerts.append([alert.rule for alert in step.alerts])
    assert alerts == [["good"], ["bad"]]  # good is in its cooldown
    assert {rule.id: errors.get(rule.number) for rule in rules.rules} == {"bad": 1, "worse": 2, "good": None}


def test_a_market_rule_sees_all_wallets() -> None:
    """Distinct wallets of a market tip a rule of scope market, whose subject is the market."""
    rules = engine(
        "market.w1m.wallets >= 2 && market.w1m.net_flow > 5.0", scope="market", message="{outcome.last_price}"
    )
    state, alerts = None, []
    for offset in range(3):
        each = order(offset, at=offset, usdc=3.0, user=f"0x{offset % 2 + 1:040x}")
        step = MarketFold(rules).step(state, each, origin=(7, offset), clock=each.timestamp * 1_000, source="ws")
        state = step.state
        alerts.append(step.alerts)
    assert [len(each) for each in alerts] == [0, 1, 0]
    (alert,) = alerts[1]
    assert (alert.scope, alert.subject, alert.message) == ("market", MARKETS[0], "0.5")
    assert [(ref.partition, ref.offset) for ref in alert.orders] == [(7, 1)]


def test_the_shipped_rules_load() -> None:
    """Six rules."""
    text = files("streams.rules").joinpath("default.yaml").read_text()
    rules = load_rules(text, name="default.yaml")
    assert [rule.id for rule in rules.rules] == [
        "large-order",
        "burst",
        "exposure-building",
        "unusual-size",
        "cheap-odds-buy",
        "consensus",
    ]


_RULES = (
    ("a", "0s", "1d", "wallet.w1m.orders >= 2"),
    ("b", "1m", "1d", "wallet.w5m.net_flow > 0.9"),
    ("c", "5s", "1d", "order.side == 'BUY'"),
    ("d", "0s", "5s", "wallet.w1h.markets == 2"),
)
MANY = load_rules(
    "rules:\n"
    + "".join(
        f"  - {{id: {name}, scope: wallet, severity: info, message: x, cooldown: {cooldown}, max_age: {max_age},"
        f" expr: {expr}}}\n"
        for name, cooldown, max_age, expr in _RULES
    )
)


@given(log=logs())
@settings(max_examples=80, deadline=None)
def test_a_restart_between_any_two_orders_changes_no_alert(log: list[Logged]) -> None:
    """Alerts follow from the log alone: encoding the state after each order, or never, gives the same ones."""
    results = []
    for restart in (False, True):
        state, clock, alerts = WalletState(), 0, []
        for entry in log:
            clock = max(clock, entry.append_ms)
            step = WalletFold(MANY).step(state, entry.order, partition=0, offset=entry.offset, clock=clock, source="ws")
            state = WalletState.decode(step.state.encode()) if restart else step.state
            alerts += step.alerts
        results.append(alerts)
    assert results[0] == results[1]


@given(log=logs(repeats=False))
@settings(max_examples=80, deadline=None)
def test_an_edge_is_what_brute_force_says(log: list[Logged]) -> None:
    """A rule over statistics fires exactly where it is true and was false after the last order or just before this."""
    state, clock, armed, expected, found = WalletState(), 0, True, [], []
    for entry in log:
        clock = max(clock, entry.append_ms)
        armed = armed or state.view(clock)["1m"].orders < 2
        step = WalletFold(MANY).step(state, entry.order, partition=0, offset=entry.offset, clock=clock, source="ws")
        state = step.state
        true = state.view(clock)["1m"].orders >= 2
        fresh = clock - entry.order.timestamp * 1_000 <= 86_400_000 and step.verdict.value == "applied"
        if armed and true and fresh:
            expected.append(entry.offset)
            armed = False
        armed = armed or not true
        found += [entry.offset for alert in firing(step.alerts) if alert.rule == "a"]
    assert found == expected
