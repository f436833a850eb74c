"""A replica: what the group gives and takes, what the sockets say of themselves, and what follows. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from connector.contract.keys import wallet_key
from connector.metrics import UNREAD, Metrics
from connector.replica.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import Cause
    from connector.coverage import Coverage
    from connector.dedupe import Channel
    from connector.provider_clock import ProviderClock
    from connector.publisher import Publisher
    from connector.replica.lease import Lease
    from connector.replica.ledger import Ledger
    from connector.replica.repairer import Repairer
    from connector.replica.restorer import Restorer
    from connector.replica.router import Router
    from connector.replica.watchlist import Watchlist

log = structlog.get_logger(__name__)


class Watching(Protocol):
    """What the sockets are told and asked."""

    @property
    def names(self) -> Sequence[str]:
        """Of the sockets."""

    def concerned(self, channel: Channel) -> Sequence[str]:
        """Return the wallets that a socket delivers, where the channel names no subscription that it knows."""

    def watch(self, wallets: Iterable[str]) -> list[str]:
        """Watch exactly these wallets; return those for which there is no room."""


class Replica:
    """
    Owner of partitions, and observer of the sockets that deliver their wallets.

    Whoever makes it sets the attributes below before anything runs.
    """

    sockets: Watching
    router: Router
    repairer: Repairer
    restorer: Restorer
    ledger: Ledger
    watchlist: Watchlist
    publisher: Publisher
    position_known: Callable[[], None]

    def __init__(
        self,
        *,
        coverage: Coverage,
        lease: Lease,
        clock: ProviderClock,
        static: Iterable[str],
        partition: Callable[[bytes], int],
        handover_timeout: float,
        metrics: Metrics = UNREAD,
    ) -> None:
        self.shards: dict[int, Shard] = {}
        self._coverage = coverage
        self._lease = lease
        self._provider_clock = clock
        self._partition = partition
        self._static: dict[int, set[str]] = {}
        for wallet in static:
            self._static.setdefault(partition(wallet_key(wallet)), set()).add(wallet)
        self._handover_timeout = handover_timeout
        self._handovers = metrics.group.handovers
        self._clock = asyncio.get_running_loop().time
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._restoring: dict[int, asyncio.Task[None]] = {}
        self._absorbing: set[int] = set()
        self._without_room: frozenset[str] = frozenset()
        self._cause: Cause = "start"
        self._ended = False

    def now_ms(self) -> int:
        """Return the time by the provider's clock."""
        return self._provider_clock.ms(self._clock())

    @property
    def waiting(self) -> int:
        """How many orders that sockets brought wait for us to be sure of their partitions."""
        return sum(len(shard.waiting) for shard in self.shards.values())

    def may_write(self) -> bool:
        """Return whether we are sure to own what we own."""
        return self._lease.valid(self._clock())

    def checkpoint(self, wallet: str) -> CoverageRecord | None:
        """Return a wallet's checkpoint; None: it is not watched, or orders that sockets brought still wait."""
        shard = self.shards.get(self._partition(wallet_key(wallet)))
        if shard is None or not shard.known or shard.waiting or wallet not in self._coverage:
            return None
        return self._coverage.checkpoint(wallet, self.now_ms())

    async def run(self) -> None:
        """Fail when something in the background fails; never returns."""
        await self._failed

    async def end(self) -> None:
        """Write the last checkpoints, after everything was acknowledged."""
        self._coverage.rest()
        if self.may_write():
            await self.ledger.write(self.ledger.page(self.watched()))

    def stop(self) -> None:
        """Take what sockets say from now on for the end we wanted, not for a gap."""
        self._ended = True

    # The group's owner

    async def give_up(self) -> None:
        """Stop deciding, hand everything over to Kafka, and write checkpoints."""
        for task in self._restoring.values():
            task.cancel()
        for shard in self.shards.values():
            shard.accepting = False
        # As of now: orders that come from now on wait, and nothing of them may be claimed.
        page = self.ledger.page(self.watched()) if self.may_write() else None
        try:
            async with asyncio.timeout(self._handover_timeout):
                if page is not None:
                    await self.ledger.write(page, after=self._decided)
        except TimeoutError:
            log.warning("handover.unfinished", seconds=self._handover_timeout)

    def take_over(self, partitions: Collection[int]) -> None:
        """Own exactly these partitions; who stops takes no new ones."""
        mine = set(partitions) & set(self.shards) if self._ended else set(partitions)
        if self._cause != "start":
            self._handovers.inc(len(mine ^ set(self.shards)))
        for number in set(self.shards) - mine:
            self._lose(number)
        for number in sorted(mine):
            shard = self.shards.setdefault(number, Shard(number, frozenset(self._static.get(number, ()))))
            shard.known = False
            again = shard.memory is not None
            if not again:
                shard.list_end = None  # the list is read anew; what comes of it meanwhile is kept until then
                self._forget(shard)  # what a take-over that was interrupted had begun
            self._restoring[number] = self._spawn(
                self.restorer.resume(shard) if again else self.restorer.restore(shard, self._cause)
            )
        self._cause = "handover"
        self.rewatch()

    def listed(self, records: Iterable[ConsumerRecord]) -> None:
        """Take records of the watch-list."""
        changed = False
        for record in records:
            shard = self.shards.get(record.partition)
            changed |= shard is not None and self.watchlist.listed(shard, record)
        if changed:
            self.rewatch()

    def positions(self) -> Mapping[int, int]:
        """Return the offset up to which the watch-list is known, by partition."""
        return {number: shard.list_end for number, shard in self.shards.items() if shard.list_end is not None}

    def renewed(self) -> None:
        """Go on with what waited for the lease."""
        self.router.wake()

    def restored(self, _shard: Shard) -> None:
        """Go on with what waited for a partition."""
        if all(shard.known for shard in self.shards.values()):
            log.info("partitions.restored", partitions=len(self.shards), wallets=len(self.watched()))
        self.position_known()
        self.router.wake()
        self.repairer.wake()

    def rewatch(self) -> None:
        """Have the sockets watch what is to be watched now."""
        self.position_known()
        left_out = self.sockets.watch(sorted(self.watched()))
        if new := frozenset(left_out) - self._without_room:
            log.error("wallets.no_room", wallets=sorted(new), remedy="a larger tier, more keys or more replicas")
        self._without_room = frozenset(left_out)
        for socket in self.sockets.names:
            # Those that a socket delivered before we knew them.
            self._coverage.live(socket, "", self.sockets.concerned((socket, 0, "")), self.now_ms())
        self._coverage.refused(left_out, "no-room")
        self.ledger.touch(left_out)
        self.repairer.wake()

    def doubt(
        self, wallets: Iterable[str], interval: tuple[int, int], cause: Cause, evidence: Iterable[str] = ()
    ) -> None:
        """Have these wallets repaired: orders of an interval (unix ms) may be missing, those of `evidence` surely."""
        self.ledger.report(self._coverage.doubt(wallets, interval, cause, self.now_ms(), evidence))
        self.repairer.wake()

    def foreign(self, shard: Shard) -> None:
        """Learn what somebody else published to a partition of ours."""
        if shard.number not in self._absorbing:
            self._absorbing.add(shard.number)
            task = self._spawn(self.restorer.absorb(shard))
            task.add_done_callback(lambda _: self._absorbing.discard(shard.number))

    # The sockets' observer

    def live(self, socket: str, wallets: Sequence[str], subscription_id: str) -> None:
        """Take note that a socket delivers these wallets."""
        self._coverage.live(socket, subscription_id, wallets, self.now_ms())
        self._news(wallets)

    def lost(self, socket: str, wallets: Sequence[str], proven_at: float, cause: Cause) -> None:
        """Take note that a socket does not, nor for sure since `proven_at`."""
        if not self._ended:
            proven_ms = self._provider_clock.ms(proven_at)
            self.ledger.report(self._coverage.lost(socket, wallets, proven_ms, cause, self.now_ms()))
            self._news(wallets)

    def stalled(self, socket: str, wallets: Sequence[str], since: float) -> None:
        """Take note that we did not read for long: a provider may drop what nobody takes."""
        interval = (self._provider_clock.ms(since), self.now_ms())
        log.warning("feed.stalled", socket=socket, seconds=round(self._clock() - since, 1))
        self.doubt(wallets, interval, "stall")
        self._news(wallets)

    def proven(self, socket: str, at: float) -> None:
        """Take note that everything sent up to then was taken."""
        self._coverage.proven(socket, self._provider_clock.ms(at))

    def refused(self, _socket: str, wallets: Sequence[str], _code: str, _message: str) -> None:
        """Take note that the provider refuses these wallets."""
        self._coverage.refused(wallets, "refused")
        self.ledger.touch(wallets)

    def provider_date(self, date: str, at: float, sent_at: float | None = None) -> None:
        """Set the provider's clock, which may turn out to have been ahead."""
        before_ms = self._provider_clock.ms(at)
        self._provider_clock.observe(date, at, sent_at)
        ahead_ms = before_ms - self._provider_clock.ms(at)
        if ahead_ms > 0:
            log.warning("clock.corrected", seconds=-ahead_ms / 1000)
            self._coverage.turned_back(ahead_ms)
            self.repairer.wake()

    def _news(self, wallets: Iterable[str]) -> None:
        self.ledger.touch(wallet for wallet in wallets if wallet in self._coverage)
        self.repairer.wake()

    async def _decided(self) -> None:
        for shard in list(self.shards.values()):
            await shard.decided()

    def watched(self) -> list[str]:
        """Return the wallets of our partitions."""
        return [wallet for shard in self.shards.values() for wallet in shard.wallets]

    def disowned(self, shard: Shard) -> None:
        """Forget a shard: somebody else had it, and may have gone on with what we left."""
        shard.memory = shard.list_end = None
        self._forget(shard)
        if withdrawn := self.publisher.withdraw({shard.number}):
            log.warning("orders.withdrawn", partition=shard.number, orders=withdrawn)

    def _forget(self, shard: Shard) -> None:
        self._coverage.release(shard.wallets)
        self.ledger.forget(shard.wallets)

    def _lose(self, number: int) -> None:
        self.disowned(self.shards.pop(number))
        self.watchlist.forget(number)
        if task := self._restoring.pop(number, None):
            task.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)
