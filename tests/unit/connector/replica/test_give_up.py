"""A hand-over: what is written before the partition goes, in which order, and what is kept when it takes too long."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from connector.contract.topics import COVERAGE, GAPS, ORDERS
from tests.support.orders import WALLET
from tests.support.owner import HANDOVER_S, SECOND, Log, owning, shortly

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("stuck", ["decision", "order", "checkpoint"])
async def test_a_hand_over_that_takes_too_long_loses_no_report(stuck: str) -> None:
    """
    Whatever it waits for: the report that it was to write is written when the partition is ours again.

        gap opened ── hand-over begins, stuck ── given up after 3 s ── taken over again: opened is written
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        with ExitStack() as deciding:
            log.acknowledging = False
            if stuck == "decision":
                deciding.enter_context(owner.shard.deciding())
            elif stuck == "order":
                await owner.order(1)
            began = owner.now()
            with capture_logs() as logs:
                await owner.replica.give_up()
            assert owner.now() - began == pytest.approx(HANDOVER_S)
            assert [line["event"] for line in logs] == ["handover.unfinished"]
            assert log.gaps == []
        owner.lease.end()
        log.acknowledging = True
        log.acknowledge()
        await owner.take_over()
        await owner.write()
        assert [(report.wallet, report.state) for report in log.gaps] == [(WALLET, "opened")]
        gap = log.checkpoints[WALLET].gap
        assert gap is not None
        assert gap.gap_id == log.gaps[0].gap_id


async def test_a_hand_over_writes_each_thing_after_what_it_rests_on_is_acknowledged() -> None:
    """
    The next owner goes on with the checkpoint, so it must be in the topic before the partition goes.

        sent   order ──────── checkpoint ──────── opened ────────  handed over
        acked          order              checkpoint      opened
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        log.acknowledging = False
        await owner.order(1)
        giving_up = asyncio.create_task(owner.replica.give_up())
        for sent in ([ORDERS.name], [ORDERS.name, COVERAGE.name], [ORDERS.name, COVERAGE.name, GAPS.name]):
            await shortly()
            assert log.sent == sent
            assert not giving_up.done()
            log.acknowledge()
        await shortly()
        assert giving_up.done()
        assert log.checkpoints[WALLET].last_order_ms == SECOND * 1000


async def test_a_hand_over_waits_for_an_order_that_is_being_decided_on() -> None:
    """
    The memory has it, and the publisher has not: no checkpoint is sent before it is published and acknowledged.

        decided ── hand-over begins ── sent ── acknowledged ── checkpoint
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        log.acknowledging = False
        with owner.shard.deciding():
            decided = owner.decide(1)
            assert decided is not None
            giving_up = asyncio.create_task(owner.replica.give_up())
            await shortly()
            assert log.sent == []
            assert not owner.shard.accepting
            await owner.publisher.publish(decided)
        await shortly()
        assert log.sent == [ORDERS.name], "nothing is claimed of an order that is not acknowledged"
        log.acknowledging = True
        log.acknowledge()
        await giving_up
        assert log.sent == [ORDERS.name, COVERAGE.name, GAPS.name]


async def test_a_hand_over_that_we_are_not_sure_of_claims_nothing() -> None:
    """The lease ran out while it waited: somebody else may own the partition, and have gone further."""
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        log.acknowledging = False
        await owner.order(1)
        giving_up = asyncio.create_task(owner.replica.give_up())
        await shortly()
        owner.lease.end()
        log.acknowledging = True
        log.acknowledge()
        await giving_up
        assert log.sent == [ORDERS.name]
