"""
Ours against Kafka Streams and Quix Streams on the same job: `python -m tests.bench.duel [--quick]`.

Each repetition writes one backlog, and every contestant reads it: raw reading, our wallet half, and the rivals that
can run here. They take turns at going first. Afterwards each one's last statistics and its alerts are compared with
the pure fold, so that nobody is fast by doing less. What counts is the stretch from a third of the backlog to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import uvloop
from rich.console import Console

from connector.local.broker import LocalKafka
from streams.rules.engine import load_rules
from tests.bench import rules
from tests.bench.filling import fill
from tests.bench.prepared import backlog
from tests.bench.progress import stretch, watch
from tests.bench.rivals.contest import Contest, LeftOut, ours, prepare
from tests.bench.rivals.expected import Expected
from tests.bench.rivals.kafka_streams import kafka_streams
from tests.bench.rivals.quix import quix
from tests.bench.rivals.verify import verify
from tests.bench.systems import PARTITIONS
from tests.bench.throughput import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.prepared import Backlog, Shape
    from tests.bench.rivals.contest import Contestant

    Say = Callable[[str], None]

RAW = "raw"
OURS = "ours"
RIVALS: Mapping[str, Callable[[Path], Contestant]] = {"kafka_streams": kafka_streams, "quix": quix}


class Plan(NamedTuple):
    """Sizes of a duel."""

    repetitions: int = 3
    orders: int = 300_000
    wallets: int = 10_000
    backlog_s: float = 3_600.0
    """Time over which the orders were executed and appended."""
    flush_s: float = 1.0
    """How often everybody publishes statistics, remembers state and commits."""


QUICK = Plan(repetitions=1, orders=90_000)


async def duel(kafka: str, folder: Path, plan: Plan, say: Say) -> dict[str, Any]:
    """
    Return what was measured: shape -> contestant -> one dict of figures per repetition; and who was left out.

    Raises:
        Different: a contestant did not do the whole job.
    """
    contestants, left_out = contestants_here(folder, say)
    rule_file = rules.fifty(folder / "fifty.yaml")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {shape: {} for shape in SHAPES}
    for shape in SHAPES:
        orders = _backlog(plan, shape)
        expected = Expected.of(orders, load_rules(rule_file.read_text(encoding="utf-8")))
        say(f"{shape}: {orders.orders:,} orders of {orders.wallets:,} wallets, {len(expected.alerts):,} alerts")
        for number in range(plan.repetitions):
            name = f"duel-{shape}-{number}"
            topic = await fill(kafka, f"{name}.", orders)
            for contestant in _turns([RAW, *contestants], number):
                if contestant == RAW:
                    figures = await _raw(kafka, topic, orders.orders)
                else:
                    contest = Contest(kafka, folder, topic, f"{name}-{contestant}.", rule_file, plan.flush_s)
                    figures = await run(contest, contestants[contestant], orders.orders)
                    figures["verified"] = (await verify(kafka, contest.prefix, expected))._asdict()
                found[shape].setdefault(contestant, []).append(figures)
                say(f"{shape} {number + 1}/{plan.repetitions} {contestant}: {figures['events_per_cpu_s']:,.0f}/CPU-s")
    return {"plan": plan._asdict(), "left_out": left_out, "shapes": found}


def _backlog(plan: Plan, shape: Shape) -> Backlog:
    return backlog(
        plan.orders,
        shape=shape,
        wallets=plan.wallets,
        partitions=PARTITIONS,
        start=time.time() - plan.backlog_s,  # noqa: TID251 - orders of now
        seconds=plan.backlog_s,
    )


def contestants_here(folder: Path, say: Say) -> tuple[dict[str, Contestant], list[str]]:
    """Return who can run on this machine, by name; and a sentence for everyone who cannot."""
    found: dict[str, Contestant] = {OURS: ours}
    left_out = []
    for name, make in RIVALS.items():
        try:
            found[name] = make(folder)
        except LeftOut as error:
            left_out.append(str(error))
            say(str(error))
    return found, left_out


def _turns(names: list[str], number: int) -> list[str]:
    """Return the names, another one first each time."""
    first = number % len(names)
    return names[first:] + names[:first]


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


async def _raw(kafka: str, topic: str, count: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.raw", kafka, topic, str(count), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    result: dict[str, Any] = orjson.loads(output)
    return result | {"events_per_cpu_s": result["events"] / result["cpu_s"]}


async def _main(plan: Plan, say: Say) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="walletstream-duel-"))
    say(f"starting Kafka; logs of the processes are in {folder}")
    async with LocalKafka() as kafka:
        return await duel(kafka.bootstrap, folder, plan, say)


def main() -> None:
    """Measure and print the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.duel", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small repetition, to try it out")
    parser.add_argument("--out", type=Path, help="write the figures to this file instead of the terminal, as JSON")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of elections that it waits for
    progress = Console(stderr=True, highlight=False)
    began = time.perf_counter()

    def say(text: str) -> None:
        progress.print(f"[dim]{time.perf_counter() - began:5.0f} s[/]  {text}", soft_wrap=True)

    found = orjson.dumps(uvloop.run(_main(QUICK if given.quick else Plan(), say)), option=orjson.OPT_INDENT_2)
    if given.out:
        given.out.write_bytes(found)
    else:
        print(found.decode())  # noqa: T201 - the result


if __name__ == "__main__":
    main()
