"""Recorded and generated orders, written to the orders topic as the connector would, at a steady pace."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from importlib.resources import files
from itertools import chain, islice, zip_longest
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka import AIOKafkaProducer

from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import decode_order, encode, order_record
from connector.simulator.market import GeneratedMarket
from tests.support.oracle import Logged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiokafka.structs import ConsumerRecord

RECORDED = files("connector.simulator") / "data" / "orders.jsonl"

PARTITIONS = 4
"""Of every topic in these tests."""

LATEST_S = 90
"""Some orders come this much later than they were made, out of order."""


def mixed_rows(count: int, *, seed: int) -> list[dict[str, Any]]:
    """Return `count` rows, recorded and generated ones in turn while both last."""
    recorded = (msgspec.json.decode(line) for line in RECORDED.read_bytes().splitlines())
    market = GeneratedMarket(Random(seed), rate=400.0, burst=50, wallets=120, markets=20)
    generated = chain.from_iterable(batch.rows for batch in market.batches())
    both = chain.from_iterable(zip_longest(recorded, generated))
    return list(islice((row for row in both if row is not None), count))


async def feed(
    bootstrap: str,
    topic: str,
    rows: Iterable[dict[str, Any]],
    *,
    rate: float,
    seed: int,
    stop: asyncio.Event | None = None,
) -> None:
    """
    Write the rows at `rate` per second with present times: one in ten is late, one in fifty is repeated.

    Ends with the rows, or when `stop` is set.
    """
    rng = Random(seed)
    seen: Counter[str] = Counter()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    started = time.monotonic()
    try:
        for number, row in enumerate(rows):
            if stop is not None and stop.is_set():
                break
            ahead = started + number / rate - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
            late = rng.randint(0, LATEST_S) if rng.random() < 0.1 else rng.randint(0, 2)
            order = parse_order(row | {"timestamp": time.time_ns() // 1_000_000_000 - late})
            content = content_id(order)
            value = encode(order_record(order, content, seen[content]))
            seen[content] += 1
            provenance = Provenance(source="ws", provider="test", received_ns=time.time_ns())
            for _ in range(2 if rng.random() < 0.02 else 1):
                await producer.send(topic, value, wallet_key(order.user), headers=provenance.headers(time.time_ns()))
    finally:
        await producer.stop()


def logged(records: Iterable[ConsumerRecord]) -> Iterator[Logged]:
    """Return orders as the oracle wants them."""
    for record in records:
        yield Logged(decode_order(record.value), record.partition, record.offset, record.timestamp)
