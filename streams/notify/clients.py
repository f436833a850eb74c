"""The notifier's clients of Kafka. Shell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from connector.kafka.closing import close_consumer
from connector.kafka.reach import unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams.notify.settings import NotifySettings

REBALANCE_S: Final = 30.0
_CLOSE_S = 3.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def clients(settings: NotifySettings) -> AsyncIterator[tuple[AIOKafkaProducer, AIOKafkaConsumer]]:
    """
    Yield a producer and a consumer that is subscribed to nothing yet; closed without waiting for a broker that is away.

    Raises:
        ClusterUnreachable: no Kafka.
    """
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka, **settings.client()}
    session_ms = round(settings.session_timeout * 1_000)
    producer = AIOKafkaProducer(**options, acks="all", compression_type="gzip")
    consumer = AIOKafkaConsumer(
        **options,
        group_id=settings.topic_prefix + settings.notify_group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # where nothing was committed, `restore` says where to begin
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 10,
        rebalance_timeout_ms=round(REBALANCE_S * 1_000),
    )
    async with AsyncExitStack() as stack:
        for client, close in ((producer, _closed_producer), (consumer, close_consumer)):
            stack.push_async_callback(close, client)
            try:
                await client.start()
            except KafkaConnectionError as error:
                raise await unreachable(settings.kafka, settings.client()) from error
        yield producer, consumer


async def _closed_producer(producer: AIOKafkaProducer) -> None:
    """Close; what it could not deliver by now is not waited for, for it is sent again after the next start."""
    stopping = asyncio.create_task(producer.stop())
    await asyncio.wait({stopping}, timeout=_CLOSE_S)
    stopping.cancel()
    await asyncio.wait({stopping})
    if stopping.cancelled() or stopping.exception() is not None:
        log.debug("kafka.close_failed", stopped=repr(stopping))
