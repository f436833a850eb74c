"""Takes partitions over: what is watched, what is covered, what was published. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog
from aiokafka.errors import KafkaError

from connector.kafka.errors import KafkaShellError
from connector.metrics import UNREAD, Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connector.contract.gap import Cause
    from connector.coverage import Coverage
    from connector.dedupe import Memory
    from connector.replica.ledger import Ledger
    from connector.replica.shard import Shard
    from connector.replica.topics import Published, Topics
    from connector.replica.watchlist import Watchlist

T = TypeVar("T")

_TAIL_MS = 600_000
"""Orders come late by minutes at most; so much of the topic is remembered in any case."""
_MARGIN_MS = 60_000
_RETRY = 0.5
_TIMEOUT = 60.0

log = structlog.get_logger(__name__)


class Restorer:
    """
    Restores shards from the topics; the topic of orders is the memory of what was published.

    Args:
        memory: Makes a memory that knows everything published from a time on, in unix ms.
        owner: Our name in checkpoints.
        restored: Called when a shard knows everything.
        disowned: Called when somebody else had a shard meanwhile: what we knew of it is worth nothing.
        metrics: Told of orders that others published.
    """

    def __init__(
        self,
        topics: Topics,
        *,
        owner: str,
        coverage: Coverage,
        ledger: Ledger,
        watchlist: Watchlist,
        memory: Callable[[int], Memory],
        now_ms: Callable[[], int],
        listed: Callable[[], None],
        restored: Callable[[Shard], None],
        disowned: Callable[[Shard], None],
        metrics: Metrics = UNREAD,
    ) -> None:
        self._topics = topics
        self._owner = owner
        self._coverage = coverage
        self._ledger = ledger
        self._watchlist = watchlist
        self._memory = memory
        self._now_ms = now_ms
        self._listed = listed
        self._restored = restored
        self._disowned = disowned
        self._foreign = metrics.orders.foreign

    async def restore(self, shard: Shard, cause: Cause) -> None:
        """Take a partition over that another replica, or nobody, had."""
        await self._insist("watch-list", shard, lambda: self._read_list(shard, cause))
        self._listed()
        await self._insist("orders", shard, lambda: self._read_orders(shard))
        self._ready(shard)

    async def resume(self, shard: Shard) -> None:
        """Go on with a partition that was ours before the group shared out anew, and is again."""
        if await self._insist("owners", shard, lambda: self._owned_by_others(shard)):
            self._disowned(shard)
            await self.restore(shard, "handover")
            return
        await self._insist("resumption", shard, lambda: self._catch_up(shard, None, count=False))
        self._ready(shard)

    async def absorb(self, shard: Shard) -> None:
        """Read what somebody else published to a partition that is ours."""
        await self._insist(
            "catch-up", shard, lambda: self._catch_up(shard, max(shard.ahead, default=shard.end), count=True)
        )

    def _ready(self, shard: Shard) -> None:
        shard.known = shard.accepting = True
        self._restored(shard)

    async def _read_list(self, shard: Shard, cause: Cause) -> None:
        records, end = await self._topics.watchlist(shard.number)
        checkpoints = await self._topics.coverage(shard.number)
        self._watchlist.restored(shard, records.values(), end, checkpoints, cause)

    async def _read_orders(self, shard: Shard) -> None:
        now_ms = self._now_ms()
        needed = [self._coverage.checkpoint(wallet, now_ms).covered_until_ms for wallet in shard.wallets]
        since_ms = max(min([now_ms - _TAIL_MS, *needed]) - _MARGIN_MS, 0)
        memory = self._memory(since_ms)
        shard.reach(await self._topics.orders(shard.number, lambda found: _absorb(memory, found), since_ms=since_ms))
        shard.memory = memory
        log.debug("partition.restored", partition=shard.number, wallets=len(shard.wallets), orders=len(memory))

    async def _catch_up(self, shard: Shard, end: int | None, *, count: bool) -> None:
        memory = shard.memory
        if memory is None:
            return
        doubled = foreign = 0

        def take(found: Published) -> None:
            nonlocal doubled, foreign
            if found.offset in shard.ahead or found.offset < shard.end:
                return
            foreign += 1
            shard.foreign.add(found.event_id)  # we may have decided on it, too, and not have sent it yet
            if not _absorb(memory, found) and count:  # else it may be one of ours, not acknowledged yet
                doubled += 1
                log.warning("order.doubled", partition=shard.number, offset=found.offset, event_id=found.event_id)

        reached = await self._topics.orders(shard.number, take, begin=shard.end, end=end)
        shard.reach(reached)
        if foreign:
            self._foreign.inc(foreign)
            log.warning("orders.foreign", partition=shard.number, orders=foreign, doubled=doubled)

    async def _owned_by_others(self, shard: Shard) -> bool:
        """Return whether another replica had it in between: its checkpoints tell."""
        checkpoints = await self._topics.coverage(shard.number)
        return any(checkpoint.owner != self._owner for checkpoint in checkpoints.values())

    async def _insist(self, what: str, shard: Shard, work: Callable[[], Awaitable[T]]) -> T:
        patience = _TIMEOUT
        while True:
            try:
                async with asyncio.timeout(patience):
                    return await work()
            except (KafkaError, KafkaShellError, TimeoutError) as error:
                log.warning(
                    "takeover.retried", step=what, partition=shard.number, error=f"{type(error).__name__}: {error}"
                )
                await asyncio.sleep(_RETRY)
                patience *= 2  # it may be long instead of stuck


def _absorb(memory: Memory, found: Published) -> bool:
    return memory.absorb(found.event_id, found.log_index, found.at_ms)
