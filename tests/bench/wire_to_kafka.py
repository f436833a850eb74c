"""
Wire -> orders topic at 1,000 orders/s: `python -m tests.bench.wire_to_kafka [--before CHECKOUT]`.

The floor (a bare socket and a bare producer), the connector of this checkout, and that of another one, in turn, on
one broker. Latency is from the provider's send to the consumer's receipt. Compare ratios: absolute figures are the
machine's, and of how quiet it is.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from rich.console import Console
from rich.table import Table

from connector.contract.topics import CONNECTOR_TOPICS, ORDERS
from connector.kafka.admin import ensure_topics
from connector.local.broker import LocalKafka
from tests.bench import latency, systems
from tests.bench.figures import figure
from tests.bench.loads import Load
from tests.bench.systems import PARTITIONS, Bench, Running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.latency import System

Results = dict[str, list[dict[str, Any]]]
_ROWS = (("p50_ms", "p50, ms"), ("p99_ms", "p99, ms"), ("cpu_us_per_event", "CPU, us/order"))


@asynccontextmanager
async def floor(bench: Bench, *, prefix: str, url: str, wallets: list[str]) -> AsyncIterator[Running]:  # noqa: ARG001 - as `connector`
    """Run a bare socket and a bare producer."""
    topic = f"{prefix}{ORDERS.name}"
    await ensure_topics(bench.kafka, [ORDERS.prefixed(prefix)], partitions=PARTITIONS)
    async with systems.bare(bench, url, topic) as process:
        yield Running(topic, (process,))


@asynccontextmanager
async def connector(
    bench: Bench, *, prefix: str, url: str, wallets: list[str], checkout: Path | None = None
) -> AsyncIterator[Running]:
    """Run the connector, of this checkout or of another one."""
    await ensure_topics(bench.kafka, [spec.prefixed(prefix) for spec in CONNECTOR_TOPICS], partitions=PARTITIONS)
    elsewhere = {} if checkout is None else {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(checkout)}
    async with systems.connector(bench, prefix, url, wallets, elsewhere) as process:
        yield Running(f"{prefix}{ORDERS.name}", (process,))


async def measure(measured: dict[str, System], given: argparse.Namespace, console: Console) -> Results:
    """Measure the systems in turn, each repetition beginning with another one."""
    found: Results = {name: [] for name in measured}
    folder = Path(tempfile.mkdtemp(prefix="walletstream-bench-"))
    async with LocalKafka() as kafka:
        for number in range(given.repetitions):
            names = list(measured)
            for place in range(len(names)):
                name = names[(place + number) % len(names)]
                figures = await latency.repetition(
                    Bench(kafka.bootstrap, folder),
                    measured[name],
                    prefix=f"{name}-{number}.",
                    load=Load(given.rate),
                    seconds=given.seconds,
                    warm_up_s=given.warm_up,
                )
                found[name].append(figures)
                console.print(
                    f"{number + 1}/{given.repetitions} {name}: p50 {figures['p50_ms']:.2f} ms,"
                    f" p99 {figures['p99_ms']:.2f} ms, {figures['missing']} missing"
                )
    return found


def table(found: Results, rate: float) -> Table:
    """Return medians with their extremes, and each system's ratio to the floor and to the one before."""
    made = Table(title=f"wire -> orders.v1 at {rate:,.0f}/s: median (least - most)", title_justify="left")
    for column in ("", *found, "now / floor", *(["now / before"] if "before" in found else [])):
        made.add_column(column, justify="right")
    for key, label in _ROWS:
        figures = {name: figure(run[key] for run in runs) for name, runs in found.items()}
        others = [figures[name] for name in ("floor", "before") if name in figures]
        cells = [f"{each:.2f}" for each in figures.values()]
        made.add_row(label, *cells, *(f"{figures['now'] / other:.2f}" for other in others))
    made.add_row("missing", *(str(sum(run["missing"] for run in runs)) for runs in found.values()))
    return made


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.wire_to_kafka",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout to compare with")
    parser.add_argument("--repetitions", type=int, default=5, help="of each system (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1_000.0, help="orders per second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured (default: %(default)s)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds before, left out (default: %(default)s)")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of elections that it waits for
    measured: dict[str, System] = {"floor": floor}
    if given.before is not None:
        measured["before"] = partial(connector, checkout=given.before.resolve())
    measured["now"] = connector
    progress = Console(stderr=True, highlight=False)
    Console(width=120).print(table(uvloop.run(measure(measured, given, progress)), given.rate))


if __name__ == "__main__":
    main()
