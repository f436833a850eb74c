"""
The publisher: records to Kafka, each exactly once while this process lives. Shell.

An idempotent producer retries for as long as an outage may last and never doubles; batches are
per partition and in order, so a wallet's orders keep their order of arrival. A record that
Kafka refuses for good fails the publisher, and with it the process: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer

from connector.contract.topics import ORDERS
from connector.errors import DrainTimeout, PublishFailed
from connector.meters import OrderMeter
from connector.metrics import UNREAD, Metrics
from connector.outstanding import Outstanding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from aiokafka.structs import RecordMetadata

    from connector.intake import Outgoing

_CLIENT_ID = "walletstream-connector"
_BATCH_BYTES = 256 * 1024
_DIRECT_BYTES = _BATCH_BYTES // 4
"""Unacknowledged bytes up to which a batch has room for sure (headers and framing included): no need to queue."""
_MOST_BYTES = 64 * 1024 * 1024
"""Unacknowledged bytes beyond which `publish` waits; only dead letters of large frames come near."""
_STEP = 32
"""Records that are published together where there are many: well below what goes out at once."""
_STALL = 5.0
"""Seconds without an acknowledgement that are worth a warning."""

log = structlog.get_logger(__name__)


def make_producer(bootstrap: str, *, outage_timeout: float, **security: Any) -> AIOKafkaProducer:
    """
    Return the producer, not started.

    aiokafka's one timeout is also the age at which a batch without a partition leader fails
    (as seen while a broker comes back), idempotent or not. Its default of 40 s would lose an
    outage of a minute, hence `outage_timeout` seconds.
    """
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=_CLIENT_ID,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        # Bigger batches than the default 16 KiB drain a backlog faster; without linger they cost nothing otherwise.
        max_batch_size=_BATCH_BYTES,
        request_timeout_ms=int(outage_timeout * 1000),
        **security,
    )


class Ownership(Protocol):
    """Who may publish orders, and wants to know where they went."""

    def permitted(self, record: Outgoing) -> bool:
        """Return whether an order may be sent at this moment."""

    async def permit(self, record: Outgoing) -> bool:
        """Return whether an order that had to wait may still be sent; waits while that is not known."""

    def acknowledged(self, partition: int, offset: int) -> None:
        """Take note that an order of ours is at this offset of `orders.v1`."""


class Publisher:
    """
    Publishes records in the order of the calls and counts what Kafka has yet to acknowledge.

    While little is outstanding a record goes to the producer at once. Beyond, it is queued here: the
    producer takes only one batch per partition while a broker is away, and a reader that waits for
    it answers no pings.

    Args:
        producer: A started idempotent producer; its owner stops it.
        topic_prefix: Put before every topic's name.
        limit: Unacknowledged records, queued ones included, beyond which `publish` waits.
        ownership: Asked before an order that had to wait is sent, told of each that was acknowledged.
        clock_ns: The wall clock, for the `published_ns` header.
        metrics: Told of every order that Kafka acknowledged.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        *,
        topic_prefix: str,
        limit: int,
        ownership: Ownership,
        clock_ns: Callable[[], int] = time.time_ns,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._producer = producer
        self._prefix = topic_prefix
        self._limit = limit
        self._ownership = ownership
        self._clock_ns = clock_ns
        self._meter = OrderMeter(metrics.orders)
        self._clock = asyncio.get_running_loop().time
        self._queue: deque[tuple[Outgoing, int]] = deque()
        self._filled = asyncio.Event()
        self._sending = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self._outstanding = Outstanding()
        self.acknowledged = 0
        self.moved_at = self._clock()
        """When there was progress at last, or nothing to make it with; by the loop's clock, to a few seconds."""

    @property
    def unacknowledged(self) -> int:
        """Records Kafka has yet to acknowledge."""
        return self._outstanding.records

    async def publish(self, record: Outgoing) -> None:
        """
        Take a record; waits only while too many are unacknowledged.

        Raises:
            PublishFailed: this or an earlier record was refused for good.
        """
        await self.room()
        epoch = self._outstanding.take(_size(record))
        if self._idle() and (not self._owned(record) or self._ownership.permitted(record)):
            await self._hand_over(record, epoch)
        else:
            self._queue.append((record, epoch))
            self._filled.set()

    def withdraw(self, partitions: Collection[int]) -> int:
        """Take back the orders of these partitions that were not handed to the producer; return how many."""
        kept: deque[tuple[Outgoing, int]] = deque()
        withdrawn: deque[tuple[Outgoing, int]] = deque()
        for record, epoch in self._queue:
            ours = self._owned(record) and record.partition in partitions
            (withdrawn if ours else kept).append((record, epoch))
        self._queue = kept
        for record, epoch in withdrawn:
            self._settled(record, epoch)
        return len(withdrawn)

    async def publish_all(self, records: Iterable[Outgoing]) -> None:
        """Publish many records in small steps, each acknowledged, so that none that is urgent waits behind them all."""
        for number, record in enumerate(records, start=1):
            await self.publish(record)
            if number % _STEP == 0:
                await self.barrier()

    async def room(self) -> None:
        """
        Wait until `publish` would take a record at once.

        Raises:
            PublishFailed: a record was refused for good.
        """
        while self._outstanding.records >= self._limit or self._outstanding.bytes >= _MOST_BYTES:
            await self._until_room()
        if self._failure.done():
            self._failure.result()

    async def barrier(self) -> None:
        """
        Wait until everything taken so far is acknowledged; what comes later is not waited for.

        Raises:
            PublishFailed: a record was refused for good.
        """
        epoch = self._outstanding.close()
        while not self._outstanding.settled(epoch):
            await self._until_room()

    async def run(self) -> None:
        """
        Send what is queued, and report it when Kafka acknowledges nothing for a while; never returns.

        Raises:
            PublishFailed: a record was refused for good.
        """
        sending = asyncio.create_task(self._send())
        try:
            await self._watch()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - a deadline for Kafka, not for the caller
        """
        Wait until Kafka has acknowledged everything.

        Raises:
            DrainTimeout: it did not within `timeout` seconds.
            PublishFailed: a record was refused for good.
        """
        try:
            async with asyncio.timeout(timeout):
                while self.unacknowledged:
                    await self._until_room()
        except TimeoutError:
            raise DrainTimeout(
                f"{self.unacknowledged} records were not acknowledged in time and may be missing from the topic"
            ) from None

    async def _send(self) -> None:
        while True:
            while not self._queue:
                self._filled.clear()
                await self._filled.wait()
            head = self._queue[0]
            permitted = not self._owned(head[0]) or await self._ownership.permit(head[0])
            if not self._queue or self._queue[0] is not head:
                continue  # withdrawn meanwhile
            self._queue.popleft()
            if permitted:
                self._sending = True
                await self._hand_over(*head)
                self._sending = False
            else:
                self._settled(*head)  # its new owner fetches it from REST

    def _idle(self) -> bool:
        """Return whether the producer has room for sure, and nothing waits before."""
        return not self._queue and not self._sending and self._outstanding.bytes < _DIRECT_BYTES

    @staticmethod
    def _owned(record: Outgoing) -> bool:
        return record.topic is ORDERS

    async def _hand_over(self, record: Outgoing, epoch: int) -> None:
        handed_ns = self._clock_ns()
        try:
            delivery = await self._producer.send(
                self._prefix + record.topic.name,
                record.value,
                record.key,
                partition=record.partition,
                headers=None if record.provenance is None else record.provenance.headers(handed_ns),
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the record is not in the topic
            self._fail(error)
            self._failure.result()
        else:
            delivery.add_done_callback(partial(self._delivered, record, epoch, handed_ns))

    async def _watch(self) -> None:
        stalled, told_at = 0, 1
        while True:
            waiting, before = self.unacknowledged, self.acknowledged
            await asyncio.wait({self._failure}, timeout=_STALL)
            if self._failure.done():
                self._failure.result()
            if waiting and self.acknowledged == before:
                stalled += 1
                if stalled == told_at:  # less and less often
                    told_at *= 2
                    log.warning("kafka.stalled", unacknowledged=self.unacknowledged)
                continue
            self.moved_at = self._clock()
            if stalled:
                stalled, told_at = 0, 1
                log.info("kafka.recovered", unacknowledged=self.unacknowledged)

    async def _until_room(self) -> None:
        self._room.clear()
        room = asyncio.ensure_future(self._room.wait())
        try:
            await asyncio.wait((room, self._failure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
        if self._failure.done():
            self._failure.result()

    def _delivered(
        self, record: Outgoing, epoch: int, handed_ns: int, delivery: asyncio.Future[RecordMetadata]
    ) -> None:
        if delivery.cancelled():
            self._fail(asyncio.CancelledError("the producer was stopped"))
        elif (error := delivery.exception()) is not None:
            self._fail(error)
        else:
            self.acknowledged += 1
            if self._owned(record):
                place = delivery.result()
                self._ownership.acknowledged(place.partition, place.offset)
                if record.provenance is not None:
                    self._meter.acknowledged(record.provenance, handed_ns, self._clock_ns())
            self._settled(record, epoch)

    def _settled(self, record: Outgoing, epoch: int) -> None:
        self._outstanding.settle(epoch, _size(record))
        self._room.set()

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            failure = PublishFailed(
                f"Kafka did not take a record: {type(error).__name__}: {error}; {self.unacknowledged} unacknowledged"
            )
            failure.__cause__ = error
            self._failure.set_exception(failure)
            self._failure.exception()  # whoever publishes, drains or watches next raises it


def _size(record: Outgoing) -> int:
    return len(record.value or b"")
