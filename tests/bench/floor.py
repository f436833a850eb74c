"""
The floor: the least that can carry an event from a socket through two topics, as two processes.

    python -m tests.bench.floor ingest URL KAFKA TOPIC      websockets -> aiokafka
    python -m tests.bench.floor relay KAFKA FROM TO         aiokafka -> aiokafka

They look at nothing, keep nothing, and are laid out as the connector and the worker are.
"""

from __future__ import annotations

import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from websockets.asyncio.client import connect


def _producer(kafka: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=0)


async def ingest(url: str, kafka: str, topic: str) -> None:
    """Publish every message of a socket."""
    async with _producer(kafka) as producer, connect(url, compression=None) as socket:
        await socket.send('{"action":"subscribe"}')
        await socket.recv()  # the ack
        async for message in socket:
            await producer.send(topic, message.encode() if isinstance(message, str) else message)


async def relay(kafka: str, source: str, target: str) -> None:
    """Publish every record of a topic to another."""
    consumer = AIOKafkaConsumer(source, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with _producer(kafka) as producer, consumer:
        print("ready", flush=True)  # noqa: T201 - read by the benchmark
        async for record in consumer:
            await producer.send(target, record.value)


if __name__ == "__main__":
    uvloop.run({"ingest": ingest, "relay": relay}[sys.argv[1]](*sys.argv[2:]))
