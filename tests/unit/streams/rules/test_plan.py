from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules import plan
from streams.rules.engine import compile_rules
from streams.rules.errors import InvalidChange
from streams.rules.listing import as_json, selected, tables
from streams.rules.registry import Registry
from streams.rules.rule import Rule, Selectors
from streams.rules.silencing import parse_matchers, silence, unsilence
from tests.support.rules_log import Written, document, rule_record

if TYPE_CHECKING:
    from streams.rules.plan import Plan

DAY_MS = 86_400_000


def rules(*given: dict[str, Any]) -> list[Rule]:
    """Return rules as a file would have them."""
    return [active.rule for active in compile_rules(document(*given))]


FILE = compile_rules(document({"id": "base"}, {"id": "off", "mode": "PAUSED"}, {"id": "trial", "mode": "SHADOW"}))


class Deployment:
    """A registry that hears what is planned, as the workers would."""

    def __init__(self, *records: Written) -> None:
        self.registry = Registry(FILE, delay_ms=500)
        self._at = 1
        self._absorb(records)

    def carry_out(self, planned: Plan) -> Deployment:
        """Write what is planned."""
        self._at += 1
        self._absorb([Written(name.encode(), value, self._at) for name, value in planned.records.items()])
        return self

    def modes(self) -> dict[str, str]:
        """Return the mode of each rule by name."""
        return {known.name: known.active.rule.mode for known in self.registry.rules()}

    def _absorb(self, records: Any) -> None:
        for _ in self.registry.absorb(records):
            pass
        assert self.registry.refused() == []


def test_only_what_differs_is_written() -> None:
    """Lines say for each rule what happens to it, by hash; applying again changes nothing."""
    one, two = rules({"id": "x"}, {"id": "base", "message": "other"})
    deployment = Deployment()
    first = plan.apply(deployment.registry, [one, two])
    assert first.lines == [
        f"added      x  {one.hash}  ACTIVE",
        f"added      base  {two.hash}  ACTIVE, in place of the file's",
    ]
    deployment.carry_out(first)
    (new,) = rules({"id": "x", "message": "new", "mode": "PAUSED"})
    second = plan.apply(deployment.registry, [new, two])
    assert second.lines == [
        f"changed    x  {one.hash} -> {new.hash}  ACTIVE -> PAUSED",
        f"unchanged  base  {two.hash}",
    ]
    assert list(second.records) == ["x"]
    assert plan.apply(deployment.carry_out(second).registry, [new, two]).records == {}


def test_prune_removes_what_the_file_does_not_hold_of_the_same_kind() -> None:
    """Versions on trial are pruned by a file of versions on trial, and rules of the workers' file by none."""
    deployment = Deployment(rule_record(1, "x"), rule_record(1, "y"), rule_record(1, "y@shadow"))
    pruned = plan.apply(deployment.registry, rules({"id": "x"}), prune=True)
    assert pruned.records == {"y": None}
    assert pruned.lines[-1] == "removed    y"
    assert plan.apply(deployment.registry, [], shadow=True, prune=True).records == {"y@shadow": None}
    assert "base" in deployment.carry_out(pruned).modes()


def test_a_version_runs_on_trial_and_is_promoted_at_once() -> None:
    """Beside the one in force, then in its place."""
    deployment = Deployment(rule_record(1, "x", message="old"))
    deployment.carry_out(plan.apply(deployment.registry, rules({"id": "x", "message": "new"}), shadow=True))
    assert (deployment.modes()["x"], deployment.modes()["x@shadow"]) == ("ACTIVE", "SHADOW")
    deployment.carry_out(plan.promote(deployment.registry, "x"))
    assert "x@shadow" not in deployment.modes()
    assert [known.active.rule.message for known in deployment.registry.rules() if known.name == "x"] == ["new"]
    deployment.carry_out(plan.promote(deployment.registry, "trial"))
    assert deployment.modes()["trial"] == "ACTIVE"
    with pytest.raises(InvalidChange, match="x has no version in SHADOW"):
        plan.promote(deployment.registry, "x")


def test_one_version_on_trial_is_enough() -> None:
    """Whichever of two comes second is refused, with what to do."""
    deployment = Deployment(rule_record(1, "x"), rule_record(1, "x@shadow"))
    with pytest.raises(InvalidChange, match="x has a version in SHADOW beside it: promote that, or remove"):
        plan.apply(deployment.registry, rules({"id": "x", "mode": "SHADOW"}))
    with pytest.raises(InvalidChange, match="trial itself is in SHADOW: apply it without --shadow"):
        plan.apply(deployment.registry, rules({"id": "trial"}), shadow=True)


def test_a_rule_is_paused_and_resumed_where_it_is() -> None:
    """A rule of the file is left to the file again; one of the topic stays there, ACTIVE."""
    deployment = Deployment(rule_record(1, "x"))
    for rule_id, source in (("base", "file"), ("x", "topic")):
        deployment.carry_out(plan.pause(deployment.registry, rule_id))
        assert deployment.modes()[rule_id] == "PAUSED"
        with pytest.raises(InvalidChange, match=f"{rule_id} is paused already"):
            plan.pause(deployment.registry, rule_id)
        deployment.carry_out(plan.resume(deployment.registry, rule_id))
        assert deployment.modes()[rule_id] == "ACTIVE"
        assert [each.source for each in deployment.registry.rules() if each.name == rule_id] == [source]
    deployment.carry_out(plan.resume(deployment.registry, "off"))
    assert deployment.modes()["off"] == "ACTIVE"
    with pytest.raises(InvalidChange, match="off is not paused, it is ACTIVE"):
        plan.resume(deployment.registry, "off")
    with pytest.raises(InvalidChange, match="trial is in SHADOW"):
        plan.pause(deployment.registry, "trial")


