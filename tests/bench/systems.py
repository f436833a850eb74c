"""The two systems that carry an event from a socket to a topic: the floor, and ours."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.kafka.admin import ensure_topics
from streams.topics import ALERTS, STREAMS_TOPICS
from tests.bench import rules
from tests.support.workers import GroupProbe, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

PARTITIONS = 8
GROUP = "bench"
FLOOR = (sys.executable, "-m", "tests.bench.floor")
TOPICS = (ORDERS, ORDERS_DEAD, *STREAMS_TOPICS)


class Bench(NamedTuple):
    """What every measurement needs."""

    kafka: str
    """Bootstrap servers."""
    folder: Path
    """For logs and rule files."""


class Running(NamedTuple):
    """A system at work."""

    topic: str
    """In which its events end."""
    processes: tuple[WorkerProcess, ...]

    def cpu_seconds(self) -> float:
        """Return what all its processes have used."""
        return sum(process.cpu_seconds() for process in self.processes)


@asynccontextmanager
async def floor(bench: Bench, *, prefix: str, url: str, wallets: list[str]) -> AsyncIterator[Running]:  # noqa: ARG001 - as `ours`
    """Run the floor."""
    first, last = f"{prefix}{ORDERS.name}", f"{prefix}{ALERTS.name}"
    await ensure_topics(bench.kafka, [spec.prefixed(prefix) for spec in (ORDERS, ALERTS)], partitions=PARTITIONS)
    relay = WorkerProcess(
        [*FLOOR, "relay", bench.kafka, first, last],
        ready=lambda: _said("ready", relay),
        name="floor-relay",
        folder=bench.folder,
    )
    ingest = bare(bench, url, first)
    async with relay, ingest:
        yield Running(last, (ingest, relay))


@asynccontextmanager
async def ours(bench: Bench, *, prefix: str, url: str, wallets: list[str]) -> AsyncIterator[Running]:
    """Run the connector and a worker with one rule that every order tips."""
    ingesting = connector(bench, prefix, url, wallets)
    alerting = worker(bench, prefix, rules.every_order(bench.folder / "every-order.yaml"))
    async with alerting, ingesting:
        yield Running(f"{prefix}{ALERTS.name}", (ingesting, alerting))


def bare(bench: Bench, url: str, topic: str) -> WorkerProcess:
    """Return a bare socket with a bare producer, from `url` to `topic`."""
    return WorkerProcess([*FLOOR, "ingest", url, bench.kafka, topic], name="floor-ingest", folder=bench.folder)


def connector(
    bench: Bench, prefix: str, url: str, wallets: list[str], elsewhere: Mapping[str, str] | None = None
) -> WorkerProcess:
    """Return a connector; `elsewhere` is the environment that makes it another checkout's."""
    settings = {
        "PROVIDER": "simulator",
        "WS_URL": f"{url}/{{key}}",
        "TIER": "dev",
        "WALLETS": ",".join(wallets),
        "KAFKA": bench.kafka,
        "TOPIC_PREFIX": prefix,
        "PARTITIONS": str(PARTITIONS),
    }
    return WorkerProcess(
        [sys.executable, "-m", "connector"], settings | dict(elsewhere or {}), name="connector", folder=bench.folder
    )


def worker(
    bench: Bench,
    prefix: str,
    rule_file: Path,
    *,
    python: Sequence[str] = (sys.executable, "-m"),
    more: Mapping[str, str] | None = None,
) -> WorkerProcess:
    """Return a worker, ready when it has its partitions; `python` runs its module, `more` are further settings."""
    return WorkerProcess(
        [*python, "streams", "worker"],
        {
            "KAFKA": bench.kafka,
            "TOPIC_PREFIX": prefix,
            "PARTITIONS": str(PARTITIONS),
            "GROUP_ID": GROUP,
            "RULES": str(rule_file),
        }
        | dict(more or {}),
        ready=GroupProbe(bench.kafka, prefix + GROUP),
        folder=bench.folder,
    )


async def _said(word: str, process: WorkerProcess) -> bool:
    return word in process.log_tail()
