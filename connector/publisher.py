"""
The publisher: records to Kafka, each exactly once while this process lives. Shell.

An idempotent producer retries for as long as an outage may last and never doubles; batches are
per partition and in order, so a wallet's orders keep their order of arrival. A record that
Kafka refuses for good fails the publisher, and with it the process: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from connector.errors import DrainTimeout, PublishFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.intake import Outgoing

_CLIENT_ID = "walletstream-connector"
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
        max_batch_size=256 * 1024,
        request_timeout_ms=int(outage_timeout * 1000),
    )


class Publisher:
    """
    Publishes records in the order of the calls and counts what Kafka has yet to acknowledge.

    Args:
        producer: A started idempotent producer; its owner stops it.
        topic_prefix: Put before every topic's name.
        limit: Unacknowledged records beyond which `publish` waits.
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
        self._unacknowledged = 0
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Event()
        self._room.set()
        self.acknowledged = 0

    @property
    def unacknowledged(self) -> int:
        """Records Kafka has yet to acknowledge."""
        return self._unacknowledged

    async def publish(self, record: Outgoing) -> None:
        """
        Hand a record to the producer; waits only while too many are unacknowledged.

        Raises:
            PublishFailed: this or an earlier record was refused for good.
        """
        while self._unacknowledged >= self._limit:
            self._room.clear()
            await self._until_room()
        if self._failure.done():
            self._failure.result()
        self._unacknowledged += 1
        try:
            delivery = await self._producer.send(
                self._prefix + record.topic.name,
                record.value,
                record.key,
                headers=record.provenance.headers(self._clock_ns()),
            )
        except KafkaError as error:
            self._fail(error)
            self._failure.result()
        else:
            delivery.add_done_callback(self._delivered)

    async def watch(self) -> None:
        """
        Report it when Kafka acknowledges nothing for a while; never returns.

        Raises:
            PublishFailed: a record was refused for good.
        """
        stalled = False
        while True:
            waiting, before = self._unacknowledged, self.acknowledged
            await asyncio.wait({self._failure}, timeout=_STALL)
            if self._failure.done():
                self._failure.result()
            if waiting and self.acknowledged == before:
                stalled = True
                log.warning("kafka.stalled", unacknowledged=self._unacknowledged)
            elif stalled:
                stalled = False
                log.info("kafka.recovered", unacknowledged=self._unacknowledged)

    async def drain(self, timeout: float) -> None:  # noqa: ASYNC109 - a deadline for Kafka, not for the caller
        """
        Wait until Kafka has acknowledged everything.

        Raises:
            DrainTimeout: it did not within `timeout` seconds.
            PublishFailed: a record was refused for good.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._unacknowledged:
                    self._room.clear()
                    await self._until_room()
        except TimeoutError:
            raise DrainTimeout(
                f"{self._unacknowledged} records were not acknowledged in time and may be missing from the topic"
            ) from None

    async def _until_room(self) -> None:
        room = asyncio.ensure_future(self._room.wait())
        try:
            await asyncio.wait((room, self._failure), return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
        if self._failure.done():
            self._failure.result()

    def _delivered(self, delivery: asyncio.Future[object]) -> None:
        if delivery.cancelled():
            self._fail(asyncio.CancelledError("the producer was stopped"))
        elif (error := delivery.exception()) is not None:
            self._fail(error)
        else:
            self._unacknowledged -= 1
            self.acknowledged += 1
            self._room.set()

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            failure = PublishFailed(
                f"Kafka did not take a record: {type(error).__name__}: {error}; {self._unacknowledged} unacknowledged"
            )
            failure.__cause__ = error
            self._failure.set_exception(failure)
            self._failure.exception()  # whoever publishes, drains or watches next raises it
