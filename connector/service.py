"""The connector as a service: topics, producer, feed, and an orderly end. Shell."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import KafkaError

from connector.backoff import Backoff
from connector.contract.topics import CONNECTOR_TOPICS
from connector.dedupe import Dedupe, NoDedupe
from connector.dialects import connection_url
from connector.errors import ConnectorError, DrainTimeout
from connector.feed import Feed
from connector.intake import Intake
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import ClusterUnreachable
from connector.publisher import Publisher, make_producer
from connector.session import Limits, Session
from connector.websocket import open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable

    from aiokafka import AIOKafkaProducer

    from connector.contract.topics import TopicSpec
    from connector.settings import Settings

_START_PRODUCER = 30.0
"""Seconds; the topics are known to be there, so more than this is a fault."""
_STOP_PRODUCER = 1.0
"""Seconds; by then everything is acknowledged, or given up loudly."""

log = structlog.get_logger(__name__)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """
    Run until `stop` is set, then publish what has reached the socket, and return.

    Raises:
        ProviderRefused: the provider turned the key away; what came before is published first.
        PublishFailed: Kafka did not take a record.
        DrainTimeout: Kafka had not acknowledged everything in `drain_timeout` seconds.
        ClusterUnreachable, TopicMismatch, TopicsNotReady: see `connector.kafka` and the contract.
    """
    topics = [spec.prefixed(settings.topic_prefix) for spec in CONNECTOR_TOPICS]
    await _unless_stopped(
        ensure_topics(settings.kafka, topics, partitions=settings.partitions, replication=settings.replication), stop
    )
    if stop.is_set():
        return
    async with _producer(settings) as producer:
        await _unless_stopped(_start(producer, settings.kafka, topics), stop)
        if stop.is_set():
            return
        publisher = Publisher(producer, topic_prefix=settings.topic_prefix, limit=settings.queue_size)
        decider = Dedupe(settings.dedupe_size) if settings.dedupe == "on" else NoDedupe()
        intake = Intake(decider, secret=settings.api_key.get_secret_value())
        feed = make_feed(settings, intake, publisher)
        log.info("connector.started", provider=settings.provider, wallets=len(settings.wallets))
        await _until_stopped(feed, publisher, stop, settings.drain_timeout)
        log.info("connector.stopped", acknowledged=publisher.acknowledged, **intake.counts)


def make_feed(settings: Settings, intake: Intake, publisher: Publisher) -> Feed:
    """Return the feed of these settings, subscribed to every wallet."""
    session = Session(
        settings.dialect,
        Limits(
            ack_timeout=settings.ack_timeout,
            ping_interval=settings.ping_interval,
            idle_timeout=settings.idle_timeout,
            retry_refused=settings.retry_refused,
            max_frame_bytes=settings.max_frame_bytes,
        ),
        provider=settings.provider,
    )
    for number, wallets in enumerate(settings.packing.groups):
        session.subscribe(f"wallets-{number}", wallets, now=0.0)
    url = connection_url(settings.ws_url, settings.api_key.get_secret_value())
    return Feed(
        session=session,
        intake=intake,
        sink=publisher,
        open_socket=lambda: open_socket(url, connect_timeout=settings.connect_timeout),
        backoff=Backoff(
            base=settings.backoff_base,
            cap=settings.backoff_cap,
            random=random.random,
        ),
        healthy_spell=settings.healthy_spell,
    )


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    producer = make_producer(settings.kafka, outage_timeout=settings.outage_timeout)
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


async def _until_stopped(feed: Feed, publisher: Publisher, stop: asyncio.Event, drain_timeout: float) -> None:
    running = asyncio.create_task(feed.run())
    publishing = asyncio.create_task(publisher.run())
    stopping = asyncio.create_task(stop.wait())
    tasks: set[asyncio.Task[Any]] = {running, publishing, stopping}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        deadline = asyncio.get_running_loop().time() + drain_timeout
        if stopping.done():
            tasks.add(asyncio.create_task(feed.stop()))
            await asyncio.wait({running, publishing}, timeout=drain_timeout, return_when=asyncio.FIRST_COMPLETED)
        await _finish(running, publishing, publisher, deadline)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _finish(
    running: asyncio.Task[None], publishing: asyncio.Task[None], publisher: Publisher, deadline: float
) -> None:
    """Let Kafka have everything, whatever ended the feed, then raise what went wrong."""
    if publishing.done():
        publishing.result()
    if not running.done():
        raise DrainTimeout(_unread(publisher.unacknowledged))
    failure = None if running.cancelled() else running.exception()
    try:
        await publisher.drain(max(deadline - asyncio.get_running_loop().time(), 0.0))
    except ConnectorError as error:
        if failure is None:
            raise
        raise BaseExceptionGroup("the feed ended, and Kafka did not take all of it", [failure, error]) from None
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
