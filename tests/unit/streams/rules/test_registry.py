from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.rules.engine import compile_rules
from streams.rules.registry import Change, Refused, Registry
from streams.rules.silence import Silence
from streams.rules.topic import encode_silence
from tests.support.rules_log import Written, document, rule_record, tombstone

if TYPE_CHECKING:
    from collections.abc import Sequence

DELAY = 500
FILE = compile_rules(document({"id": "a", "message": "file"}, {"id": "b", "message": "file", "mode": "SHADOW"}))
KEYS = ("a", "b", "c", "a@shadow", "b@shadow", "silence:s")


class Op(NamedTuple):
    """What somebody writes, in words that the brute force understands."""

    at: int
    key: str
    does: str
    """`gone`, `bad`, or the message of a rule, after its mode: `ACTIVE:1`; of a silence its end in ms."""

    def record(self) -> Written:
        """Return it as the broker would."""
        if self.does == "gone":
            return tombstone(self.at, self.key)
        if self.does == "bad":
            return Written(self.key.encode(), b'{"kind": "rule", "schema": 1, "rule": {"id": "nothing more"}}', self.at)
        if self.key.startswith("silence:"):
            silence = Silence(id=self.key[8:], until_ms=int(self.does), matchers={"rule": "a"})
            return Written(self.key.encode(), encode_silence(silence), self.at)
        mode, message = self.does.split(":")
        return rule_record(self.at, self.key, mode=mode, message=message)


@st.composite
def ops(draw: st.DrawFn) -> list[Op]:
    """Return what was written, in the order of append times, often several at one time."""
    times = sorted(draw(st.lists(st.integers(0, 6).map(lambda each: each * 1_000), max_size=10)))
    found = []
    for at in times:
        key = draw(st.sampled_from(KEYS))
        if key.startswith("silence:"):
            good = st.sampled_from(["500", "3000", "999999"])
        elif key.endswith("@shadow"):
            good = st.sampled_from(["SHADOW:1", "SHADOW:2"])
        else:
            good = st.sampled_from(["ACTIVE:1", "ACTIVE:2", "PAUSED:1", "SHADOW:1"])
        found.append(Op(at, key, draw(st.sampled_from(["gone", "bad"]) | good)))
    return found


