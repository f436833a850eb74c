"""The connector as a service: topics, producer, feed, and an orderly end. Shell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiokafka.errors import KafkaError

from connector.contract.topics import CONNECTOR_TOPICS
from connector.errors import ConnectorError, DrainTimeout, StatusUnserved
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import ClusterUnreachable
from connector.metrics import Metrics
from connector.process.status import status_served
from connector.publisher import make_producer
from connector.replica.assembly import assembled
from connector.replica.gauges import gauged
from connector.replica.probes import Probes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping

    from aiokafka import AIOKafkaProducer

    from connector.contract.topics import TopicSpec
    from connector.race import Race
    from connector.replica.assembly import Parts
    from connector.settings import Settings

_START_PRODUCER = 30.0
"""Seconds; the topics are known to be there, so more than this is a fault."""
_STOP_PRODUCER = 1.0
"""Seconds; by then everything is acknowledged, or given up loudly."""

_RACE_INTERVAL = 3600.0
"""Seconds between two words on which socket is the faster one: news for whoever pays for both, not for operators."""

log = structlog.get_logger(__name__)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """
    Run until `stop` is set, then publish what has reached the socket, and return; answer probes and scrapers meanwhile.

    Raises:
        StatusUnserved: the address for probes and metrics is taken, or not ours.
        ProviderRefused: the provider turned the key away; what came before is published first.
        PublishFailed: Kafka did not take a record.
        DrainTimeout: Kafka had not acknowledged everything in `drain_timeout` seconds.
        InstanceTaken: another process has our name as a static member of the group.
        ClusterUnreachable, TopicMismatch, TopicsNotReady: see `connector.kafka` and the contract.
    """
    metrics, probes = Metrics(), Probes(settings, stop)
    async with AsyncExitStack() as stack:
        served = status_served(settings.status_address, registry=metrics.registry, live=probes.live, ready=probes.ready)
        try:
            address = await stack.enter_async_context(served)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StatusUnserved(f"STATUS_ADDRESS {settings.status_address} cannot be served: {reason}") from error
        if address is not None:
            log.info("status.served", address=address)
        await _serve(settings, stop, metrics, probes)


async def _serve(settings: Settings, stop: asyncio.Event, metrics: Metrics, probes: Probes) -> None:
    security = settings.client()
    topics = [spec.prefixed(settings.topic_prefix) for spec in CONNECTOR_TOPICS]
    await _unless_stopped(
        ensure_topics(
            settings.kafka,
            topics,
            partitions=settings.partitions,
            replication=settings.replication,
            **security,
        ),
        stop,
    )
    if stop.is_set():
        return
    async with _producer(settings, security) as producer:
        await _unless_stopped(_start(producer, settings.kafka, topics), stop)
        if stop.is_set():
            return
        async with assembled(settings, producer, security, metrics) as parts:
            gauged(parts, metrics, queue_limit=settings.queue_size)
            probes.parts = parts
            log.info("connector.started", provider=settings.provider, replica=settings.replica_name)
            try:
                await _until_stopped(parts, stop, settings.drain_timeout)
            finally:
                await parts.membership.leave()
            log.info("connector.stopped", acknowledged=parts.publisher.acknowledged, **parts.intake.counts)


@asynccontextmanager
async def _producer(settings: Settings, security: Mapping[str, Any]) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_producer(settings.kafka, outage_timeout=settings.outage_timeout, **security)
    try:
        yield producer
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_PRODUCER):
                await producer.stop()


async def _start(producer: AIOKafkaProducer, bootstrap: str, topics: Iterable[TopicSpec]) -> None:
    try:
        async with asyncio.timeout(_START_PRODUCER):
            await producer.start()
            for topic in topics:
                # Known partitions spare the first order a round trip, and an order during an outage its wait.
                await producer.partitions_for(topic.name)
    except (KafkaError, TimeoutError) as error:
        raise ClusterUnreachable(
            f"the Kafka at {bootstrap} stopped answering, or lets us produce nothing: {type(error).__name__} {error}"
        ) from error


async def _until_stopped(parts: Parts, stop: asyncio.Event, drain_timeout: float) -> None:
    reading = asyncio.create_task(parts.sockets.run())
    publishing = asyncio.create_task(parts.publisher.run())
    stopping = asyncio.create_task(stop.wait())
    running = (
        parts.membership.run(),
        parts.replica.run(),
        parts.repairer.run(),
        parts.router.run(),
        parts.ledger.run(),
        parts.auditor.run(),
    )
    tasks: set[asyncio.Task[Any]] = {reading, publishing, stopping, *map(asyncio.create_task, running)}
    if parts.race is not None:
        tasks.add(asyncio.create_task(_tell(parts.race)))
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        deadline = asyncio.get_running_loop().time() + drain_timeout
        parts.replica.stop()
        if not reading.done():
            tasks.add(asyncio.create_task(parts.sockets.stop()))
            await asyncio.wait({reading, publishing}, timeout=drain_timeout, return_when=asyncio.FIRST_COMPLETED)
        await _finish(parts, reading, publishing, ended - {reading, publishing, stopping}, deadline)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(race: Race) -> None:
    """Say now and then which socket is the faster one."""
    while True:
        await asyncio.sleep(_RACE_INTERVAL)
        for socket, standing in race.summary().items():
            log.info("mirror.race", socket=socket, **msgspec.structs.asdict(standing))


async def _finish(
    parts: Parts,
    reading: asyncio.Task[None],
    publishing: asyncio.Task[None],
    failed: set[asyncio.Task[Any]],
    deadline: float,
) -> None:
    """Let Kafka have everything, whatever ended the replica, then raise what went wrong."""
    if publishing.done():
        publishing.result()
    if not reading.done():
        raise DrainTimeout(_unread(parts.publisher.unacknowledged))
    if parts.replica.waiting:
        log.warning("orders.left", orders=parts.replica.waiting, effect="the next owner fetches them from REST")
    failures = [task.exception() for task in (reading, *failed) if not task.cancelled()]
    failure = next((error for error in failures if error is not None), None)
    try:
        await parts.publisher.drain(max(deadline - asyncio.get_running_loop().time(), 0.0))
        async with asyncio.timeout_at(deadline):
            await parts.replica.end()
    except ConnectorError as error:
        if failure is None:
            raise
        raise BaseExceptionGroup("the feed ended, and Kafka did not take all of it", [failure, error]) from None
    except TimeoutError:
        log.warning("checkpoints.unwritten", effect="the next owner fetches more from REST")
    if failure is not None:
        raise failure


def _unread(unacknowledged: int) -> str:
    return (
        f"Kafka took nothing more: {unacknowledged} records were not acknowledged in time, and the socket held more"
        " that was not read; these orders may be missing from the topic"
    )


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do some work that may take long, but let a stop end it."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working
