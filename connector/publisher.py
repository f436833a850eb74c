"""
The publisher: records to Kafka, each exactly once while this process lives. Shell.

An idempotent producer retries for as long as an outage may last and never doubles; batches are
per partition and in order, so a wallet's orders keep their order of arrival. A record that
Kafka refuses for good fails the publisher, and with it the process: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaProducer

from connector.errors import DrainTimeout, PublishFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.intake import Outgoing

_CLIENT_ID = "walletstream-connector"
_BATCH_BYTES = 256 * 1024
_DIRECT_BYTES = _BATCH_BYTES // 4
"""Unacknowledged bytes up to which a batch has room for sure (headers and framing included): no need to queue."""
_MOST_BYTES = 64 * 1024 * 1024
"""Unacknowledged bytes beyond which `publish` waits; only dead letters of large frames come near."""
_STALL = 5.0
"""Seconds without an acknowledgement that are worth a warning."""

log = structlog.get_logger(__name__)


def make_producer(bootstrap: str, *, outage_timeout: float) -> AIOKafkaProducer:
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
    )


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
        clock_ns: The wall clock, for the `published_ns` header.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        *,
        topic_prefix: str,
        limit: int,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._producer = producer
        self._prefix = topic_prefix
        self._limit = limit
        self._clock_ns = clock_ns
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._queued = 0
        self._unacknowledged_bytes = 0
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self.unacknowledged = 0
        """Records Kafka has yet to acknowledge."""
        self.acknowledged = 0

    async def publish(self, record: Outgoing) -> None:
        """
        Take a record; waits only while too many are unacknowledged.

        Raises:
            PublishFailed: this or an earlier record was refused for good.
        """
        while self.unacknowledged >= self._limit or self._unacknowledged_bytes >= _MOST_BYTES:
            await self._until_room()
        if self._failure.done():
            self._failure.result()
        self.unacknowledged += 1
        self._unacknowledged_bytes += len(record.value)
        if self._queued == 0 and self._unacknowledged_bytes < _DIRECT_BYTES:
            await self._hand_over(record)
        else:
            self._queued += 1
            self._queue.put_nowait(record)

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
            await self._hand_over(await self._queue.get())
            self._queued -= 1

    async def _hand_over(self, record: Outgoing) -> None:
        try:
            delivery = await self._producer.send(
                self._prefix + record.topic.name,
                record.value,
                record.key,
                headers=record.provenance.headers(self._clock_ns()),
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the record is not in the topic
            self._fail(error)
            self._failure.result()
        else:
            delivery.add_done_callback(partial(self._delivered, len(record.value)))

    async def _watch(self) -> None:
        stalled = False
        while True:
            waiting, before = self.unacknowledged, self.acknowledged
            await asyncio.wait({self._failure}, timeout=_STALL)
            if self._failure.done():
                self._failure.result()
            if waiting and self.acknowledged == before:
                stalled = True
                log.warning("kafka.stalled", unacknowledged=self.unacknowledged)
            elif stalled:
                stalled = False
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

    def _delivered(self, size: int, delivery: asyncio.Future[object]) -> None:
        if delivery.cancelled():
            self._fail(asyncio.CancelledError("the producer was stopped"))
        elif (error := delivery.exception()) is not None:
            self._fail(error)
        else:
            self.unacknowledged -= 1
            self._unacknowledged_bytes -= size
            self.acknowledged += 1
            self._room.set()

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            failure = PublishFailed(
                f"Kafka did not take a record: {type(error).__name__}: {error}; {self.unacknowledged} unacknowledged"
            )
            failure.__cause__ = error
            self._failure.set_exception(failure)
            self._failure.exception()  # whoever publishes, drains or watches next raises it
