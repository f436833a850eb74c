"""What state logs and outputs share: bulk sends, and producers that are closed without waiting for a dead broker."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.errors import ProducerClosed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaProducer
    from aiokafka.client import AIOKafkaClient

    from streams.effects import Item

    ClientOptions = Mapping[str, Any]
    """Keyword arguments of every aiokafka client: servers and security."""

CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


async def abandon_producer(producer: AIOKafkaProducer) -> None:
    """
    Close a producer at once: nothing more is sent, nothing retried, and what is under way fails.

    `AIOKafkaProducer.stop` flushes first, which never ends while a broker is away, and what it
    would still deliver then would land after the successor's records.
    """
    producer._closed = True  # noqa: SLF001  # aiokafka has no close without a flush
    sender = producer._sender.sender_task if producer._sender is not None else None  # noqa: SLF001
    if sender is not None:
        sender.remove_done_callback(producer._sender._fail_all)  # noqa: SLF001  # done below, whatever it died of
        forget([sender])
        sender.cancel()
    await producer.client.close()
    _refuse_metadata(producer.client)
    if sender is not None:
        await asyncio.wait({sender}, timeout=CLOSE_TIMEOUT_S)
    accumulator = producer._message_accumulator  # noqa: SLF001
    batches = accumulator._pending_batches  # noqa: SLF001
    batches.update(chain.from_iterable(accumulator._batches.values()))  # noqa: SLF001  # each removes itself from there when done
    accumulator.fail_all(ProducerClosed())
    forget(batch.future for batch in batches)
    forget(batch._drain_waiter for batch in batches)  # noqa: SLF001
    transaction = producer._txn_manager and producer._txn_manager._transaction_waiter  # noqa: SLF001
    forget([transaction] if transaction is not None else [])


def _refuse_metadata(client: AIOKafkaClient) -> None:
    """Fail whoever waits for metadata, now or later: a closed client never gets any, and says so to nobody."""
    pending = client._md_update_fut  # noqa: SLF001
    if pending is not None and not pending.done():
        pending.set_result(False)  # not failed: aiokafka asks for updates without waiting for them
    client._md_update_fut = asyncio.get_running_loop().create_future()  # noqa: SLF001
    client._md_update_fut.set_exception(ProducerClosed())  # noqa: SLF001
    forget([client._md_update_fut])  # noqa: SLF001


def forget(sent: Iterable[asyncio.Future[Any]]) -> None:
    """Take note of whatever becomes of these futures: nobody will await them, since what they are part of failed."""
    for future in sent:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())


async def all_of(sent: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until all are acknowledged; who is cancelled while waiting cancels none of them, since others wait, too."""
    everything = asyncio.gather(*sent)
    forget([everything])
    await asyncio.shield(everything)


async def send_bulk(
    producer: AIOKafkaProducer, topic: str, partition: int, items: Iterable[Item]
) -> list[asyncio.Future[Any]]:
    """
    Hand many records of one partition to the producer, in order, in as few batches as they need.

    Returns:
        Futures, one a batch (one a record for a record larger than a batch), done when acknowledged.
    """
    sent: list[asyncio.Future[Any]] = []
    try:
        await _send_batches(producer, topic, partition, items, sent)
    except BaseException:
        forget(sent)
        raise
    return sent


async def _send_batches(
    producer: AIOKafkaProducer, topic: str, partition: int, items: Iterable[Item], sent: list[asyncio.Future[Any]]
) -> None:
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
