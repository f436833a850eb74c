"""
What a second socket gains: `python -m tests.bench.two_sockets`.

The simulator delays every event of every connection by a constant and a random part, independently. Two connectors
run side by side on the same orders, one with a mirror. Latency is from execution to the consumer's receipt.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.contract.record import decode_order
from connector.contract.topics import ORDERS
from connector.local.broker import LocalKafka
from connector.simulator import Config, Fault, Simulator
from tests.bench.figures import percentile
from tests.bench.latency import Collector
from tests.chaos.live import subscribed
from tests.support.topics import prepare
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.simulator import Book
    from tests.bench.latency import Arrival

PARTITIONS = 8
WALLETS = 200
_LIVE_S = 60.0
_WARM_UP_S = 3.0
_DRAIN_S = 3.0
_POLL_S = 0.1
SIDES = {"one socket": ("dev-one",), "two sockets": ("dev-two", "dev-three")}
"""Name -> keys: the first's socket is the primary, the second's the mirror."""


class Gain(msgspec.Struct, kw_only=True):
    """Latencies in milliseconds."""

    latencies: dict[str, list[float]]
    """Side -> one for each order."""
    firsts: Counter[str]
    """Key of the two -> orders that its socket brought first."""
    leads: list[float]
    """By how much."""


def _connector(
    kafka: LocalKafka, simulator: Simulator, prefix: str, keys: tuple[str, ...], folder: Path
) -> WorkerProcess:
    mirror = {"MIRROR_API_KEY": keys[1]} if len(keys) > 1 else {}
    settings = {
        "PROVIDER": "simulator",
        "API_KEY": keys[0],
        "WS_URL": simulator.ws_url("{key}"),
        "TIER": "dev",
        "WALLETS": ",".join(simulator.wallets),
        "KAFKA": kafka.bootstrap,
        "TOPIC_PREFIX": prefix,
        "PARTITIONS": str(PARTITIONS),
    }
    return WorkerProcess([sys.executable, "-m", "connector"], settings | mirror, name=prefix, folder=folder)


async def measure(given: argparse.Namespace) -> Gain:
    """Run both connectors on the same orders."""
    slow = Fault(
        kind="slow_connection",
        when="handshake",
        times=None,
        delay=given.delay_ms / 1e3,
        jitter=given.jitter_ms / 1e3,
        seed=given.seed,
    )
    config = Config(market=given.seed, rate=given.rate, burst=1, wallets=WALLETS, paused=True, faults=(slow,))
    folder = Path(tempfile.mkdtemp(prefix="walletstream-bench-"))
    async with LocalKafka() as kafka, Simulator(config) as simulator:
        prefixes = {side: side.replace(" ", "-") + "." for side in SIDES}
        for prefix in prefixes.values():
            await prepare(kafka.bootstrap, prefix, PARTITIONS)
        one, two = (_connector(kafka, simulator, prefixes[side], keys, folder) for side, keys in SIDES.items())
        collectors = {side: Collector(kafka.bootstrap, prefix + ORDERS.name) for side, prefix in prefixes.items()}
        async with one, two, collectors["one socket"], collectors["two sockets"]:
            await _live(simulator)
            keys = {number: channel.target.key for number, channel in simulator._engine.channels.items()}
            simulator.play()
            await asyncio.sleep(_WARM_UP_S + given.seconds)
            simulator.pause()
            await simulator.settled()
            await asyncio.sleep(_DRAIN_S)
        return _gain(simulator.book, {side: each.arrivals for side, each in collectors.items()}, keys)


async def _live(simulator: Simulator) -> None:
    async with asyncio.timeout(_LIVE_S):
        while any(  # noqa: ASYNC110 - the simulator tells when asked
            len(subscribed(simulator).get(key, ())) < WALLETS for keys in SIDES.values() for key in keys
        ):
            await asyncio.sleep(_POLL_S)


def _gain(book: Book, arrivals: dict[str, list[Arrival]], keys: dict[int, str | None]) -> Gain:
    began = book.orders[0].executed_ns + _WARM_UP_S * 1e9
    executed: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for order in book.orders:
        content = content_id(parse_order(order.row))
        executed[event_id(content, seen[content])] = order.executed_ns
        seen[content] += 1
    latencies = {
        side: [
            (each.arrived_ns - executed[name]) / 1e6
            for each in found
            if executed[name := decode_order(each.record.value).event_id] >= began
        ]
        for side, found in arrivals.items()
    }
    brought: dict[int, dict[str, int]] = {}
    for delivery in book.deliveries:
        key = keys.get(delivery.connection)
        if key in SIDES["two sockets"] and book.orders[delivery.order - 1].executed_ns >= began:
            brought.setdefault(delivery.order, {})[key] = delivery.at_ns
    both = [times for times in brought.values() if len(times) == len(SIDES["two sockets"])]
    firsts = Counter(min(times, key=lambda key: times[key]) for times in both)
    return Gain(latencies=latencies, firsts=firsts, leads=[(max(t.values()) - min(t.values())) / 1e6 for t in both])


def tables(gain: Gain) -> Iterable[Any]:
    """Return the latencies side by side, and who was first."""
    one, two = (gain.latencies[side] for side in SIDES)
    table = Table(title="execution -> orders.v1, ms", title_justify="left")
    for column in ("", *SIDES, "gain", "gain, %"):
        table.add_column(column, justify="right")
    for percent in (50, 90, 99):
        alone, mirrored = percentile(one, percent), percentile(two, percent)
        saved = alone - mirrored
        table.add_row(f"p{percent}", f"{alone:.1f}", f"{mirrored:.1f}", f"{saved:.1f}", f"{100 * saved / alone:.0f}")
    table.add_row("orders", str(len(one)), str(len(two)), "", "")
    yield table
    for name, key in zip(("primary", "mirror"), SIDES["two sockets"], strict=True):
        yield f"{name} was first with {gain.firsts[key]} orders"
    yield f"the first led by p50 {percentile(gain.leads, 50):.1f} ms, p99 {percentile(gain.leads, 99):.1f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.two_sockets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=200.0, help="orders per second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured (default: %(default)s)")
    parser.add_argument("--delay-ms", type=float, default=20.0, help="of every event (default: %(default)s)")
    parser.add_argument(
        "--jitter-ms", type=float, default=40.0, help="mean of the random part, exponential (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of market and delays (default: %(default)s)")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains of elections that it waits for
    console = Console(width=120, highlight=False)
    for part in tables(uvloop.run(measure(given))):
        console.print(part)


if __name__ == "__main__":
    main()
