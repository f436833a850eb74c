"""Gaps are put down to the fault that can have caused them, and struck last."""

from __future__ import annotations

from tests.chaos.repairs import OTHER, repairs
from tests.chaos.settling import unsettled
from tests.support.evidence import START_MS, Story
from tests.support.orders import WALLET


def test_a_gap_is_put_down_to_the_latest_plausible_fault() -> None:
    """
    A `disconnect` gap: the drop before it, not the garbled frame between, nor what came long ago or after.

        half_open 1    drop 50   garble 52   gap 53   drop 60
    """
    story = Story()
    for kind, at in (("half_open", 1), ("drop", 50), ("garble", 52), ("drop", 60)):
        story.event(kind, at, at)
    story.gap("g", "opened", 50, None, 53)
    story.gap("g", "closed", 50, 54, 70)
    found = repairs(story.evidence())
    assert list(found.by_kind) == ["drop"]
    assert found.by_kind["drop"].longest_repair_ms == 16_000


def test_a_gap_without_a_fault_says_so() -> None:
    """Nothing struck within the time in which a fault shows."""
    story = Story()
    story.event("drop", 1, 1)
    story.gap("g", "opened", 90, None, 91)
    found = repairs(story.evidence())
    assert list(found.by_kind) == [OTHER]
    assert len(found.left_open) == 1


def test_what_is_not_settled_is_named_with_its_reasons() -> None:
    """No coverage, not covered far enough, and nothing to say of a wallet that is well."""
    story = Story()
    assert unsettled(story.coverage, [WALLET], beyond_ms=0) == [f"{WALLET} has no coverage"]
    story.cover(9, until=8, verified=5)
    (line,) = unsettled(story.coverage, [WALLET], beyond_ms=START_MS + 7_000)
    assert "verified 2000 ms short" in line
    assert "covered" not in line
    story.cover(10, until=8)
    assert unsettled(story.coverage, [WALLET], beyond_ms=START_MS + 7_000) == []
