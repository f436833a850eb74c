"""
Consumer and transport: fetching, claims and mailboxes under Faust's own group membership.

What is left of Faust's consumer: the service life cycle, group assignment, rebalance signals and the
conductor that hands messages to agents. What is replaced, and why:

- The consumer thread: it costs a hop of 0.7 ms at the median and 2-4 ms at the 99th percentile.
- Per-record delivery, acks, gaps, offset commits and `perform_seek`: they lose records across restarts
  and rebalances, and cost tens of microseconds a record. Here nothing is fetched from a partition until
  somebody *claims* it at an offset, and nobody else moves that offset.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import aiokafka
import structlog
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as stock
from faust.types import TP, ConsumerMessage
from mode import Service

from streams.transport.in_loop import InLoopConsumerThread
from streams.transport.mailbox import Mailbox
from streams.transport.static import Guard, InstanceFenced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

MAILBOX_LIMIT = 20_000
"""Records waiting in a mailbox at which fetching of its partition pauses; a fetch is taken whole."""

FETCH_TIMEOUT_MS = 200
"""Longest wait for records; bounds how long a new claim waits for a running fetch."""

HINT_TIMEOUT_S = 5.0
"""Longest wait for a commit: aiokafka tries for as long as the group has no coordinator."""

log = structlog.get_logger(__name__)


class Consumer(stock.Consumer):
    """Fetches claimed partitions and delivers each one's records as mailboxes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._mailboxes: dict[TopicPartition, Mailbox] = {}
        self._claimed = asyncio.Event()

    def _new_consumer_thread(self) -> stock.AIOKafkaConsumerThread:
        return WorkerConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def client(self) -> aiokafka.AIOKafkaConsumer:
        """The aiokafka consumer; raises Faust's ConsumerNotStarted before it runs."""
        return self._thread._ensure_consumer()  # noqa: SLF001  # the transport is where internals are known

    # -- claims ---------------------------------------------------------------------------------

    def claim(self, tp: TopicPartition, offset: int) -> Mailbox:
        """Start fetching an assigned partition at `offset` into the mailbox returned."""
        mailbox = self._mailboxes[tp] = Mailbox(tp)
        self._claimed.set()
        self.client.seek(tp, offset)
        self.client.resume(tp)
        return mailbox

    def rewind(self, mailbox: Mailbox, offset: int) -> None:
        """Fetch again from `offset`; what waits in the mailbox is forgotten."""
        mailbox.take()
        if not mailbox.released:
            self.client.seek(mailbox.tp, offset)
            self.client.resume(mailbox.tp)

    def take(self, mailbox: Mailbox) -> list[ConsumerRecord]:
        """Empty the mailbox, and fetch on if its size had paused the partition."""
        if len(mailbox) >= MAILBOX_LIMIT and not mailbox.released:
            self.client.resume(mailbox.tp)
        return mailbox.take()

    def release(self, mailbox: Mailbox) -> None:
        """Stop delivering; what the mailbox still holds is forgotten."""
        mailbox.released = True
        mailbox.take()
        if self._mailboxes.get(mailbox.tp) is mailbox:
            del self._mailboxes[mailbox.tp]
            if mailbox.tp in self.client.assignment():
                self.client.pause(mailbox.tp)

    def end_offset(self, mailbox: Mailbox) -> int | None:
        """Return the partition's end as of the last fetch, None before the first and when it is not ours any more."""
        if mailbox.released or mailbox.tp not in self.client.assignment():
            return None
        return cast("int | None", self.client.highwater(mailbox.tp))

    async def commit_position(self, tp: TopicPartition, offset: int) -> None:
        """Tell the group where the shard stands; a hint for lag monitors, so failures do not matter."""
        try:
            await asyncio.wait_for(self.client.commit({tp: offset}), HINT_TIMEOUT_S)
        except (KafkaError, TimeoutError) as error:
            self.log.debug("position hint of %r not committed: %r", tp, error)

    # -- fetching -------------------------------------------------------------------------------

    @Service.task
    async def _fetch_forever(self) -> None:
        await self._claimed.wait()
        while not self.should_stop:
            try:
                fetched = await self.client.getmany(timeout_ms=FETCH_TIMEOUT_MS)
            except ConsumerStoppedError:
                return
            # All mailboxes are filled before anything else runs, so that a rewind never meets stale records.
            announcements = [
                self._announcement(mailbox, records[0])
                for tp, records in fetched.items()
                if (mailbox := self._mailboxes.get(tp)) is not None and self._fill(mailbox, records)
            ]
            for announcement in announcements:
                await self.callback(announcement)
            await asyncio.sleep(0)

    def _fill(self, mailbox: Mailbox, records: Sequence[ConsumerRecord]) -> bool:
        announce = mailbox.add(records)
        if len(mailbox) >= MAILBOX_LIMIT:
            self.client.pause(mailbox.tp)
        return announce

    def _announcement(self, mailbox: Mailbox, first: ConsumerRecord) -> ConsumerMessage:
        return ConsumerMessage(
            mailbox.tp.topic,
            mailbox.tp.partition,
            first.offset,
            first.timestamp / 1000,
            first.timestamp_type,
            [],
            None,
            cast("bytes", mailbox),  # the raw codec hands the value to the agent as it is
            None,
            tp=TP(mailbox.tp.topic, mailbox.tp.partition),
            generation_id=self.app.consumer_generation_id,
        )

    # -- what stock Faust would do with offsets, and we do not -------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        await fetcher.wait_until_stopped()

    async def perform_seek(self) -> None:
        """Claims decide where to read; the group's committed offset is a hint."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002  # Faust's signature
        """Shards commit their own positions."""
        return False

    def ack(self, message: Any) -> bool:  # noqa: ARG002  # Faust's signature
        """Progress is what a shard has remembered, not what an agent has seen."""
        return True

    def track_message(self, message: Any) -> None:
        """Nothing waits for acks."""

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Faust's livelock detector watches commits it does not make here."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Fetch nothing until a shard claims it."""
        self.client.pause(*(TopicPartition(tp.topic, tp.partition) for tp in assigned))
        await super().on_partitions_assigned(assigned, generation_id)


class WorkerConsumerThread(InLoopConsumerThread):
    """Creates the aiokafka consumer with settings for low latency."""

    async def on_start(self) -> None:
        """Connect; with a name of our own, listen whether somebody else has it."""
        await super().on_start()
        conf = self.app.conf
        if conf.consumer_group_instance_id:
            Guard(
                self._ensure_consumer()._coordinator,  # noqa: SLF001  # the transport is where internals are known
                conf.consumer_group_instance_id,
                conf.broker_session_timeout,
                self._fenced,
            )

    async def _fenced(self, error: InstanceFenced) -> None:
        log.critical("worker.fenced", error=str(error), exit_code=1)
        await self.app.crash(error)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        credentials: Mapping[str, Any] = stock.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context)
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=stock.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_TIMEOUT_MS,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 1000.0) * 1000),
            **credentials,
        )


class Transport(stock.Transport):
    """Kafka through aiokafka, delivering mailboxes."""

    Consumer = Consumer
