from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.shards.following import UNCHANGING
from streams.shards.live import Live
from streams.shards.position import START
from streams.stats.rulestate import Memory, RuleState


class Ruled:
    """A value with what rules remember of it."""

    def __init__(self, rules: Memory) -> None:
        self.rules = rules
        self.clock = 0

    def encode(self) -> bytes:
        """Return nothing worth remembering."""
        return b""


@given(st.dictionaries(st.text(max_size=2), st.booleans()))
def test_a_change_of_rules_concerns_those_that_rules_remember(subjects: dict[str, bool]) -> None:
    """The others wait for their next order."""
    live: Live[Ruled] = Live(0, START, lambda *_: None)
    for subject, remembered in subjects.items():
        live.values[subject] = Ruled({1: RuleState(1)} if remembered else {})
    assert set(live.ruled()) == {subject for subject, remembered in subjects.items() if remembered}


def test_a_change_that_is_near_brings_what_was_due_later_forward() -> None:
    """
    Scheduled anew, a subject is due when the rules change, and not a second time at its own deadline.

    Timeline (ms), `|` the deadline before, `x` that of the change:

        0     300     1000
              x       |
    """
    deadline = 1_000
    live: Live[Ruled] = Live(0, START, lambda _, at: deadline if at < deadline else None)
    live.values["w"] = Ruled({1: RuleState(1)})
    live.schedule("w", 0)
    deadline = 300
    for subject in live.ruled():
        live.schedule(subject, live.clock)
    assert live.expire(300) == ["w"]
    live.schedule("w", 300)
    assert live.expire(5_000) == []


def test_rules_that_never_change_are_always_known() -> None:
    """Nothing waits for them."""
    assert UNCHANGING.known()
    assert UNCHANGING.version == 0
