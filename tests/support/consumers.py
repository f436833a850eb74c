"""Example consumers as processes, and what every one of them has to do."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
from aiokafka import AIOKafkaProducer

from connector.contract.topics import COVERAGE, ORDERS
from tests.support.topics import prepare
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connector.local.broker import LocalKafka

PARTITIONS = 2
_LIMIT_S = 90.0
WALLETS = tuple(f"0x{number:040x}" for number in range(1, 6))


def order(number: int) -> tuple[bytes, bytes]:
    """Return key and value of an order, with the fields that the examples read."""
    wallet = WALLETS[number % len(WALLETS)]
    value = {"schema": 1, "event_id": f"{number:032x}-0", "user": wallet, "notional_micros": number}
    return wallet.encode(), orjson.dumps(value)


async def follow_all(kafka: LocalKafka, prefix: str, command: Sequence[str], folder: Path) -> None:
    """
    Run a consumer through repetitions, a tombstone, an end and a kill, and hold what it printed to what it had to.

        orders     0-99 twice | 100-199 | SIGTERM | 200-299 | kill -9 | 300-399
        coverage   four wallets, one of them forgotten
    """
    await prepare(kafka.bootstrap, prefix, PARTITIONS)
    orders, coverage = prefix + ORDERS.name, prefix + COVERAGE.name
    consumer = WorkerProcess([*command, kafka.bootstrap, f"{prefix}example", prefix], name="consumer", folder=folder)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:

        async def publish(numbers: Sequence[int]) -> None:
            for number in numbers:
                key, value = order(number)
                await producer.send(orders, value, key)
            await producer.flush()

        await publish([number for number in range(100) for _ in range(2)])
        for wallet in WALLETS[:4]:
            await producer.send(coverage, orjson.dumps({"covered_until_ms": 7}), wallet.encode())
        await producer.send_and_wait(coverage, None, WALLETS[3].encode())
        async with consumer:
            await publish(range(100, 200))
            await _printed(consumer, 200, coverage=5)
            assert await consumer.term() in (0, 143)
            await publish(range(200, 300))
            await consumer.start()
            await _printed(consumer, 300)
            await consumer.kill()
            await publish(range(300, 400))
            await consumer.start()
            lines = await _printed(consumer, 400)
    count = Counter(line["order"] for line in lines if "order" in line)
    assert count.keys() == {f"{number:032x}-0" for number in range(400)}
    assert all(count[f"{number:032x}-0"] == 1 for number in range(200)), "dropped, or committed at its end"
    sums = {line["order"]: line["micros"] for line in lines if "order" in line}
    assert sum(sums.values()) == sum(range(400))
    assert [line for line in lines if "forgotten" in line] == [{"forgotten": WALLETS[3]}]
    assert {line["covered"]: line["until_ms"] for line in lines if "covered" in line} == dict.fromkeys(WALLETS[:4], 7)


async def _printed(consumer: WorkerProcess, orders: int, *, coverage: int = 0) -> list[dict[str, Any]]:
    """Wait until so many different orders are printed, and return all lines."""
    async with asyncio.timeout(_LIMIT_S):
        for _ in itertools.count():
            text = consumer.log.read_text()
            lines = [orjson.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
            told = {line["order"] for line in lines if "order" in line}
            if len(told) >= orders and sum("order" not in line for line in lines) >= coverage:
                return lines
            consumer.check()
            await asyncio.sleep(0.1)
    raise AssertionError("not reached")
