"""How alerts begin, go on and end, by the log's time alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.fold import MarketFold, WalletFold
from streams.rules.edition import Editions, edition
from streams.rules.engine import Engine, compile_rules, load_rules
from streams.rules.ruleset import PARKED_AFTER
from streams.rules.silence import Silence
from streams.rules.subject import MOST_GROUPS
from streams.stats.wallet import WalletState
from tests.support.logs import MARKETS, START, order

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.records import Alert
    from streams.rules.interface import Errors

T0 = START * 1_000


def document(*rules: str) -> str:
    """Return a document of rules, each the inside of a YAML mapping without the fields that do not matter."""
    usual = "scope: wallet, severity: info, message: m"
    return "rules:\n" + "".join(
        f"  - {{{usual}, {rule}{'' if 'cooldown' in rule else ', cooldown: 0s'}}}\n" for rule in rules
    )


class Wallet:
    """A wallet whose orders are folded one by one, at seconds from the beginning."""

    def __init__(self, rules: Engine | str) -> None:
        self.fold = WalletFold(load_rules(document(rules)) if isinstance(rules, str) else rules)
        self.state: WalletState | None = None
        self.errors: Errors = {}
        self.number = 0

    def at(self, second: float, **fields: object) -> list[Alert]:
        """Fold an order; every state goes through its encoding."""
        self.number += 1
        made = order(self.number, at=int(second), **fields)  # type: ignore[arg-type]
        return self.take(made, T0 + round(second * 1_000))

    def take(self, made: OrderRecord, clock: int, *, label: str | None = None) -> list[Alert]:
        """Fold an order at a clock."""
        step = self.fold.step(
            self.state, made, partition=0, offset=self.number, clock=clock, source="ws", label=label, errors=self.errors
        )
        self.state = WalletState.decode(step.state.encode())
        return step.alerts

    def wait(self, second: float) -> list[Alert]:
        """Let time go on without an order."""
        if self.state is None:
            return []
        return self.fold.settle(self.state, order().user, T0 + round(second * 1_000), self.errors)


def story(alerts: list[Alert]) -> list[tuple[str, float]]:
    """Return transitions with their seconds from the beginning."""
    return [(alert.transition, (alert.as_of - T0) / 1_000) for alert in alerts]


def test_an_alert_over_statistics_resolves_when_they_decay() -> None:
    """
    Without another order: the minute of the first of two orders ends.

        s        0   10          60
        in 1 m   1    2           1
                 firing>=2 ------ resolved
    """
    wallet = Wallet("id: r, expr: wallet.w1m.orders >= 2")
    begun = wallet.at(0) + wallet.at(10)
    ended = wallet.wait(300)
    assert story(begun + ended) == [("firing", 10), ("resolved", 60)]
    assert (begun[0].starts_at, begun[0].ends_at) == (T0 + 10_000, None)
    assert (ended[0].starts_at, ended[0].ends_at) == (T0 + 10_000, T0 + 60_000)
    assert ended[0].episode == begun[0].episode == begun[0].alert_id
    assert ended[0].fingerprint == begun[0].fingerprint
    assert ended[0].reason == "it holds no longer: wallet.w1m.orders >= 2 (wallet.w1m.orders = 1)"


def test_an_order_may_end_an_alert() -> None:
    """A sale takes the net flow below the line."""
    wallet = Wallet("id: r, expr: wallet.w1m.net_flow > 5.0")
    alerts = wallet.at(0, usdc=6.0) + wallet.at(1, usdc=3.0, side="SELL") + wallet.at(2, usdc=6.0)
    assert story(alerts) == [("firing", 0), ("resolved", 1), ("firing", 2)]


def test_for_waits_until_the_condition_has_held_so_long() -> None:
    """
    It fires between orders, at the end of the time.

        s        0    5        15
        in 1 m   1    2
                      pending  firing
    """
    wallet = Wallet("id: r, expr: wallet.w1m.orders >= 2, for: 10s")
    alerts = wallet.at(0) + wallet.at(5)
    assert alerts == []
    (fired,) = wallet.wait(30)
    assert story([fired]) == [("firing", 15)]
    assert [ref.offset for ref in fired.orders] == [2, 1]
    assert fired.order_age_s == 10.0


def test_for_starts_over_when_the_condition_fails_meanwhile() -> None:
    """
    Nothing is told of what was pending only.

        s        0    55       60       65  70            80
        in 1 m   1    2        1        2   3
                      pending  over     pending           firing
    """
    wallet = Wallet("id: r, expr: wallet.w1m.orders >= 2, for: 15s")
    alerts = wallet.at(0) + wallet.at(55) + wallet.at(65) + wallet.at(70) + wallet.wait(81)
    assert story(alerts) == [("firing", 80)]


def test_keep_firing_for_bridges_what_does_not_hold_for_a_while() -> None:
    """
    It resolves when the condition was false for all of it.

        s        0   10       60    75       120 (the order of 75 alone is left from 70 on)
        in 1 m   1    2        1     2
                     firing    off   on      off ... 150 resolved
    """
    wallet = Wallet("id: r, expr: wallet.w1m.orders >= 2, keep_firing_for: 30s")
    alerts = wallet.at(0) + wallet.at(10) + wallet.at(65) + wallet.wait(500)
    # in 1 m: 2 at 10; 1 at 60; 2 at 65; 1 at 70 for good
    assert story(alerts) == [("firing", 10), ("resolved", 100)]


def test_until_ends_an_alert_instead_of_the_condition() -> None:
    """
    Hysteresis: a line to cross upwards, and a lower one to fall below.

        in 1 m   1 2 3 (firing)  2   1 (resolved)
    """
    wallet = Wallet('id: r, expr: wallet.w1m.orders >= 3, until: "wallet.w1m.orders <= 1"')
    alerts = wallet.at(0) + wallet.at(10) + wallet.at(20) + wallet.wait(500)
    assert story(alerts) == [("firing", 20), ("resolved", 70)]


def test_an_alert_about_an_order_is_over_at_once() -> None:
    """It says so itself; no record follows."""
    wallet = Wallet("id: r, expr: order.notional >= 5.0")
    alerts = wallet.at(0, usdc=5.0) + wallet.wait(10**6)
    assert story(alerts) == [("firing", 0)]
    assert alerts[0].ends_at == alerts[0].starts_at == T0


def test_orders_prolong_an_alert_about_orders_that_keeps_firing() -> None:
    """
    One alert for a series of matches, instead of one each.

        s    0        20       50
             firing   match    resolved, 30 s after the last
    """
    wallet = Wallet("id: r, expr: order.notional >= 5.0, keep_firing_for: 30s")
    alerts = wallet.at(0, usdc=5.0) + wallet.at(10) + wallet.at(20, usdc=5.0) + wallet.wait(999)
    assert story(alerts) == [("firing", 0), ("resolved", 50)]
    assert [clause.text for clause in alerts[1].clauses] == []  # they spoke of an order


def test_an_alert_about_an_order_may_last_until_statistics_say_so() -> None:
    """`until` reads statistics, so that time can end it."""
    wallet = Wallet('id: r, expr: order.notional >= 5.0, until: "wallet.w5m.orders == 0"')
    alerts = wallet.at(0, usdc=5.0) + wallet.at(100, usdc=5.0) + wallet.wait(999)
    assert story(alerts) == [("firing", 0), ("resolved", 400)]


def test_an_alert_that_nothing_ends_is_over_after_a_month() -> None:
    """Before its subject's state is forgotten."""
    wallet = Wallet('id: r, expr: order.notional >= 5.0, until: "wallet.w1m.orders > 99"')
    alerts = wallet.at(0, usdc=5.0) + wallet.wait(40 * 86_400)
    assert story(alerts) == [("firing", 0), ("resolved", 30 * 86_400)]
    assert alerts[1].message == "r is over after 2,592,000 s"


