"""How far a consumer group is, what its process has used until then, and the stretch of it that counts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.workers import WorkerProcess

WARM = 1 / 3
"""Of the backlog, done before anything counts: compilers and caches are warm by then."""
_POLL_S = 0.05
_COMPLETE_S = 240.0


class Sample(NamedTuple):
    """What was done at one moment, as the group's committed offsets tell."""

    orders: int
    cpu_s: float
    """Used by the process so far."""


class Stretch(NamedTuple):
    """What counts of a run."""

    events: int
    cpu_s: float

    @property
    def events_per_cpu_s(self) -> float:
        """Orders per CPU-second of the process."""
        return self.events / self.cpu_s


def stretch(samples: Sequence[Sample], orders: int) -> Stretch:
    """
    Return what lies between the first sample with a third of the orders done and the first with all of them.

    Raises:
        ValueError: some are missing at the end, or too few samples were taken to tell.
    """
    last = next((sample for sample in samples if sample.orders >= orders), None)
    if last is None:
        raise ValueError(f"{samples[-1].orders if samples else 0} of {orders} orders were done at the last look")
    first = next(sample for sample in samples if sample.orders >= orders * WARM)
    if first.orders >= orders or last.cpu_s <= first.cpu_s:
        raise ValueError(f"everything was done within one flush: {orders} orders are too few to measure")
    return Stretch(last.orders - first.orders, last.cpu_s - first.cpu_s)


async def watch(kafka: str, process: WorkerProcess, *, group: str, topic: str, orders: int) -> list[Sample]:
    """Sample from the start until the group has committed all `orders` of the topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    samples: list[Sample] = []
    await admin.start()
    try:
        async with asyncio.timeout(_COMPLETE_S):
            while not samples or samples[-1].orders < orders:
                process.check()
                cpu_s = process.cpu_seconds()
                samples.append(Sample(await _committed(admin, group, topic), cpu_s))
                await asyncio.sleep(_POLL_S)
    finally:
        await admin.close()
    return samples


async def _committed(admin: AIOKafkaAdminClient, group: str, topic: str) -> int:
    with suppress(KafkaError):  # the group has no coordinator yet
        committed = await admin.list_consumer_group_offsets(group)
        return sum(max(0, at.offset) for tp, at in committed.items() if tp.topic == topic)
    return 0
