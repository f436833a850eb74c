"""The ledger finds every kind of difference, and explains or excuses it only where it should."""

from __future__ import annotations

import pytest

from tests.chaos.verdict import judge
from tests.support.evidence import START_MS, Story


def clean() -> Story:
    """Return the story of ten orders, each published once."""
    story = Story()
    for number in range(10):
        story.publish(story.execute(number, number), number + 0.1)
        story.cover(number + 0.5, until=number + 0.2)
    return story


def test_a_clean_run_has_no_faults() -> None:
    """Ten executed, ten owed, ten published."""
    verdict = judge(clean().evidence())
    assert verdict.faults == []
    assert (verdict.executed, verdict.owed, verdict.published) == (10, 10, 10)


def test_an_order_that_is_not_in_the_topic_is_lost() -> None:
    """Its story names wallet, deliveries, REST, owner and what happened near."""
    story = clean()
    story.event("drop", 10.5, 10.5)
    story.execute(11, 11, reached=False, fault="disconnected")
    (line,) = judge(story.evidence()).lost
    for word in ("order 11", "connection 1 not reached (disconnected)", "in REST from +0 ms", "owner a", "drop"):
        assert word in line


def test_one_of_two_twins_missing_is_lost() -> None:
    """Equal fills are counted: two executed, one published."""
    story = clean()
    content = story.execute(11, 11)
    story.execute(11, 11)
    story.publish(content, 11.1)
    assert len(judge(story.evidence()).lost) == 1
    story.publish(content, 11.2, occurrence=1, source="backfill")
    assert judge(story.evidence()).faults == []


def test_a_withheld_order_is_excused_only_where_a_gap_says_so() -> None:
    """
    REST never shows it: on record inside a gap, unknowable when the socket lost it silently, else lost.

        orders   ... 9      11 (broken)      20 (lost silently)     30 (reached)
        gaps               [10 .. 12]
    """
    story = clean()
    story.gap("g", "unrecoverable", 10, 12, 80)
    story.execute(11, 11, reached=False, fault="garble", withheld=True)
    story.execute(20, 20, reached=False, fault="lose_event", withheld=True)
    story.execute(30, 30, withheld=True)
    verdict = judge(story.evidence())
    assert (verdict.unrecoverable, verdict.undetectable, len(verdict.lost)) == (1, 1, 1)


def test_a_duplicate_is_excused_only_by_an_unclean_handover() -> None:
    """
    The same record twice, with and without a kill of its owner in between.

        topic    9            9
        owner    a  (killed)  b
    """
    story = clean()
    content = story.published[9].event_id.rpartition("-")[0]
    story.publish(content, 14, source="backfill")
    assert len(judge(story.evidence()).duplicates) == 1
    story.cover(13, until=12, owner="b")
    assert len(judge(story.evidence()).duplicates) == 1, "a clean handover explains nothing"
    story.event("replica_kill", 10, 20, "a")
    verdict = judge(story.evidence())
    assert verdict.faults == []
    assert "a -> b after replica_kill of a" in verdict.promised_duplicates[0]


def test_a_duplicate_by_one_replica_is_never_excused() -> None:
    """Both copies came over connections of the same process, whatever handover was near."""
    story = clean()
    story.publish(story.published[9].event_id.rpartition("-")[0], 14)
    story.cover(13, until=12, owner="b")
    story.event("replica_kill", 10, 20, "a")
    assert len(judge(story.evidence(publisher="a")).duplicates) == 1


@pytest.mark.parametrize("occurrence", [1, 7])
def test_what_was_never_executed_is_foreign(occurrence: int) -> None:
    """An occurrence beyond the number of executions is an order that never was."""
    story = clean()
    story.publish(story.published[3].event_id.rpartition("-")[0], 12, occurrence=occurrence, source="backfill")
    assert len(judge(story.evidence()).foreign) == 1


def test_a_gap_left_open_is_a_fault_unless_its_wallet_was_removed() -> None:
    """Its last report counts."""
    story = clean()
    story.gap("g", "opened", 3, None, 3)
    story.gap("g", "filling", 3, 4, 5)
    assert len(judge(story.evidence()).open_gaps) == 1
    story.gap("g", "closed", 3, 4, 9)
    verdict = judge(story.evidence())
    assert verdict.faults == []
    assert (verdict.repairs.longest_gap_ms, verdict.repairs.longest_repair_ms) == (1_000, 5_000)
    story.gap("h", "opened", 8, None, 8)
    story.watches[0].removed_ms = START_MS + 9_000
    assert judge(story.evidence()).open_gaps == []


def test_live_orders_out_of_order_are_found_back_filled_ones_are_not() -> None:
    """Only what came from a socket must stand as it came."""
    story = clean()
    late, early = story.execute(20, 20), story.execute(21, 21)
    story.publish(early, 21)
    story.publish(late, 22, source="backfill")
    assert judge(story.evidence()).faults == []
    story = clean()
    late, early = story.execute(20, 20), story.execute(21, 21)
    story.publish(early, 21)
    story.publish(late, 22)
    assert len(judge(story.evidence()).disordered) == 1


def test_a_removed_wallet_is_owed_what_its_checkpoints_promised() -> None:
    """
    covered: what sockets brought is owed; verified: everything is; after both, nothing.

        orders          5    6        8       11
        verified until   5.5 |        |
        covered until           7.5   |
        removed                            10
    """
    story = Story()
    story.watches[0].removed_ms = START_MS + 10_000
    for number in (5, 6, 8, 11):
        story.execute(number, number, reached=number != 6)
    story.cover(9, until=7.5, verified=5.5)
    assert judge(story.evidence()).owed == 1
    story.cover(9.5, until=8.5, verified=6.5)
    assert judge(story.evidence()).owed == 3


def test_an_added_wallet_is_owed_from_live_on_or_since() -> None:
    """
    Between add and live nothing is owed, unless `since` says so.

        orders    1        6              12
        added          5
        live                 7 + slack
    """
    story = Story()
    story.watches[0].live_ms = None
    story.watches[0].added_ms = START_MS + 5_000
    for number in (1, 6, 12):
        story.execute(number, number)
    assert judge(story.evidence()).owed == 0
    story.cover(7, until=6)
    assert judge(story.evidence()).owed == 1
    story.watches[0].since_ms = START_MS + 6_000
    assert judge(story.evidence()).owed == 2


def test_a_replica_may_end_for_want_of_kafka_only_while_kafka_is_away() -> None:
    """
    Exit code 4 after the broker's death is documented; long after, or with another code, it is a fault.

        broker_kill   10 .. 15
        exits               20 (code 4)     20 (code 1)     90 (code 4)
    """
    story = clean()
    story.event("broker_kill", 10, 15)
    story.event("exit", 20, 20, "a", detail="code 4: no Kafka answers")
    assert judge(story.evidence()).faults == []
    story.event("exit", 20, 20, "b", detail="code 1: crashed")
    story.event("exit", 90, 90, "c", detail="code 4: no Kafka answers")
    assert judge(story.evidence()).exits == ["b: code 1: crashed", "c: code 4: no Kafka answers"]