def test_escalation_tells_each_new_height_once() -> None:
    """Formation, then growth: three, four and five, but not four again."""
    wallet = Wallet("id: r, expr: wallet.w1m.orders >= 3, escalate: wallet.w1m.orders")
    alerts = [alert for second in (0, 10, 20, 30, 65, 66) for alert in wallet.at(second)]
    # in 1 m:                       1  2   3   4   4   5
    assert story(alerts) == [("firing", 20), ("escalated", 30), ("escalated", 66)]
    assert len({alert.alert_id for alert in alerts}) == 3
    assert {alert.episode for alert in alerts} == {alerts[0].alert_id}
    assert [alert.orders[0].offset for alert in alerts] == [3, 4, 6]


def test_groups_are_alerts_of_their_own() -> None:
    """Cooldown and episode are per market; the group tells which."""
    wallet = Wallet("id: r, expr: order.notional >= 5.0, group_by: [market.id], cooldown: 1h")
    alerts = [
        alert
        for second, market in enumerate((0, 1, 0, 1, 2))
        for alert in wallet.at(second, usdc=5.0, condition_id=MARKETS[market])
    ]
    assert [alert.group for alert in alerts] == [{"market.id": MARKETS[market]} for market in (0, 1, 2)]
    assert len({alert.fingerprint for alert in alerts}) == 3


