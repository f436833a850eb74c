"""Membership in the group that shares out the watch-list's partitions. Shell."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    UnknownMemberIdError,
)

from connector.kafka.errors import ClusterUnreachable, InstanceTaken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from aiokafka import ConsumerRecord

    from connector.replica.lease import Lease

_POLL_MS = 200
_RETRY = 0.5
_STOP_TIMEOUT = 3.0
_TAKEN = "another process has joined the group as {}: give each replica a GROUP_INSTANCE_ID of its own"
_RECENT = 5
"""Renewals since the last proof, until the group may have forgotten us because it did not hear of us."""

log = structlog.get_logger(__name__)


class Owner(Protocol):
    """Who is told what the group gives and takes."""

    async def give_up(self) -> None:
        """Stop publishing and write checkpoints: the group is about to share out anew."""

    def take_over(self, partitions: Collection[int]) -> None:
        """Own exactly these partitions from now on."""

    def listed(self, records: Iterable[ConsumerRecord]) -> None:
        """Take note of records of the watch-list."""

    def renewed(self) -> None:
        """Take note that the lease is valid."""

    def positions(self) -> Mapping[int, int]:
        """Return the offset in the watch-list up to which each owned partition is known, where it is."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is not typed
    """
    A consumer of the watch-list that proves its ownership every `renew_interval` seconds.

    The proof is a commit of the positions in the watch-list: the coordinator accepts it of members only, and lag
    monitors see the truth.

    Args:
        instance: Name of a static member: its partitions wait for it while it restarts, for the session at most.
    """

    def __init__(
        self,
        owner: Owner,
        lease: Lease,
        *,
        bootstrap: str,
        topic: str,
        group: str,
        name: str,
        session_timeout: float,
        rebalance_timeout: float,
        instance: str | None = None,
        security: Mapping[str, Any],
    ) -> None:
        self._owner = owner
        self._lease = lease
        self._bootstrap = bootstrap
        self._topic = topic
        self._instance = instance
        self._renew_interval = session_timeout / 10
        self._clock = asyncio.get_running_loop().time
        self.read_at = self.proven_at = self._clock()
        """When the watch-list was asked for at last, and when there was proof of ownership, or nothing to prove."""
        self._assigned = asyncio.Event()
        self._known = asyncio.Event()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=name,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # what was read at the take-over is recognised by its offset
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=int(session_timeout * 1000),
            heartbeat_interval_ms=int(session_timeout * 100),
            rebalance_timeout_ms=int(rebalance_timeout * 1000),
            group_instance_id=instance,
            **security,
        )

    @property
    def joined(self) -> bool:
        """Whether the group has told what is ours."""
        return self._assigned.is_set()

    async def run(self) -> None:
        """
        Be a member until cancelled.

        Raises:
            ClusterUnreachable: no broker answers at the start.
            InstanceTaken: another process has our name as a static member.
        """
        self._consumer.subscribe([self._topic], listener=self)
        try:
            await self._consumer.start()
        except KafkaConnectionError as error:
            raise ClusterUnreachable(f"no Kafka answers at {self._bootstrap}: check the address (KAFKA)") from error
        except KafkaError as error:
            self._suspect_fenced(error)
            raise
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew())
            await self._read()

    async def leave(self) -> None:
        """Leave the group, so that others take over at once; a static member goes without a word, to come back."""
        self._lease.end()
        # In a task of its own: with the broker away the consumer ends by cancelling whoever waits for it.
        leaving = asyncio.create_task(self._consumer.stop())
        await asyncio.wait({leaving}, timeout=_STOP_TIMEOUT)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Called by the consumer before it joins again: everything may go."""
        self._assigned.clear()
        if revoked:
            log.info("group.revoked", partitions=sorted(tp.partition for tp in revoked))
            await self._owner.give_up()
        self._lease.end()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called by the consumer when it has joined."""
        partitions = sorted(tp.partition for tp in assigned)
        log.info("group.assigned", partitions=partitions)
        self._owner.take_over(partitions)
        for partition, offset in self._owner.positions().items():
            # Not from the group's offset: another member may have had it meanwhile, and read on.
            self._consumer.seek(TopicPartition(self._topic, partition), offset)
        self._assigned.set()

    async def _read(self) -> None:
        while True:
            self.read_at = self._clock()
            try:
                batches = await self._consumer.getmany(timeout_ms=_POLL_MS)
            except KafkaError as error:
                self._suspect_fenced(error)
                log.warning("watchlist.unread", error=type(error).__name__)
                await asyncio.sleep(_RETRY)
                continue
            self._owner.listed(chain.from_iterable(batches.values()))

    async def _renew(self) -> None:
        while True:
            await self._assigned.wait()
            self._known.clear()
            asked_at = self._clock()
            try:
                proven = await self._commit()
            except CommitFailedError as error:
                self._lease.end()  # we are no member of the present generation; the consumer joins again
                self._suspect_namesake(error, asked_at)
            except (KafkaError, IllegalStateError) as error:
                log.debug("lease.unproven", error=type(error).__name__)
            else:
                self.proven_at = self._clock()
                if proven and self._assigned.is_set():
                    self._lease.renew(asked_at)
                    self._owner.renewed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._renew_interval):
                    await self._known.wait()

    def _suspect_namesake(self, error: CommitFailedError, now: float) -> None:
        """Stop where somebody else took our place under our name: two would take it from each other for ever."""
        unknown = isinstance(error.__cause__, UnknownMemberIdError)
        if self._instance is not None and unknown and now - self.proven_at < self._renew_interval * _RECENT:
            raise InstanceTaken(_TAKEN.format(self._instance)) from error

    def _suspect_fenced(self, error: KafkaError) -> None:
        """The same, told by an error of Kafka that the library has no name for: FENCED_INSTANCE_ID."""
        if self._instance is not None and type(error) is KafkaError:
            raise InstanceTaken(_TAKEN.format(self._instance)) from error

    def position_known(self) -> None:
        """Prove ownership at once: there is a first position to commit."""
        self._known.set()

    async def _commit(self) -> bool:
        """Commit what there is; with nothing to commit nothing is proven."""
        positions = self._owner.positions()
        offsets = {TopicPartition(self._topic, partition): offset for partition, offset in positions.items()}
        if offsets:
            await self._consumer.commit(offsets)
        return bool(offsets)
