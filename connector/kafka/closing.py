"""Closing consumers. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


async def close_consumer(consumer: AIOKafkaConsumer) -> None:
    """
    Close a consumer without a group, without waiting for a broker that is not there.

    `AIOKafkaConsumer.stop` cancels fetches that wait to be tried again, then awaits them: it ends with their
    cancellation, which is none of ours, and leaves its connections open.
    """
    stopping = asyncio.create_task(consumer.stop())
    stopping.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else hears of it
    try:
        await asyncio.wait({stopping}, timeout=CLOSE_TIMEOUT_S)
        if not stopping.done() or stopping.cancelled() or stopping.exception() is not None:
            log.debug("kafka.close_failed", stopped=repr(stopping))
            await consumer._client.close()  # noqa: SLF001  # what `stop` did not come to
    finally:
        stopping.cancel()