def test_a_subject_remembers_a_bounded_number_of_groups() -> None:
    """What waits for its cooldown only makes room silently; what still fires is told to be over."""
    wallet = Wallet("id: r, expr: order.notional > 0.0, group_by: [order.token_id], cooldown: 9d")
    fired = [len(wallet.at(number / 10, token_id=str(number))) for number in range(100)]
    assert fired == [1] * 100
    assert wallet.state is not None
    assert len(wallet.state.rules) == MOST_GROUPS
    wallet = Wallet("id: r, expr: order.notional > 0.0, group_by: [order.token_id], keep_firing_for: 9d")
    told = [wallet.at(number / 10, token_id=str(number)) for number in range(MOST_GROUPS + 1)]
    assert [alert.transition for alert in told[-1]] == ["resolved", "firing"]
    assert told[-1][0].group == {"order.token_id": "0"}
    assert told[-1][0].reason.startswith("more than 64 groups")


def test_any_number_of_rules_may_fire_about_a_subject() -> None:
    """Only groups are limited."""
    rules = [f"id: r{number}, expr: wallet.w1m.orders >= 1" for number in range(300)]
    assert len(Wallet(load_rules(document(*rules))).at(0)) == 300


def test_groups_are_told_apart_whatever_is_in_their_names() -> None:
    """Titles come from strangers."""
    wallet = Wallet("id: r, expr: order.price > 0.0, group_by: [market.title, order.outcome], cooldown: 1h")
    alerts = wallet.at(0, title="A|B", token_label="C") + wallet.at(1, title="A", token_label="B|C")
    assert len({alert.fingerprint for alert in alerts}) == len({alert.alert_id for alert in alerts}) == 2


def test_an_order_in_the_second_in_which_a_rule_takes_effect_is_judged_once() -> None:
    """
    Looking at the state again must not take the rules that were in force earlier in that second.

        ms   500 in force   700 fires   900 an order   5000 an order
    """
    (rule,) = compile_rules(document("id: r, expr: wallet.w5m.orders >= 1"))
    (slow,) = compile_rules(document("id: s, expr: wallet.w5m.orders >= 1, for: 2s"))
    editions = Editions(edition(0, []))
    editions.add(edition(T0 + 500, [rule, slow]))
    wallet = Wallet(Engine(editions))
    alerts = wallet.at(0.7) + wallet.at(0.9) + wallet.at(5)
    assert [(alert.rule, *story([alert])[0]) for alert in alerts] == [("r", "firing", 0.7), ("s", "firing", 2.7)]


def test_what_has_no_value_and_what_is_old_escalate_nothing() -> None:
    """Neither is higher than what was told."""
    wallet = Wallet("id: r, expr: wallet.w5m.orders >= 1, escalate: 0 - wallet.w5m.orders, max_age: 60s")
    alerts = wallet.at(0) + wallet.take(order(9, at=0), T0 + 100_000)
    assert story(alerts) == [("firing", 0)]
    wallet = Wallet("id: r, expr: wallet.w5m.orders >= 1, escalate: 1 / (2 - wallet.w5m.orders) - 9")
    assert story(wallet.at(0) + wallet.at(1)) == [("firing", 0)]


def test_an_alert_of_a_rule_that_is_parked_is_over() -> None:
    """It could not end otherwise."""
    wallet = Wallet(
        'id: r, expr: order.notional >= 5.0, until: "wallet.w1h.orders / (wallet.w1h.orders - wallet.w1h.orders) > 5"'
    )
    alerts = wallet.at(0, usdc=5.0)
    alerts += [alert for number in range(PARKED_AFTER + 5) for alert in wallet.at(number + 1)]
    assert [alert.transition for alert in alerts] == ["firing", "resolved"]
    assert list(wallet.errors.values()) == [PARKED_AFTER]


