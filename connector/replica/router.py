"""Takes what sockets bring to the partition it belongs to, and on to Kafka. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.deadletters import suspects
from connector.errors import DeadLetterFlood
from connector.intake import Outgoing, Unsettled
from connector.meters import OrderMeter
from connector.metrics import UNREAD, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connector.commands import Bury, Deliver
    from connector.contract.gap import Cause
    from connector.contract.order import Order
    from connector.coverage import Coverage
    from connector.deadletters import DeadLimit
    from connector.intake import Intake
    from connector.publisher import Publisher
    from connector.race import Race
    from connector.replica.lease import Lease
    from connector.replica.shard import Shard

_MOST_WAITING = 10_000
"""Orders that wait for one partition; beyond, the socket waits."""
_POLL = 0.02
_LOSING = frozenset({"bad-json", "bad-frame", "too-large", "too-deep", "not-an-object"})
"""Dead letters that may have been orders."""

log = structlog.get_logger(__name__)


class Router:
    """
    Receives orders and unreadable frames.

    Args:
        shards: What we own, by partition.
        partition: Returns a key's partition.
        now_ms: The provider's clock.
        doubt: Told which wallets may lack orders, in which interval (unix ms), why, and of which transactions.
        race: Told of every delivery, where there are two sides.
        metrics: Told of duplicates, dead letters and delays.
    """

    def __init__(
        self,
        shards: Mapping[int, Shard],
        *,
        partition: Callable[[bytes], int],
        lease: Lease,
        coverage: Coverage,
        intake: Intake,
        publisher: Publisher,
        dead_limit: DeadLimit,
        now_ms: Callable[[], int],
        doubt: Callable[[Iterable[str], tuple[int, int], Cause, Iterable[str]], None],
        race: Race | None = None,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._shards = shards
        self._partition = partition
        self._lease = lease
        self._coverage = coverage
        self._intake = intake
        self._publisher = publisher
        self._dead_limit = dead_limit
        self._now_ms = now_ms
        self._doubt = doubt
        self._race = race
        orders = metrics.orders
        self._meter = OrderMeter(orders)
        self._duplicates = orders.duplicates.labels("ws")
        self._dead = orders.dead
        self._clock = asyncio.get_running_loop().time
        self._wake = asyncio.Event()

    async def order(self, delivery: Deliver) -> bool:
        """
        Take an order; return whether it was new.

        Raises:
            PublishFailed: Kafka did not take a record.
            DeadLetterFlood: too many dead letters.
        """
        order = self._intake.parse(delivery)
        if isinstance(order, Outgoing):
            await self._bury(order)
            self._doubt_frame(delivery.raw, ())
            return False
        if self._race is not None:
            self._race.seen(content_id(order), delivery.channel[0], delivery.provenance.received_ns)
        shard = self._shards.get(self._partition(wallet_key(order.user)))
        if shard is None or not shard.watches(order.user):
            self._intake.counts["unwatched"] += 1
            return False
        if not shard.waiting:
            new = await self._accept(shard, order, delivery)
            if new is not None:
                return new
        await self._wait(shard, order, delivery)
        return False

    async def dead(self, letter: Bury, wallets: Sequence[str]) -> None:
        """Take a frame that could not be read, maybe an order of one of these wallets. Raises like `order`."""
        await self._bury(self._intake.dead(letter))
        if letter.reason in _LOSING:
            self._doubt_frame(letter.raw, wallets)

    def accepting(self, wallet: str) -> Shard | None:
        """Return the wallet's shard if its orders may be decided on now."""
        shard = self._shards.get(self._partition(wallet_key(wallet)))
        return shard if shard is not None and self._may(shard) else None

    def wake(self) -> None:
        """Look whether orders that wait may go on."""
        self._wake.set()

    async def run(self) -> None:
        """Let orders that waited go on; never returns. Raises like `order`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            for shard in list(self._shards.values()):
                await self._flush(shard)

    async def _flush(self, shard: Shard) -> None:
        while shard.waiting and await self._accept(shard, *shard.waiting[0]) is not None:
            shard.waiting.popleft()

    async def _accept(self, shard: Shard, order: Order, delivery: Deliver) -> bool | None:
        """Decide and publish; None: not now."""
        await self._publisher.room()
        if not self._may(shard) or shard.memory is None:
            return None
        outcome = self._intake.decide(
            order,
            delivery,
            shard.memory,
            self._now_ms(),
            partition=shard.number,
            gap_id=self._coverage.gap_id(order.user),
            label=shard.label(order.user),
        )
        if outcome is None:
            self._duplicates.inc()
            return False
        if isinstance(outcome, Unsettled):
            at_ms = outcome.timestamp * 1000
            self._doubt([outcome.wallet], (at_ms, max(at_ms + 1000, self._now_ms())), outcome.cause, ())
            return False
        self._coverage.ordered(order.user, order.timestamp * 1000)
        with shard.deciding():
            await self._publisher.publish(outcome)
        self._meter.new(order, delivery.provenance)
        return True

    async def _wait(self, shard: Shard, order: Order, delivery: Deliver) -> None:
        while len(shard.waiting) >= _MOST_WAITING and self._shards.get(shard.number) is shard:  # noqa: ASYNC110 - rare
            await asyncio.sleep(_POLL)
        shard.waiting.append((order, delivery))
        self._wake.set()

    async def _bury(self, letter: Outgoing) -> None:
        log.warning("frame.dead", fault=letter.fault)
        self._dead.labels(letter.reason).inc()
        await self._publisher.publish(letter)
        if self._dead_limit.count(self._clock()):
            raise DeadLetterFlood(
                f"too many frames cannot be read, the last one: {letter.fault}; stopped before the whole feed becomes"
                " dead letters (DEAD_LIMIT). Was this version just deployed, or has the provider changed its format?"
            )

    def _doubt_frame(self, raw: bytes, wallets: Sequence[str]) -> None:
        named, transactions = suspects(raw, self._coverage)
        now_ms = self._now_ms()
        # A frame names its order's counterparty too: only of a wallet that stands alone is the transaction surely its.
        evidence = transactions if len(named) == 1 else ()
        self._doubt(named or wallets, (now_ms, now_ms), "bad-frame", evidence)

    def _may(self, shard: Shard) -> bool:
        return shard.accepting and self._lease.valid(self._clock())
