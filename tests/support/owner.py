"""A replica that owns partition 0, with its topics in memory: what it decides and writes, without sockets and REST."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from connector.commands import Deliver
from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.gap import GapRecord, decode_gap
from connector.contract.identity import content_id
from connector.contract.order import Order, parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import OrderRecord, decode_order, encode, order_record
from connector.contract.topics import GAPS, ORDERS
from connector.contract.watch import WatchRecord
from connector.coverage import Coverage, Policy
from connector.dedupe import Memory
from connector.intake import Intake, Outgoing
from connector.provider_clock import ProviderClock
from connector.publisher import Publisher
from connector.replica.lease import Lease
from connector.replica.ledger import Ledger
from connector.replica.permits import Permits
from connector.replica.replica import Replica
from connector.replica.restorer import Restorer
from connector.replica.topics import Published
from connector.replica.watchlist import Watchlist
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from connector.replica.shard import Shard

SECOND = order_data()["timestamp"]
NOW = SECOND * 1000 + 900
POLICY = Policy(overlap_ms=0, settle_ms=1_000, poll_ms=4_000, verify_ms=0, give_up_ms=10**9)
HANDOVER_S = 3.0
_WS = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")


class Place(NamedTuple):
    """Where a record went."""

    partition: int
    offset: int


class Listing(NamedTuple):
    """A record of the watch-list."""

    offset: int
    key: bytes
    value: bytes | None
    partition: int = 0
    timestamp: int = NOW - 60_000


class Log:
    """Partition 0 of each topic: takes records like a producer, gives them like `Topics`."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        """Topics of what was handed over, in order."""
        self.orders: list[OrderRecord] = []
        self.gaps: list[GapRecord] = []
        self.checkpoints: dict[str, CoverageRecord] = {}
        self.listed: dict[bytes, Listing] = {}
        self.list_end = 0
        self.acknowledging = True
        self.held: set[str] = set()
        """Topics whose readers wait, with what was there when they began."""
        self._open: deque[tuple[str, bytes, bytes | None, asyncio.Future[Place]]] = deque()

    @property
    def numbers(self) -> list[int]:
        """The orders by number, as in `order`."""
        return [int(record.tx_hash, 16) for record in self.orders]

    async def send(self, topic: str, value: bytes | None, key: bytes, **_: Any) -> asyncio.Future[Place]:
        """Take a record; it is in the log when it is acknowledged."""
        delivery: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self.sent.append(topic)
        self._open.append((topic, key, value, delivery))
        if self.acknowledging:
            self.acknowledge()
        return delivery

    def acknowledge(self) -> None:
        """Acknowledge what was taken so far."""
        while self._open:
            topic, key, value, delivery = self._open.popleft()
            if topic == ORDERS.name:
                self.orders.append(decode_order(value or b""))
            elif topic == GAPS.name:
                self.gaps.append(decode_gap(value or b""))
            elif value is None:
                self.checkpoints.pop(key.decode(), None)
            else:
                self.checkpoints[key.decode()] = decode_coverage(value)
            delivery.set_result(Place(0, len(self.orders) - 1))

    def foreign(self, number: int) -> None:
        """Let somebody else publish an order."""
        self.orders.append(order_record(order(number), content_id(order(number)), 0))

    def list(self, wallet: str, *, remove: bool = False) -> Listing:
        """Add a wallet to the watch-list, or remove it; return the record."""
        value = None if remove else encode(WatchRecord(wallet=wallet))
        record = self.listed[wallet.encode()] = Listing(self.list_end, wallet.encode(), value)
        self.list_end += 1
        return record

    async def watchlist(self, _partition: int) -> tuple[dict[bytes, Listing], int]:
        """See `Topics`."""
        listed, end = dict(self.listed), self.list_end
        await self._until_read("watch-list")
        return listed, end

    async def coverage(self, _partition: int) -> dict[str, CoverageRecord]:
        """See `Topics`."""
        checkpoints = dict(self.checkpoints)
        await self._until_read("coverage")
        return checkpoints

    async def published(
        self,
        _partition: int,
        take: Callable[[Published], object],
        *,
        since_ms: int | None = None,
        begin: int | None = None,
        end: int | None = None,
    ) -> int:
        """See `Topics.orders`."""
        assert since_ms is None or since_ms < NOW
        last = len(self.orders) if end is None else end
        await self._until_read("orders")
        for offset in range(begin or 0, last):
            record = self.orders[offset]
            take(Published(offset, NOW, record.user, record.event_id, record.log_index))
        return last

    async def _until_read(self, topic: str) -> None:
        await asyncio.sleep(0.01)
        while topic in self.held:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.01)


class _Readers:
    """`Topics` on a log."""

    def __init__(self, log: Log) -> None:
        self.watchlist, self.coverage, self.orders = log.watchlist, log.coverage, log.published


class _Sockets:
    """Deliver nothing, and have room for all."""

    names: Sequence[str] = ()

    def watch(self, _wallets: Iterable[str]) -> list[str]:
        """Leave nobody out."""
        return []

    def wake(self) -> None:
        """Also as what works by itself: here it does not."""


class Owner:
    """A replica named "a", whose lease is the test's to renew; `NOW` is when it was made."""

    def __init__(self, log: Log, *, static: Iterable[str] = (WALLET,)) -> None:
        self.now = asyncio.get_running_loop().time
        self.log = log
        self.coverage = Coverage(POLICY, owner="a")
        self.lease = Lease(10.0, 30.0)
        self.replica = replica = Replica(
            coverage=self.coverage,
            lease=self.lease,
            clock=ProviderClock(self.now(), NOW),
            static=static,
            partition=lambda _key: 0,
            handover_timeout=HANDOVER_S,
        )
        permits = Permits(replica.shards, self.lease, replica.foreign)
        self.publisher = Publisher(cast("Any", log), topic_prefix="", limit=1_000, ownership=permits)
        self.ledger = Ledger(self.publisher, checkpoint=replica.checkpoint, may_write=replica.may_write, interval=1_000)
        replica.publisher, replica.ledger, replica.position_known = self.publisher, self.ledger, lambda: None
        replica.watchlist = Watchlist(self.coverage, self.ledger, replica.now_ms, replica.doubt)
        replica.restorer = Restorer(
            cast("Any", _Readers(log)),
            owner="a",
            coverage=self.coverage,
            ledger=self.ledger,
            watchlist=replica.watchlist,
            memory=lambda floor_ms: Memory(100, floor_ms),
            now_ms=replica.now_ms,
            listed=replica.rewatch,
            restored=replica.restored,
            disowned=replica.disowned,
        )
        replica.sockets = replica.router = replica.repairer = cast("Any", _Sockets())
        self.intake = Intake()

    @property
    def shard(self) -> Shard:
        """The partition."""
        return self.replica.shards[0]

    def sure(self) -> None:
        """Renew the lease: for 8 s."""
        self.lease.renew(self.now())

    async def take_over(self) -> None:
        """Own the partition, and know it."""
        self.replica.take_over([0])
        self.sure()
        async with asyncio.timeout(1):
            while not self.shard.known:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)

    def decide(self, number: int) -> Outgoing | None:
        """Let a socket bring an order; return what is to be published."""
        assert self.shard.memory is not None
        data = order_row(number)
        delivery = Deliver(b"", data, ("primary-0", 1, "sub_1"), _WS)
        decided = self.intake.decide(order(number), delivery, self.shard.memory, self.replica.now_ms(), partition=0)
        assert decided is None or isinstance(decided, Outgoing)
        if decided is not None:
            self.coverage.ordered(WALLET, SECOND * 1000)
        return decided

    async def order(self, number: int) -> bool:
        """Let a socket bring an order, and publish it; return whether it was new."""
        decided = self.decide(number)
        if decided is not None:
            with self.shard.deciding():
                await self.publisher.publish(decided)
        return decided is not None

    async def write(self) -> None:
        """Write what there is to write of coverage and gaps."""
        await self.ledger.write(self.ledger.page())


@asynccontextmanager
async def owning(log: Log, **changes: Any) -> AsyncIterator[Owner]:
    """Run an owner of nothing yet."""
    owner = Owner(log, **changes)
    running = [asyncio.create_task(owner.publisher.run()), asyncio.create_task(owner.replica.run())]
    try:
        yield owner
        assert not any(task.done() for task in running), "something failed in the background"
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def order(number: int) -> Order:
    """Return an order; equal numbers are equal orders."""
    return parse_order(order_row(number))


def order_row(number: int) -> dict[str, Any]:
    """Return it as the provider sends it."""
    return order_data(tx_hash=f"0x{number:064x}", log_index=number)


async def shortly() -> None:
    """Let everything get on that does not wait for something, and look again what polls."""
    await asyncio.sleep(0.1)
