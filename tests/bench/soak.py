"""
Whether memory stays flat: `python -m tests.bench.soak --minutes 60`.

A simulated market whose connections break now and then, a connector and a worker. Memory is flat where the last
third of the run holds at most 5 % more than the second third; windows and memories fill in the first.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import uvloop
from rich.console import Console
from rich.table import Table

from connector.contract.topics import CONNECTOR_TOPICS
from connector.kafka.admin import ensure_topics
from connector.local.broker import LocalKafka
from connector.simulator import Config, Simulator
from connector.simulator.faults import Fault
from streams.settings import SHIPPED_RULES
from tests.bench.systems import PARTITIONS, Bench, connector, worker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.workers import WorkerProcess

WALLETS = 500
FLAT = 1.05
_EVERY_S = 5.0
_BREAK_EVERY = 24
"""Samples between two broken connections: two minutes."""


def growth(samples: Sequence[float]) -> float:
    """Return the median of the last third over that of the second."""
    third = len(samples) // 3
    return median(samples[2 * third :]) / median(samples[third : 2 * third])


async def soak(*, minutes: float, rate: float) -> dict[str, list[float]]:
    """Run it all; return MiB of resident memory by process, every five seconds."""
    folder = Path(tempfile.mkdtemp(prefix="walletstream-soak-"))
    config = Config(market=7, rate=rate, burst=1, wallets=WALLETS, paused=True)
    async with AsyncExitStack() as running:
        kafka = await running.enter_async_context(LocalKafka())
        simulator = await running.enter_async_context(Simulator(config))
        bench = Bench(kafka.bootstrap, folder)
        await ensure_topics(kafka.bootstrap, CONNECTOR_TOPICS, partitions=PARTITIONS)
        url = simulator.ws_url("{key}").removesuffix("/{key}")
        processes = {
            "worker": await running.enter_async_context(worker(bench, "", SHIPPED_RULES)),
            "connector": await running.enter_async_context(connector(bench, "", url, simulator.wallets)),
        }
        simulator.play()
        return await _sampled(processes, simulator, round(minutes * 60 / _EVERY_S))


async def _sampled(processes: Mapping[str, WorkerProcess], simulator: Simulator, count: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name in processes}
    for number in range(1, count + 1):
        await asyncio.sleep(_EVERY_S)
        for name, process in processes.items():
            process.check()
            samples[name].append(psutil.Process(process.pid).memory_info().rss / 2**20)
        if number % _BREAK_EVERY == 0:
            simulator.inject(Fault(kind="drop"))
    return samples


def main() -> None:
    """Run, print the table; exit 1 where memory grew."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="default: %(default)s")
    parser.add_argument("--rate", type=float, default=100.0, help="orders per second (default: %(default)s)")
    given = parser.parse_args()
    samples = uvloop.run(soak(minutes=given.minutes, rate=given.rate))
    table = Table(
        title=f"resident memory over {given.minutes:g} minutes at {given.rate:g}/s, MiB", title_justify="left"
    )
    for column in ("", "after a third", "at the end", "most", "growth", "verdict"):
        table.add_column(column, justify="right")
    for name, held in samples.items():
        grown = growth(held)
        cells = (f"{held[len(held) // 3]:.0f}", f"{held[-1]:.0f}", f"{max(held):.0f}", f"{grown:.3f}")
        table.add_row(name, *cells, "MET" if grown <= FLAT else "NOT MET")
    Console(width=120).print(table)
    sys.exit(any(growth(held) > FLAT for held in samples.values()))


if __name__ == "__main__":
    main()
