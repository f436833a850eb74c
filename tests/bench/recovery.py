"""How long a worker takes to restore wallets, against the bare read of their topic; and if it answers meanwhile."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import psutil  # type: ignore[import-untyped]
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from connector.contract.keys import wallet_key
from connector.kafka.admin import ensure_topics
from streams.topics import WALLET_STATE
from tests.bench import raw, rules
from tests.bench.seeded import Seeded
from tests.bench.systems import PARTITIONS, TOPICS, worker
from tests.support.status import StatusClient

if TYPE_CHECKING:
    from tests.bench.systems import Bench
    from tests.support.workers import WorkerProcess

WALLETS = (100_000, 1_000_000)
_BATCH_BYTES = 256 * 1024
_POLL_S = 0.02


async def repetition(bench: Bench, *, prefix: str, wallets: int) -> dict[str, Any]:
    """Write the states, read them raw, let a worker restore them; return the figures of both."""
    topic = prefix + WALLET_STATE.name
    await ensure_topics(bench.kafka, [spec.prefixed(prefix) for spec in TOPICS], partitions=PARTITIONS)
    await _fill(bench.kafka, topic, wallets)
    read = await raw.measured(bench.kafka, topic, wallets, "bytes")
    async with StatusClient() as status:
        process = worker(
            bench,
            prefix,
            rules.fifty(bench.folder / "fifty.yaml"),
            more={"LOG_LEVEL": "debug", "LOG_FORMAT": "json", "STATUS_ADDRESS": status.address},
        )
        try:
            await process.start(wait=False)
            longest_s = await _watched(process, status)
            restored = _restored(process)
            held = psutil.Process(process.pid).memory_info().rss
            await process.term()
        finally:
            await process.kill()
    return {
        "wallets": wallets,
        "raw_s": read["wall_s"],
        "restore_s": restored,
        "longest_answer_s": longest_s,
        "bytes_per_wallet": held / wallets,
    }


async def _fill(kafka: str, topic: str, wallets: int) -> None:
    batches: dict[int, Any] = {}
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_batch_size=_BATCH_BYTES) as producer:
        for subject, value in Seeded().of(wallets):
            number = (murmur2(wallet_key(subject)) & 0x7FFFFFFF) % PARTITIONS
            batch = batches.get(number)
            if batch is None or batch.append(key=subject.encode(), value=value, timestamp=None) is None:
                if batch is not None:
                    batch.close()
                    await producer.send_batch(batch, topic, partition=number)
                batch = batches[number] = producer.create_batch()
                batch.append(key=subject.encode(), value=value, timestamp=None)
        for number, batch in batches.items():
            batch.close()
            await producer.send_batch(batch, topic, partition=number)


async def _watched(process: WorkerProcess, status: StatusClient) -> float:
    """Ask for `/livez` until the worker is ready; return the longest wait for an answer in seconds."""
    longest = 0.0
    while True:
        process.check()
        began = time.perf_counter()
        alive = await status.ask("/livez")
        if alive.status:
            longest = max(longest, time.perf_counter() - began)
            if (await status.ask("/readyz")).status == 200:
                return longest
        await asyncio.sleep(_POLL_S)


def _restored(process: WorkerProcess) -> float:
    """Return the seconds from the beginning of the first restore to the end of the last, as the log tells."""
    said = [orjson.loads(line) for line in process.log.read_text().splitlines() if "shard.restored" in line]
    ends = [(datetime.fromisoformat(line["timestamp"]).timestamp(), line["seconds"]) for line in said]
    return float(max(end for end, _ in ends) - min(end - took for end, took in ends))
