"""Who can take part in a duel, and one run of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.bench.progress import stretch, watch
from tests.bench.rivals.contest import LeftOut, ours, prepare
from tests.bench.rivals.kafka_streams import kafka_streams
from tests.bench.rivals.quix import quix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tests.bench.rivals.contest import Contest, Contestant

RAW = "raw"
"""Reading the orders and decoding their JSON: no contestant, the ceiling."""

CONTESTANTS: Mapping[str, Callable[[Path], Contestant]] = {
    "ours": lambda _: ours,
    "kafka_streams": kafka_streams,
    "kafka_streams_eos": partial(kafka_streams, guarantee="exactly_once_v2"),
    "kafka_streams_memory": partial(kafka_streams, store="memory"),
    "kafka_streams_rocksdb": partial(kafka_streams, store="rocksdb"),
    "quix": quix,
}
"""Name -> what makes a contestant ready, with a folder for what has to be built."""


def ready(systems: Iterable[str], folder: Path) -> tuple[dict[str, Contestant], list[str]]:
    """Return those of the systems that can run on this machine, by name; and a sentence for everyone that cannot."""
    found: dict[str, Contestant] = {}
    left_out = []
    for name in systems:
        try:
            if name != RAW:
                found[name] = CONTESTANTS[name](folder)
        except LeftOut as error:
            left_out.append(str(error))
    return found, left_out


async def run(contest: Contest, contestant: Contestant, orders: int) -> dict[str, Any]:
    """Let a contestant do its job over a topic of so many orders; return its figures."""
    await prepare(contest)
    process = contestant(contest)
    await process.start(wait=False)
    try:
        samples = await watch(contest.kafka, process, group=contest.group, topic=contest.orders_topic, orders=orders)
        await process.term()
    finally:
        await process.kill()
    counted = stretch(samples, orders)
    return counted._asdict() | {"events_per_cpu_s": counted.events_per_cpu_s}
