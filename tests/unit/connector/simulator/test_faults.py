"""Faults: their data, when they strike, and what scenario files say."""

from __future__ import annotations

from random import Random

import pytest

from connector.simulator.faults import TRIGGERS, Fault, Kind
from connector.simulator.plan import FaultPlan, Target
from connector.simulator.scenario import InvalidScenario, parse_fault, parse_scenario, with_switches
from connector.simulator.settings import Switches

ONE, TWO = Target(connection=1, key="one"), Target(connection=2, key="two")


def plan_of(*faults: Fault) -> FaultPlan:
    """Return a plan with the faults injected at 0 s."""
    plan = FaultPlan(lambda seed: Random(seed).random)
    for fault in faults:
        plan.inject(fault, 0.0)
    return plan


def test_after_and_times_choose_the_occasions() -> None:
    """
    Skip two occasions, strike three times, be gone.

    occasion  1 2 3 4 5 6 7
    strikes       x x x
    """
    plan = plan_of(Fault(kind="garble", after=2, times=3))
    assert [bool(plan.take("event", 0.0)) for _ in range(7)] == [False, False, True, True, True, False, False]
    assert plan.struck == {"garble": 3}


def test_a_fault_strikes_only_its_target() -> None:
    """Wallet and connection must both fit; other occasions are not counted."""
    plan = plan_of(Fault(kind="duplicate", wallet="0xA", connection=2))
    assert not plan.take("event", 0.0, Target(wallets=("0xb",), connection=2))
    assert not plan.take("event", 0.0, Target(wallets=("0xa",), connection=1))
    assert not plan.take("ack", 0.0, Target(wallets=("0xa",), connection=2))
    assert plan.take("event", 0.0, Target(wallets=("0xa",), connection=2))


def test_a_key_is_a_target_too() -> None:
    """Of two open connections, the one with the key named; other keys' requests pass."""
    plan = plan_of(Fault(kind="drop", key="two"), Fault(kind="rest_status", key="one"))
    assert plan.due(1.0, [ONE]) == []
    assert len(plan.due(1.0, [ONE, TWO])) == 1
    assert not plan.take("rest", 0.0, Target(key="two"))
    assert plan.take("rest", 0.0, Target(key="one"))


def test_of_several_only_the_first_strikes_where_one_can() -> None:
    """
    Both meet every occasion; where only one can strike, the second keeps its strike for the next.

    occasion   1        2          3
    strikes    garble   duplicate  -
    """
    plan = plan_of(Fault(kind="garble"), Fault(kind="duplicate"))
    struck = [plan.take_one("event", 0.0) for _ in range(3)]
    assert [fault and fault.kind for fault in struck] == ["garble", "duplicate", None]
    assert plan.struck == {"garble": 1, "duplicate": 1}
    both = plan_of(Fault(kind="rest_slow"), Fault(kind="rest_status"))
    assert [fault.kind for fault in both.take("rest", 0.0)] == ["rest_slow", "rest_status"]


def test_faults_that_wait_for_the_clock_come_due() -> None:
    """
    Armed after 5 s, then every 2 s, three times; without a connection it waits for one, and 2 s more.

    seconds       4   5   6   7   8   9   10  11
    connected     1   1   1   -   -   2   2   2
    strikes           x                       x
    """
    plan = plan_of(Fault(kind="drop", at=5.0, every=2.0, times=3))
    assert plan.next_due([ONE]) == 5.0
    assert [len(plan.due(now, [ONE])) for now in (4.0, 5.0, 6.0)] == [0, 1, 0]
    assert [len(plan.due(now, [])) for now in (7.0, 8.0)] == [0, 0]
    assert plan.next_due([]) is None
    plan.opened(TWO, 9.0)
    assert [len(plan.due(now, [TWO])) for now in (9.0, 10.0, 11.0)] == [0, 0, 1]
    assert plan.next_due([TWO]) == 13.0
    assert plan.due(13.0, [TWO])
    assert plan.next_due([TWO]) is None


def test_a_timed_fault_waits_for_its_own_connection() -> None:
    """One aimed at connection 2 lets connection 1 be."""
    plan = plan_of(Fault(kind="drop", connection=2))
    assert plan.due(1.0, [ONE]) == []
    assert len(plan.due(1.0, [ONE, TWO])) == 1


def test_probability_is_seeded() -> None:
    """The same seed strikes on the same occasions, about as often as asked."""

    def struck(seed: int) -> list[bool]:
        plan = plan_of(Fault(kind="lose_event", probability=0.3, times=None, seed=seed))
        return [bool(plan.take("event", 0.0)) for _ in range(1_000)]

    assert struck(1) == struck(1) != struck(2)
    assert 230 < sum(struck(1)) < 370


def test_cleared_faults_never_strike() -> None:
    """Nothing is left armed."""
    plan = plan_of(Fault(kind="garble"), Fault(kind="drop"))
    plan.clear()
    assert plan.take("event", 0.0) == plan.due(9.0, [ONE]) == []


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_kind_has_a_trigger_of_its_own(kind: Kind) -> None:
    """And is described in the documentation of `Fault`."""
    assert Fault(kind=kind).trigger == TRIGGERS[kind][0]
    assert kind in (Fault.__doc__ or "")


def test_a_scenario_holds_switches_and_faults() -> None:
    """YAML in, typed data out."""
    scenario = parse_scenario("switches: {rest_lag: 2}\nfaults:\n  - {kind: drop, at: 5, every: 5, times: 20}\n")
    assert scenario.faults == (Fault(kind="drop", at=5.0, every=5.0, times=20),)
    assert with_switches(Switches(), scenario.switches).rest_lag == 2.0
    assert parse_scenario("") == parse_scenario("faults: []")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults: [{kind: explode}]", r"explode.*\$.faults\[0\]"),
        ("faults: [{kind: drop, tmies: 3}]", "tmies"),
        ("faults: [{kind: garble, when: now}]", "a garble fault waits for event"),
        ("faults: [{kind: garble, probability: 2}]", "probability: expected a number in"),
        ("faults: [{kind: drop, every: 0}]", "every: expected more than 0"),
        ("faults: [{kind: rest_slow, delay: -1}]", "seconds: expected 0 or more"),
        ("faults: {", "expected"),
    ],
)
def test_wrong_scenarios_are_refused_by_name(text: str, message: str) -> None:
    """The error says where and what."""
    with pytest.raises(InvalidScenario, match=message):
        parse_scenario(text)


def test_faults_come_alone_or_as_a_list() -> None:
    """As the body of a request."""
    assert parse_fault(b'{"kind":"drop"}') == parse_fault(b'[{"kind":"drop"}]') == (Fault(kind="drop"),)
    with pytest.raises(InvalidScenario):
        parse_fault(b'{"kind":')


def test_switches_are_given_by_name_as_text_or_value() -> None:
    """The command line gives texts, scenarios give values."""
    assert with_switches(Switches(), {"rest_lag": "1.5", "ack_update": "false"}).ack_update is False
    with pytest.raises(InvalidScenario, match="rest_lagg"):
        with_switches(Switches(), {"rest_lagg": 1})
