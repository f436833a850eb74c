"""A page of REST that is being published when the partition goes to somebody else, and comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from connector.contract.coverage import CoverageRecord
from connector.paging import Page
from connector.replica.repairer import Repairer
from tests.support.orders import WALLET
from tests.support.owner import NOW, Log, Owner, order_row, owning, shortly

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from connector.replica.shard import Shard

pytestmark = pytest.mark.looptime
ROWS = 100


class Rest:
    """Shows one page."""

    async def sweep(self, _wallet: str, _start_ms: int, _end_ms: int) -> AsyncGenerator[Page]:
        """Newest first."""
        yield Page(tuple(order_row(number) for number in reversed(range(ROWS))), 0)


class Owned:
    """The partition, while its orders may be decided on."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def accepting(self, _wallet: str) -> Shard | None:
        """See `Router`."""
        shard = self._owner.replica.shards.get(0)
        return shard if shard is not None and shard.accepting and self._owner.replica.may_write() else None


def repairer(owner: Owner) -> Repairer:
    """Return a repairer that makes one pass at a time."""
    return Repairer(
        Owned(owner),
        coverage=owner.coverage,
        ledger=owner.ledger,
        rest=cast("Any", Rest()),
        intake=owner.intake,
        publisher=owner.publisher,
        topics=cast("Any", None),
        provider="dome",
        concurrency=1,
        now_ms=owner.replica.now_ms,
    )


@pytest.mark.parametrize("lost", [False, True])
async def test_the_rest_of_a_page_is_not_published_when_somebody_else_had_the_partition(*, lost: bool) -> None:
    """
    We were frozen while a page was being published; "b" published all of it. Ours again, whether we noticed the loss.

        32 sent ── lease over ── 32 queued ── b: 36 others ── taken over again: queued ones withdrawn ── nothing more
    """
    log = Log()
    async with owning(log) as owner:
        await owner.take_over()
        log.acknowledging = False
        repairing = asyncio.create_task(repairer(owner).run())
        await shortly()
        assert len(log.sent) == 32
        owner.lease.end()
        log.acknowledging = True
        log.acknowledge()
        await shortly()
        assert owner.publisher.unacknowledged == 32
        for number in range(32, ROWS):
            log.foreign(number)
        log.checkpoints[WALLET] = CoverageRecord(
            wallet=WALLET, standing="live", owner="b", covered_until_ms=NOW, verified_until_ms=NOW, at_ms=NOW
        )
        if lost:
            owner.replica.take_over([])
        await owner.take_over()
        await shortly()
        assert log.numbers == list(range(ROWS))
        assert owner.publisher.unacknowledged == 0
        assert not repairing.done()
        repairing.cancel()
        await asyncio.gather(repairing, return_exceptions=True)
