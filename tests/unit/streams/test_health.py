from __future__ import annotations

from typing import Any

import pytest

from streams.health import Health, Seen, unready
from streams.shards.standing import Standing, Working

LIMIT_S = 60.0
JOINING_S = 30.0
ORDERS = "orders.v1"


def working(following: int = 10, *, remembered_at: float = 0.0, **changes: Any) -> Working:
    """Return a shard that has folded all up to 9, as far as it knows."""
    known: dict[str, Any] = {"end": 10, "empty_to": 0, "remembered_offset": 9, "subjects": 1, "state_bytes": 1}
    return Working(following=following, remembered_at=remembered_at, **known | changes)


def standing(partition: int, work: Working | None, *, attempts: int = 1, restored: int = 0) -> Standing:
    """Return a shard of the orders."""
    return Standing(ORDERS, partition, "orders", attempts, restored, work)


def seen(*shards: Standing, **changes: Any) -> Seen:
    """Return a worker with these shards, all of whose partitions end at 20."""
    ends = {(ORDERS, shard.partition): 20 for shard in shards}
    known: dict[str, Any] = {"joined": True, "ends": ends, "rules_known": True, "shards": shards}
    return Seen(**known | changes)


def health() -> Health:
    """Return the health of a worker that starts at 0."""
    return Health(limit_s=LIMIT_S, joining_s=JOINING_S, now=0.0)


def test_a_shard_that_folds_is_alive() -> None:
    """
    However far behind it is, a step within the limit is enough.

        s      0 ---- 50 ---- 100 ---- 150
        next   10     11      12       13      (end 20)
    """
    worker = health()
    for step, now in enumerate((0.0, 50.0, 100.0, 150.0)):
        worker.look(seen(standing(3, working(10 + step, remembered_at=now))), now)
        assert worker.wedged(now) == ""


def test_a_shard_with_unread_orders_that_folds_none_is_wedged() -> None:
    """
    Beyond the limit, not before; and when it goes on, it is well again.

        s      0 ------ 60 - 61 ----- 62
        next   10       10   10       11     (end 20)
    """
    worker = health()
    for now in (0.0, 60.0):
        worker.look(seen(standing(3, working(10, remembered_at=now))), now)
        assert worker.wedged(now) == ""
    worker.look(seen(standing(3, working(10, remembered_at=61.0))), 61.0)
    assert worker.wedged(61.0) == "orders.v1 3 has unread orders and folds none for 61 s, although Kafka answers"
    worker.look(seen(standing(3, working(11, remembered_at=62.0))), 62.0)
    assert worker.wedged(62.0) == ""


def test_a_silent_partition_is_no_reason() -> None:
    """Nobody trades for an hour; and marks of transactions at the end are no orders."""
    worker = health()
    for now in range(0, 3_600, 30):
        idle = standing(0, working(20, remembered_at=now))
        marked = standing(1, working(18, remembered_at=now, empty_to=20))
        worker.look(seen(idle, marked), now)
        assert worker.wedged(now) == ""


def test_while_kafka_is_away_nobody_is_wedged_and_then_everybody_has_the_whole_limit() -> None:
    """
    A restart would cost the state in memory and help nothing.

        s       0 ---- 50 ------------ 1000 ---- 1060 - 1061
        Kafka   there  away            there
        next    10     10              10        10     10
    """
    worker = health()
    stuck = standing(3, working(10))
    worker.look(seen(stuck), 0.0)
    for second in range(50, 1_000, 5):
        worker.look(seen(stuck, ends=None), second)
        assert worker.wedged(second) == ""
    for now in (1_000.0, 1_060.0):
        worker.look(seen(stuck), now)
        assert worker.wedged(now) == ""
    worker.look(seen(stuck), 1_061.0)
    assert "folds none for 61 s" in worker.wedged(1_061.0)


def test_one_question_without_an_answer_says_nothing() -> None:
    """
    A broker that is slow now and then must not hide a wedged shard, nor make one look wedged in that moment.

        s       0 ------ 30 ---- 59 - 61 ---- 62
        Kafka   there    slow         slow    there
    """
    worker = health()
    for now in (0.0, 30.0, 59.0, 61.0, 62.0):
        away = {"ends": None} if now in (30.0, 61.0) else {}
        worker.look(seen(standing(3, working(10, remembered_at=now)), **away), now)
        assert (worker.wedged(now) == "") is (now < 62.0)


def test_while_rules_cannot_be_read_nobody_is_wedged() -> None:
    """Orders wait for them on purpose."""
    worker = health()
    for now in range(0, 600, 5):
        worker.look(seen(standing(3, working(10)), rules_known=False), now)
        assert worker.wedged(now) == ""


def test_a_shard_that_remembers_nothing_is_wedged() -> None:
    """It folds, but what it puts out is never acknowledged."""
    worker = health()
    for now in range(0, 70, 5):
        worker.look(seen(standing(3, working(10 + now, remembered_at=1.0, end=1_000))), now)
    assert worker.wedged(65.0) == "orders.v1 3 remembers nothing for 65 s, although Kafka answers"


@pytest.mark.parametrize(("step", "alive"), [("restored", True), ("attempts", True), ("", False)])
def test_restoring_is_progress_while_records_or_attempts_come(step: str, *, alive: bool) -> None:
    """A large state takes its time, and what Kafka refuses again and again no restart helps."""
    worker = health()
    for now in range(0, 200, 20):
        worker.look(seen(standing(3, None, **({step: now} if step else {}))), now)
    assert (worker.wedged(180.0) == "") is alive


def test_a_group_that_assigns_nothing_has_a_rebalance_longer() -> None:
    """It waits for its slowest member, which is not our fault."""
    worker = health()
    for now in range(0, 91, 1):
        worker.look(seen(joined=False), now)
        assert worker.wedged(now) == ""
    worker.look(seen(joined=False), 91.0)
    assert worker.wedged(91.0) == "the group has assigned nothing for 91 s, although Kafka answers"


def test_a_worker_without_partitions_is_well() -> None:
    """There are more workers than partitions."""
    worker = health()
    for now in range(0, 200, 10):
        worker.look(seen(), now)
    assert worker.wedged(190.0) == ""
    assert unready(seen()) == ""


def test_a_shard_that_is_gone_owes_nothing() -> None:
    """Its partition went to another worker, and comes back later with a fresh limit."""
    worker = health()
    worker.look(seen(standing(3, working(10))), 0.0)
    worker.look(seen(), 30.0)
    for now in (60.0, 100.0):
        worker.look(seen(standing(3, working(10, remembered_at=now))), now)
    assert worker.wedged(100.0) == ""


def test_nobody_looking_is_wrong() -> None:
    """Else a look that hangs would report the last good moment for ever."""
    worker = health()
    worker.look(seen(), 10.0)
    assert worker.wedged(70.0) == ""
    assert worker.wedged(71.0) == "nobody has looked after the worker for 61 s"


def test_why_a_worker_is_not_ready() -> None:
    """All reasons, and not the names of a hundred shards."""
    assert unready(seen(standing(3, working()))) == ""
    assert unready(seen(standing(3, None), standing(1, None))) == "restoring orders.v1 1, orders.v1 3"
    assert unready(seen(*(standing(each, None) for each in range(9)))).endswith("orders.v1 4 and 4 more")
    assert unready(seen(joined=False)) == "waiting for the group to assign partitions"
    assert unready(seen(ends=None, rules_known=False)) == "Kafka does not answer; rules.v1 is not read to its end"