@pytest.mark.parametrize(
    ("select", "fires"),
    [
        ("wallets: [0xA1a1a1a1A1A1A1a1a1a1a1A1A1A1a1a1a1a1a1a1]", True),
        ("wallets: ['0x00000000000000000000000000000000000000ff']", False),
        ("wallet_labels: [whale, shark]", True),
        ("wallet_labels: [shark]", False),
        ("markets: [btc-updown-*]", True),
        ("markets: [eth-updown-*, btc-updown-15m-1]", True),
        (f"markets: ['{MARKETS[0]}']", True),
        (f"markets: ['{MARKETS[1]}']", False),
        ("wallet_labels: [whale], markets: [eth-*]", False),
    ],
)
def test_selectors_say_which_orders_may_tip_a_rule(select: str, fires: bool) -> None:  # noqa: FBT001 - a table
    """One of each kind that is given."""
    select = select.replace("0xA1a1a1a1A1A1A1a1a1a1a1A1A1A1a1a1a1a1a1a1", "'0x" + "a1" * 20 + "'")
    wallet = Wallet(f"id: r, expr: order.notional > 0.0, {select}")
    alerts = wallet.take(order(1, market_slug="btc-updown-15m-1"), T0, label="whale")
    assert len(alerts) == fires


def test_a_rule_found_by_two_selectors_fires_once() -> None:
    """Prefixes may overlap."""
    wallet = Wallet("id: r, expr: order.notional > 0.0, markets: [btc*, btc-updown*]")
    assert len(wallet.take(order(1, market_slug="btc-updown-1"), T0)) == 1


def test_warmup_is_silent() -> None:
    """A new wallet fills its baselines first."""
    wallet = Wallet("id: r, expr: order.notional > 0.0, warmup: 1h")
    assert [len(wallet.at(second)) for second in (0, 3_599, 3_600)] == [0, 0, 1]


def test_a_shadow_rule_runs_beside_the_active_one() -> None:
    """Same id and hash, other alerts; and going live starts anew."""
    active = compile_rules(document("id: r, expr: order.notional > 0.0"))
    shadow = compile_rules(document("id: r, mode: SHADOW, expr: order.notional > 0.0"))
    wallet = Wallet(Engine(Editions(edition(0, [*active, *shadow]))))
    alerts = wallet.at(0)
    assert sorted(alert.mode for alert in alerts) == ["ACTIVE", "SHADOW"]
    assert len({alert.alert_id for alert in alerts}) == 2
    assert len({alert.rule_hash for alert in alerts}) == 1


def test_a_paused_rule_says_nothing() -> None:
    """It is there, and is not evaluated."""
    assert Wallet("id: r, mode: PAUSED, expr: order.notional > 0.0").at(0) == []


def test_an_edition_takes_effect_at_its_time() -> None:
    """
    What fires under a rule that is gone resolves there; an unchanged rule goes on.

        s    0 (both fire)   10 (b is replaced)   20 (an order)
    """
    a, b = compile_rules(document("id: a, expr: wallet.w1h.orders > 0", "id: b, expr: wallet.w1h.orders > 0"))
    (other,) = compile_rules(document("id: b, expr: wallet.w1h.orders > 1"))
    editions = Editions(edition(0, [a, b]))
    wallet = Wallet(Engine(editions))
    begun = wallet.at(0)
    editions.add(edition(T0 + 10_000, [a, other]))
    later = wallet.at(20)
    assert [(alert.rule, *story([alert])[0]) for alert in begun + later] == [
        ("a", "firing", 0),
        ("b", "firing", 0),
        ("b", "resolved", 10),
        ("b", "firing", 20),
    ]
    assert later[0].reason == "the rule was changed, paused or removed"
    assert later[0].rule_hash == b.rule.hash


def test_an_order_before_the_time_of_an_edition_is_judged_by_the_former() -> None:
    """Hearing of a change early or late makes no difference."""
    (old,) = compile_rules(document("id: r, expr: order.notional > 1.0"))
    (new,) = compile_rules(document("id: r, expr: order.notional > 2.0"))
    editions = Editions(edition(0, [old]))
    editions.add(edition(T0 + 10_000, [new]))
    wallet = Wallet(Engine(editions))
    assert [len(wallet.at(second, usdc=1.5)) for second in (9.999, 10)] == [1, 0]


def test_silences_mark_alerts() -> None:
    """By matchers and time, of the log; the alert is told all the same."""
    rules = compile_rules(document("id: r, expr: order.notional > 0.0, labels: {team: desk}"))
    silences = [
        Silence(id="desk", until_ms=T0 + 10_000, matchers={"team": "de*", "rule": "r"}),
        Silence(id="other", until_ms=T0 + 10_000, matchers={"team": "desk", "rule": "s"}),
        Silence(id="empty", until_ms=T0 + 10_000, matchers={}),
    ]
    wallet = Wallet(Engine(Editions(edition(0, rules, silences))))
    assert [alert.silenced_by for second in (0, 9.999, 10) for alert in wallet.at(second)] == [["desk"], ["desk"], []]


