"""Taking a partition over, again: what others did meanwhile, and what of ours is worth nothing by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from connector.contract.coverage import CoverageRecord, OpenGap
from tests.support.orders import WALLET
from tests.support.owner import NOW, Log, Owner, owning, shortly

if TYPE_CHECKING:
    from connector.contract.gap import GapRecord

pytestmark = pytest.mark.looptime
ONE, TWO = ("0x" + digit * 40 for digit in "12")


def checkpoint(wallet: str, covered_ms: int, *, gap_id: str | None = None) -> CoverageRecord:
    """Return a checkpoint of replica "b"."""
    gap = None if gap_id is None else OpenGap(gap_id=gap_id, cause="disconnect", start_ms=covered_ms)
    return CoverageRecord(
        wallet=wallet,
        standing="live",
        owner="b",
        since_ms=0,
        covered_until_ms=covered_ms,
        verified_until_ms=covered_ms,
        gap=gap,
        at_ms=covered_ms,
    )


async def queued(owner: Owner, *numbers: int) -> None:
    """Have orders wait in the publisher: we are not sure to own the partition."""
    await shortly()  # what was sent before is acknowledged
    owner.lease.end()
    for number in numbers:
        assert await owner.order(number)
    assert owner.publisher.unacknowledged == len(numbers)


async def test_a_queued_order_that_somebody_else_published_is_dropped() -> None:
    """
    The group shares out anew, the partition stays ours; who had it in between wrote no checkpoint.

        ours 1 ── 2, 3 queued ── somebody's 2, 4 ── taken over again, sure at once ── read ── ours 3, not 2
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        await owner.order(1)
        await queued(owner, 2, 3)
        log.foreign(2)
        log.foreign(4)
        log.held.add("orders")
        owner.replica.take_over([0])
        owner.sure()
        await shortly()
        assert log.numbers == [1, 2, 4], "nothing is sent before the topic was read"
        log.held.clear()
        await shortly()
        assert log.numbers == [1, 2, 4, 3]
        assert owner.publisher.unacknowledged == 0
        assert not await owner.order(2)
        assert not await owner.order(4), "what only others had is known too"


async def test_an_order_that_was_decided_on_before_is_dropped_too_when_nothing_is_queued() -> None:
    """
    A page of REST was decided on at once, and is handed to the publisher bit by bit.

        2 decided on ── somebody's 2 ── taken over again, read ── 2 comes to the publisher
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        decided = owner.decide(2)
        assert decided is not None
        log.foreign(2)
        await owner.take_over()
        await owner.publisher.publish(decided)
        await shortly()
        assert log.numbers == [2]
        assert owner.publisher.unacknowledged == 0


async def test_a_hole_in_our_offsets_drops_what_fills_it_from_the_queue() -> None:
    """
    Somebody publishes beside us; an order of ours lands behind, and shows it.

        offset   0 ours ── 1 somebody's 2 ── 2 ours 3 (acknowledged late)      queued: 2, 4 ── sure again: 4 only
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        await owner.order(1)
        log.acknowledging = False
        await owner.order(3)
        owner.lease.end()
        for number in (2, 4):
            assert await owner.order(number)
        log.foreign(2)
        log.acknowledging = True
        with capture_logs() as logs:
            log.acknowledge()
            await shortly()
        assert [(line["event"], line["orders"]) for line in logs if "orders" in line] == [("orders.foreign", 1)]
        owner.sure()
        await shortly()
        assert log.numbers == [1, 2, 3, 4]
        assert owner.publisher.unacknowledged == 0


@pytest.mark.parametrize("theirs", [False, True])
async def test_queued_orders_are_decided_on_anew_when_somebody_else_had_the_partition(*, theirs: bool) -> None:
    """
    Its checkpoint says so; what it published is known from the topic, the rest is an order like any other.

        2 queued ── b's checkpoint, with 2 published or not ── taken over again: 2 withdrawn ── 2 comes again
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        await owner.order(1)
        await queued(owner, 2)
        if theirs:
            log.foreign(2)
        log.checkpoints[WALLET] = checkpoint(WALLET, NOW - 1_000)
        with capture_logs() as logs:
            await owner.take_over()
            await shortly()
        assert [line["orders"] for line in logs if line["event"] == "orders.withdrawn"] == [1]
        assert log.numbers == ([1, 2] if theirs else [1])
        assert owner.publisher.unacknowledged == 0
        assert await owner.order(2) is not theirs
        assert log.numbers == [1, 2]


def told(reports: list[GapRecord]) -> list[tuple[str, str, int]]:
    """Return what reports say: wallet, state and start."""
    return [(report.wallet, report.state, report.start_ms) for report in reports]


async def test_a_take_over_that_is_interrupted_leaves_nothing_behind() -> None:
    """
    Interrupted while it read the orders; "b" had the partition in between, and the list changed.

        list read: ONE from b's gap, TWO ── given up ── b closes its gap, TWO is removed ── taken over: ONE from there
    """
    log = Log()
    log.list(ONE)
    log.list(TWO)
    log.checkpoints = {ONE: checkpoint(ONE, NOW - 60_000, gap_id="b1"), TWO: checkpoint(TWO, NOW - 50_000)}
    async with owning(log, static=()) as owner:
        log.held.add("orders")
        owner.replica.take_over([0])
        owner.sure()
        await shortly()
        assert (ONE in owner.coverage, TWO in owner.coverage) == (True, True)
        await owner.replica.give_up()
        assert log.sent == [], "of what is not known nothing is claimed"
        owner.lease.end()
        log.list(TWO, remove=True)
        log.checkpoints = {ONE: checkpoint(ONE, NOW - 10_000)}
        log.held.clear()
        await owner.take_over()
        assert TWO not in owner.coverage
        await owner.write()
        assert told(log.gaps) == [(ONE, "opened", NOW - 10_000)]
        assert log.gaps[0].gap_id != "b1"
        assert log.checkpoints.keys() == {ONE}
        written = log.checkpoints[ONE]
        assert (written.owner, written.covered_until_ms) == ("a", NOW - 10_000)
        assert written.gap is not None
        assert written.gap.gap_id == log.gaps[0].gap_id


async def test_no_record_of_the_list_is_lost_after_a_take_over_that_was_interrupted() -> None:
    """
    It comes while the second take-over has read the list, and not yet the checkpoints.

        list read ── interrupted ── list read again, up to 1 ── record 1: TWO ── checkpoints read: ONE and TWO
    """
    log = Log()
    log.list(ONE)
    async with owning(log, static=()) as owner:
        log.held.add("orders")
        owner.replica.take_over([0])
        owner.sure()
        await shortly()
        await owner.replica.give_up()
        log.held.add("coverage")
        owner.replica.take_over([0])
        await shortly()
        owner.replica.listed([cast("Any", log.list(TWO))])
        log.held.clear()
        await shortly()
        assert owner.shard.known
        assert owner.shard.wallets == {ONE, TWO}
        assert (ONE in owner.coverage, TWO in owner.coverage) == (True, True)
