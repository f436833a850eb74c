"""
The ceiling of throughput: read a topic and decode its JSON, nothing else, in a process of its own.

    python -m tests.bench.raw KAFKA TOPIC COUNT [json|bytes]      prints {"events": ..., "cpu_s": ..., "wall_s": ...}
"""

from __future__ import annotations

import asyncio
import sys
import time

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer


async def measured(kafka: str, topic: str, count: int, kind: str = "json") -> dict[str, float]:
    """Read in a process of its own; return what it printed, and records per CPU-second."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.raw", kafka, topic, str(count), kind, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    result: dict[str, float] = orjson.loads(output)
    return result | {"events_per_cpu_s": result["events"] / result["cpu_s"]}


async def read(kafka: str, topic: str, count: str, kind: str = "json") -> None:
    """Read `count` records and print what it took, from the first request to the last record."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    cpu, wall, events = time.process_time(), time.perf_counter(), 0
    while events < int(count):
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            if kind == "json":
                for record in records:
                    orjson.loads(record.value)
            events += len(records)
    result = {"events": events, "cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    print(orjson.dumps(result).decode(), flush=True)  # noqa: T201 - read by the benchmark
    await consumer.stop()


if __name__ == "__main__":
    uvloop.run(read(*sys.argv[1:]))