def test_a_rule_that_errs_again_and_again_is_parked_in_its_partition() -> None:
    """It harms itself only, and costs nothing any more."""
    wallet = Wallet(
        load_rules(
            document(
                "id: bad, expr: 1 / (wallet.w1h.orders - wallet.w1h.orders) > 0", "id: good, expr: order.notional > 0.0"
            )
        )
    )
    fired = [alert.rule for number in range(PARKED_AFTER + 50) for alert in wallet.at(number)]
    assert fired == ["good"] * (PARKED_AFTER + 50)
    assert list(wallet.errors.values()) == [PARKED_AFTER]


def test_a_wallet_that_was_idle_for_long_begins_anew() -> None:
    """Its state is as that of a new wallet, whenever the old one was dropped."""
    wallet = Wallet("id: r, expr: order.notional > 0.0")
    wallet.at(0)
    wallet.at(36 * 86_400)
    assert wallet.state is not None
    assert wallet.state.windows.lifetime().orders == 1


def test_a_market_alert_resolves_by_time_too() -> None:
    """Scope market has the same life."""
    fold = MarketFold(
        load_rules(
            "rules: [{id: r, scope: market, severity: info, message: '{market.title}', expr: market.w1m.wallets >= 2}]"
        )
    )
    state = None
    alerts: list[Alert] = []
    for number in range(2):
        made = order(number, at=number, user=f"0x{number:040x}", title="Will it?")
        step = fold.step(state, made, origin=(0, number), clock=T0 + number * 1_000, source="ws")
        state, alerts = step.state, alerts + step.alerts
    assert state is not None
    alerts += fold.settle(state, MARKETS[0], T0 + 90_000, {})
    assert story(alerts) == [("firing", 1), ("resolved", 60)]
    assert alerts[0].message == "Will it?"


class Times(NamedTuple):
    """Durations of a rule, in tenths of a second."""

    hold: int
    keep: int
    cooldown: int


def brute_force(orders: list[int], threshold: int, times: Times, end: int) -> list[tuple[str, int]]:
    """Return what is told of `orders in 1 m >= threshold`, looking ten times a second; times in tenths."""
    told: list[tuple[str, int]] = []
    since = off = None
    phase, fired, counted = "idle", -(10**9), 0
    for now in range(end + 1):
        arriving = orders.count(now)
        for step in range(arriving + 1):
            counted += step > 0
            held = sum(now // 10 - 60 < at // 10 for at in orders[:counted]) >= threshold
            if phase == "pending" and not held:
                phase = "idle"
            if phase == "pending" and since is not None and now - since >= times.hold:
                phase, fired, off = "firing", now, None
                told.append(("firing", now))
            if phase == "firing":
                off = None if held else now if off is None else off
                if off is not None and now - off >= times.keep:
                    phase = "idle"
                    told.append(("resolved", now))
            if step and held and phase == "idle" and now - fired >= times.cooldown:
                phase, since = "pending", now
                if not times.hold:
                    phase, fired, off = "firing", now, None
                    told.append(("firing", now))
    return told


@given(
    gaps=st.lists(st.sampled_from((0, 1, 7, 10, 150, 299, 590, 600, 610, 900)), min_size=1, max_size=14),
    threshold=st.integers(1, 3),
    times=st.builds(
        Times, st.sampled_from((0, 5, 100, 700)), st.sampled_from((0, 3, 50, 650)), st.sampled_from((0, 80, 900))
    ),
    looks=st.lists(st.integers(0, 9_000), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_the_life_of_an_alert_is_what_brute_force_says(
    gaps: list[int], threshold: int, times: Times, looks: list[int]
) -> None:
    """Whatever the rhythm of orders; and looks ahead in between change nothing."""
    moments = [sum(gaps[: place + 1]) for place in range(len(gaps))]
    wallet = Wallet(
        f"id: r, expr: wallet.w1m.orders >= {threshold}, for: {times.hold * 100}ms,"
        f" keep_firing_for: {times.keep * 100}ms, cooldown: {times.cooldown * 100}ms"
    )
    found, told = [], []
    end = moments[-1] + 3_000
    for now, following in pairwise([*moments, end]):
        found += wallet.at(now / 10)
        for look in sorted(look for look in looks if now < look < following):
            assert wallet.state is not None
            ahead = WalletState.decode(wallet.state.encode())
            told += wallet.fold.settle(ahead, order().user, T0 + look * 100, {})
    found += wallet.wait(end / 10)
    assert [(kind, round(at * 10)) for kind, at in story(found)] == brute_force(moments, threshold, times, end)
    assert {alert.alert_id for alert in told} <= {alert.alert_id for alert in found}
