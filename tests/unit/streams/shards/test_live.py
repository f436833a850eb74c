from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from streams.shards.live import Live
from streams.shards.position import START

if TYPE_CHECKING:
    from streams.stats.rulestate import Memory


class Decaying:
    """A value whose statistics change by themselves at given times."""

    def __init__(self, *changes: int) -> None:
        self.changes = changes
        self.rules: Memory = {}
        self.clock = 0

    def encode(self) -> bytes:
        """Return nothing worth remembering."""
        return b""

    def next_change(self, at: int) -> int | None:
        """Return the first change after `at`."""
        return min((change for change in self.changes if change > at), default=None)


def test_deadlines_are_met_in_virtual_time() -> None:
    """
    Statistics that changed by themselves are published once per look.

    Timeline (ms), `|` a change of the statistics, `x` a look at the clock:

        0    100  150   200  250   300
             |          |
        x         x                x
    """
    live: Live[Decaying] = Live(0, START, Decaying.next_change)
    live.values["w"] = Decaying(100, 200)
    live.schedule("w", 0)
    live.expire(99)
    assert live.unpublished == set()
    live.expire(150)
    assert live.unpublished == {"w"}
    live.unpublished.clear()
    live.schedule("w", 150)
    live.expire(300)
    assert live.unpublished == {"w"}
    live.unpublished.clear()
    live.schedule("w", 300)
    live.expire(10_000)
    assert live.unpublished == set()


@given(st.lists(st.lists(st.integers(1, 500), max_size=6), max_size=8), st.lists(st.integers(1, 600), max_size=12))
def test_expire_finds_exactly_the_subjects_that_changed(changes: list[list[int]], looks: list[int]) -> None:
    """Between two looks, the subjects marked are those with a change between them, against a scan of all."""
    live: Live[Decaying] = Live(0, START, Decaying.next_change)
    for number, times in enumerate(changes):
        live.values[str(number)] = Decaying(*times)
        live.schedule(str(number), 0)
    before = 0
    for look in sorted(looks):
        live.expire(look)
        expected = {str(n) for n, times in enumerate(changes) if any(before < time <= look for time in times)}
        assert live.unpublished == expected
        for subject in expected:
            live.schedule(subject, look)
        live.unpublished.clear()
        before = look


@given(st.lists(st.integers(0, 10**13)))
def test_the_log_clock_never_goes_back(stamps: list[int]) -> None:
    """The clock is the running maximum of the append times."""
    live: Live[Decaying] = Live(0, START, Decaying.next_change)
    for number, stamp in enumerate(stamps):
        assert live.observe(stamp) == max(stamps[: number + 1])
