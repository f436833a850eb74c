"""What state logs and outputs share: bulk sends, and closing without waiting for a dead broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaProducer

    ClientOptions = Mapping[str, Any]
    """Keyword arguments of every aiokafka client: servers and security."""

    Header = tuple[str, bytes]
    Item = tuple[bytes, bytes | None, list[Header]]
    """Key, value, headers."""

CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class Client(Protocol):
    """A producer or consumer of aiokafka."""

    async def stop(self) -> None:
        """Flush and close."""


async def close_quietly(client: Client) -> None:
    """Stop a client whose fate no longer matters; give up after two seconds."""
    try:
        await asyncio.wait_for(client.stop(), CLOSE_TIMEOUT_S)
    except Exception as error:  # noqa: BLE001  # nothing depends on it any more
        log.debug("kafka.close_failed", error=repr(error))


async def send_bulk(
    producer: AIOKafkaProducer, topic: str, partition: int, items: Iterable[Item]
) -> list[asyncio.Future[Any]]:
    """
    Hand many records of one partition to the producer, in order, in as few batches as they need.

    Returns:
        Futures, one a batch (one a record for a record larger than a batch), done when acknowledged.
    """
    sent: list[asyncio.Future[Any]] = []
    batch = producer.create_batch()
    for key, value, headers in items:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is not None:
            continue
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            sent.append(await producer.send(topic, value, key, partition, headers=list(headers)))
            batch = producer.create_batch()
    if batch.record_count():
        batch.close()
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