def test_a_rule_is_taken_from_the_topic() -> None:
    """A rule of the file alone is no matter of the topic; what was refused can be removed."""
    deployment = Deployment(rule_record(1, "base", message="other"))
    removed = plan.remove(deployment.registry, "base")
    assert removed.lines == ["removed    base, the file's version is in force again"]
    deployment.carry_out(removed)
    with pytest.raises(InvalidChange, match="base is a rule of the workers' file: pause it"):
        plan.remove(deployment.registry, "base")
    for _ in deployment.registry.absorb([Written(b"broken", b"{", 9)]):
        pass
    assert plan.remove(deployment.registry, "broken").records == {"broken": None}


@pytest.mark.parametrize("action", [plan.pause, plan.resume, plan.promote, plan.remove])
def test_an_unknown_id_comes_with_the_nearest_known_one(action: Any) -> None:
    """A typo is told with what was meant."""
    deployment = Deployment(rule_record(1, "large-order"))
    with pytest.raises(InvalidChange, match="large-ordr: did you mean large-order"):
        action(deployment.registry, "large-ordr")


def test_a_silence_is_written_and_ended_and_old_ones_go() -> None:
    """One that ended more than a day before is removed with it."""
    deployment = Deployment()
    old = silence(deployment.registry, {"rule": "base"}, now_ms=0, for_ms=1_000, created_by="me")
    assert old.lines[0].endswith("  rule=base")
    deployment.carry_out(old)
    (old_id,) = (each.id for each in deployment.registry.silences())
    soon = silence(deployment.registry, {"rule": "off"}, now_ms=1_000 + DAY_MS, for_ms=5)
    assert f"silence:{old_id}" not in soon.records
    later = silence(deployment.registry, {"rule": "off"}, now_ms=1_001 + DAY_MS, for_ms=5)
    assert later.records[f"silence:{old_id}"] is None
    (new,) = deployment.carry_out(later).registry.silences()
    assert (new.matchers, new.until_ms) == ({"rule": "off"}, 1_006 + DAY_MS)
    assert deployment.carry_out(unsilence(deployment.registry, new.id)).registry.silences() == []
    with pytest.raises(InvalidChange, match="there is no silence"):
        unsilence(deployment.registry, new.id)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rule", "expected MATCHER=VALUE"),
        ("rule=", "expected MATCHER=VALUE"),
        ("rule=bas", "did you mean base"),
        ("severty=info", "did you mean severity"),
        ("teem=desk", "did you mean team"),
    ],
)
def test_a_silence_that_could_match_nothing_is_refused(text: str, why: str) -> None:
    """Names are those of alerts and of the rules' labels, rules those there are."""
    with pytest.raises(InvalidChange, match=why):
        parse_matchers([text], Deployment(rule_record(1, "x", labels={"team": "desk"})).registry)


def test_matchers_may_end_in_a_star() -> None:
    """Addresses are compared in lower case."""
    registry = Deployment(rule_record(1, "x", labels={"team": "desk"})).registry
    assert parse_matchers(["rule=ba*", "subject=0xAB*", "team=Desk"], registry) == {
        "rule": "ba*",
        "subject": "0xab*",
        "team": "Desk",
    }
    with pytest.raises(InvalidChange, match="rule is given twice"):
        parse_matchers(["rule=base", "rule=x"], registry)


def shown(registry: Registry) -> str:
    """Return all cells of all tables."""
    columns = [column for table in tables(registry, now_ms=0) for column in table.columns]
    return "\n".join(str(cell) for column in columns for cell in column.cells)


def test_the_list_holds_rules_silences_and_what_was_refused() -> None:
    """For people and for programs."""
    deployment = Deployment(rule_record(1_767_563_495_000, "x", markets=["m-*"]), rule_record(1, "x@shadow"))
    deployment.carry_out(silence(deployment.registry, {"rule": "x"}, now_ms=5, for_ms=5, comment="[red]\x1b[0m"))
    for _ in deployment.registry.absorb([Written(b"broken", b"{", 9)]):
        pass
    text = shown(deployment.registry)
    assert "x (shadow)" in text
    assert "2026-01-04 21:51:35Z" in text
    assert "market m-*" in text
    assert r"\[red] \[0m" in text
    assert "truncated" in text
    listed = json.loads(as_json(deployment.registry))
    assert [each["key"] for each in listed["rules"]] == ["base", "off", "trial", "x", "x@shadow"]
    assert listed["rules"][3]["rule"]["markets"] == ["m-*"]
    assert [each["name"] for each in listed["refused"]] == ["broken"]
    assert listed["silences"][0]["matchers"] == {"rule": "x"}


@given(st.integers(0, 5), st.integers(0, 5))
def test_selectors_in_brief_say_how_many_or_which(wallets: int, markets: int) -> None:
    """Two are named, of more their number is."""
    select = Selectors(wallets=tuple(f"0x{n}" for n in range(wallets)), markets=tuple(f"m{n}" for n in range(markets)))
    text = selected(select)
    assert (text == "all") is (wallets == markets == 0)
    assert ("0x0" in text) is (1 <= wallets <= 2)
    assert (f"{markets} markets" in text) is (markets > 2)