def brute_force(log: Sequence[Op], clock: int) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the rules in force, as mode and message by id, and the silences, from nothing but the log."""
    held: dict[str, str] = {}
    for op in log:
        if op.at + DELAY <= clock and op.does != "bad":
            held[op.key] = op.does
    rules = {"a": "ACTIVE:file", "b": "SHADOW:file"}
    rules |= {key: does for key, does in held.items() if does != "gone" and "@" not in key and ":" not in key}
    on_trial = {
        (key[:1], does)
        for key, does in held.items()
        if "@" in key and does != "gone" and not rules.get(key[:1], "").startswith("SHADOW")
    }
    until = held.get("silence:s", "gone")
    silenced = {"s"} if until != "gone" and int(until) > clock else set()
    return {*rules.items(), *on_trial}, silenced


@given(ops(), st.data())
def test_editions_are_what_brute_force_says_of_every_time(log: list[Op], data: st.DataObject) -> None:
    """Whatever is written, however it is handed over: at each time those rules are in force that the log says."""
    registry = Registry(FILE, delay_ms=DELAY)
    rest = [op.record() for op in log]
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        for _ in registry.absorb(rest[:size]):
            pass
        rest = rest[size:]
    for clock in sorted({0, *(op.at + DELAY + late for op in log for late in (-1, 0, 1, 700))}):
        edition = registry.editions.at(clock)
        rules, silenced = brute_force(log, clock)
        assert {(rule.id, f"{rule.mode}:{rule.message}") for rule in edition.rules} == rules
        assert {each.id for each in edition.silences if each.until_ms > clock} == silenced
        running = {rule.number for rule in edition.rules if rule.mode != "PAUSED"}
        assert all(edition.sets["wallet"].get(number) for number in running)
        assert len(running) == sum(mode[:6] != "PAUSED" for _, mode in rules)


def changes(registry: Registry, *records: Written) -> list[Change | Refused]:
    """Return what there is to say of these records."""
    return [event for event in registry.absorb(records) if event is not None]


def test_what_is_written_as_one_batch_takes_effect_at_once() -> None:
    """
    Both rules of a batch are in force at the same millisecond, and none before.

        append   |1000: c, d
        effect            |1500
    """
    registry = Registry([], delay_ms=DELAY)
    assert changes(registry, rule_record(1_000, "c"), rule_record(1_000, "d")) == [Change(1_500, ["c", "d"], [], [])]
    assert registry.editions.at(1_499).rules == ()
    assert [rule.id for rule in registry.editions.at(1_500).rules] == ["c", "d"]
    assert registry.editions.version == 1


def test_a_bad_record_is_named_and_the_old_version_goes_on() -> None:
    """Its neighbours of the same batch are in force all the same."""
    registry = Registry(FILE, delay_ms=DELAY)
    changes(registry, rule_record(1, "a", message="good"))
    said = changes(registry, Op(2, "a", "bad").record(), rule_record(2, "c"))
    assert [type(each) for each in said] == [Refused, Change]
    assert isinstance(said[0], Refused)
    assert said[0].name == "a"
    assert "scope is missing" in said[0].why
    assert [rule.message for rule in registry.editions.latest.rules if rule.id == "a"] == ["good"]
    assert registry.refused() == [said[0]]
    changes(registry, rule_record(3, "a", message="better"))
    assert registry.refused() == []


def test_a_second_version_on_trial_waits_until_the_first_is_none() -> None:
    """It is refused beside a rule in SHADOW, said once, and runs as soon as that is ACTIVE."""
    registry = Registry(FILE, delay_ms=DELAY)
    (refused,) = changes(registry, rule_record(1, "b@shadow"))
    assert isinstance(refused, Refused)
    assert refused.name == "b@shadow"
    assert registry.refused() == [refused]
    assert changes(registry, rule_record(2, "c")) == [Change(502, ["c"], [], [])]
    assert changes(registry, rule_record(3, "b")) == [Change(503, ["b@shadow"], ["b"], [])]
    assert registry.refused() == []


def test_the_same_again_is_no_change() -> None:
    """A rule that is written as it is makes no edition."""
    registry = Registry(FILE, delay_ms=DELAY)
    changes(registry, rule_record(1, "c"))
    assert changes(registry, rule_record(2, "c"), tombstone(2, "unknown"), tombstone(2, "silence:none")) == []
    assert registry.editions.version == 1


def test_a_rule_named_like_a_silence_does_not_end_it() -> None:
    """Keys of rules and silences have nothing to do with each other."""
    registry = Registry([], delay_ms=DELAY)
    changes(registry, Op(1, "silence:s", "99999").record(), rule_record(1, "s"), tombstone(2, "s"))
    assert [each.id for each in registry.silences()] == ["s"]
    assert [each.id for each in registry.editions.latest.silences] == ["s"]


def test_keys_that_are_no_text_are_refused() -> None:
    """A record without a key, or with bytes for one, is somebody's mistake."""
    registry = Registry([], delay_ms=DELAY)
    said = changes(registry, Written(None, rule_record(1, "a").value, 1), Written(b"\xff", b"{}", 1))
    assert [each.name for each in said if isinstance(each, Refused)] == ["", r"b'\xff'"]


def test_rules_say_where_they_are_from_and_since_when() -> None:
    """A tombstone gives the file's version back."""
    registry = Registry(FILE, delay_ms=DELAY)
    changes(registry, rule_record(7, "a", message="topic"), rule_record(7, "a@shadow"))
    assert [(each.name, each.source, each.since) for each in registry.rules()] == [
        ("a", "topic", 507),
        ("a@shadow", "topic", 507),
        ("b", "file", None),
    ]
    changes(registry, tombstone(8, "a"))
    assert [each.source for each in registry.rules()] == ["file", "topic", "file"]


def test_what_does_not_change_is_compiled_once() -> None:
    """A silence, or a rule about markets, leaves the wallets' rules as they are."""
    registry = Registry(FILE, delay_ms=DELAY)
    registry.prepare()
    before = registry.editions.latest.sets["wallet"]
    market = {"scope": "market", "expr": "market.w5m.wallets > 2"}
    changes(registry, Op(1, "silence:s", "99999").record(), rule_record(2, "m", **market))
    assert registry.editions.latest.sets["wallet"] is before
    assert [known.active.rule.scope for known in registry.rules()] == ["wallet", "wallet", "market"]
    changes(registry, rule_record(3, "c"))
    assert registry.editions.latest.sets["wallet"] is not before


def test_another_topic_begins_with_the_file() -> None:
    """What a topic said that is gone counts no longer, also where the new one is empty."""
    registry = Registry(FILE, delay_ms=DELAY)
    changes(registry, rule_record(1, "c"))
    assert registry.restart() == Change(501, [], [], ["c"])
    assert {rule.id for rule in registry.editions.at(501).rules} == {active.rule.id for active in FILE}
    assert changes(registry, rule_record(2, "d")) == [Change(502, ["d"], [], [])]
