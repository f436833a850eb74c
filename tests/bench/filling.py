"""Writes a prepared backlog as an `orders.v1` whose records were appended when their orders were executed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connector.contract.errors import TopicMismatch
from connector.contract.provenance import Provenance
from connector.contract.topics import ORDERS
from connector.kafka.admin import admin_client, ensure_topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.topics import TopicSpec
    from tests.bench.prepared import Backlog, Stored

_BATCH_BYTES = 256 * 1024
_IN_FORCE_S = 10.0


async def fill(kafka: str, prefix: str, backlog: Backlog) -> str:
    """
    Create the topic, write the backlog, and return the topic's name.

    A broker that stamps records itself cannot be told about the past. So the topic takes the
    producer's times first, and gets the contract's settings afterwards.
    """
    spec = ORDERS.prefixed(prefix)
    partitions = len(backlog.partitions)
    await ensure_topics(kafka, [msgspec.structs.replace(spec, append_time=False)], partitions=partitions)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_batch_size=_BATCH_BYTES)
    async with producer:
        for number, records in enumerate(backlog.partitions):
            await _write(producer, spec.name, number, records)
    async with admin_client(kafka, {}) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name, spec.config())])
    await _in_force(kafka, spec, partitions)
    return spec.name


async def _in_force(kafka: str, spec: TopicSpec, partitions: int) -> None:
    """Wait until the broker has taken over the topic's new settings."""
    async with asyncio.timeout(_IN_FORCE_S):
        while True:
            with suppress(TopicMismatch):
                return await ensure_topics(kafka, [spec], partitions=partitions)
            await asyncio.sleep(0.05)


async def _write(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Stored]) -> None:
    batch = producer.create_batch()
    for timestamp, key, value in records:
        stamp = timestamp * 1_000_000
        headers = Provenance(source="ws", provider="bench", received_ns=stamp).headers(stamp)
        if batch.append(timestamp=timestamp, key=key, value=value, headers=headers) is None:
            batch.close()
            await producer.send_batch(batch, topic, partition=partition)
            batch = producer.create_batch()
            batch.append(timestamp=timestamp, key=key, value=value, headers=headers)
    batch.close()
    await producer.send_batch(batch, topic, partition=partition)
