"""
Ours against Kafka Streams and Quix Streams on the same job: `python -m tests.bench.duel [--quick]`.

Each repetition writes one backlog, and every contestant reads it: raw reading, our wallet half, and the rivals that
can run here. They take turns at going first. Afterwards each one's last statistics and its alerts are compared with
the pure fold, so that nobody is fast by doing less. What counts is the stretch from a third of the backlog to its end.

A JVM that has not run for long compiles more than it works, so --quick says little of Kafka Streams.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import uvloop

from connector.local.broker import LocalKafka
from streams.rules.engine import load_rules
from tests.bench import raw, rules
from tests.bench.filling import fill
from tests.bench.prepared import backlog
from tests.bench.rivals.contest import Contest
from tests.bench.rivals.contestants import CONTESTANTS, RAW, ready, run
from tests.bench.rivals.expected import Expected
from tests.bench.rivals.verify import verify
from tests.bench.systems import PARTITIONS
from tests.bench.throughput import SHAPES
from tests.support.progress import teller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.bench.prepared import Backlog, Shape
    from tests.bench.rivals.contest import Contestant
    from tests.support.progress import Say

    Figures = dict[str, Any]

USUAL = (RAW, "ours", "kafka_streams", "quix")


class Plan(NamedTuple):
    """Sizes of a duel."""

    repetitions: int = 3
    orders: int = 300_000
    wallets: int = 10_000
    backlog_s: float = 3_600.0
    """Time over which the orders were executed and appended."""
    flush_s: float = 1.0
    """How often everybody publishes statistics, remembers state and commits."""


QUICK = Plan(repetitions=1, orders=120_000)


class Course(NamedTuple):
    """What all contestants have to get through."""

    kafka: str
    folder: Path
    orders: Backlog
    rules: Path
    expected: Expected
    flush_s: float


async def duel(kafka: str, folder: Path, plan: Plan, say: Say, systems: Sequence[str] = USUAL) -> Figures:
    """
    Return what was measured: shape -> system -> one dict of figures per repetition; and a sentence for who is missing.

    Raises:
        Different: a contestant did not do the whole job.
    """
    contestants, left_out = ready(systems, folder)
    for sentence in left_out:
        say(sentence)
    here = [name for name in systems if name == RAW or name in contestants]
    found: dict[str, dict[str, list[Figures]]] = {shape: {name: [] for name in here} for shape in SHAPES}
    for shape in SHAPES:
        course = _course(kafka, folder, plan, shape)
        made = f"{course.orders.wallets:,} wallets, {len(course.expected.alerts):,} alerts"
        say(f"{shape}: {course.orders.orders:,} orders, {made}")
        for number in range(plan.repetitions):
            first = number % len(here)
            turns = [*here[first:], *here[:first]]
            async for name, figures in _repetition(course, f"duel-{shape}-{number}", turns, contestants):
                found[shape][name].append(figures)
                say(
                    f"{shape} {number + 1}/{plan.repetitions} {name}: {figures['events_per_cpu_s']:,.0f} per CPU-second"
                )
    return {"plan": plan._asdict(), "left_out": left_out, "shapes": found}


def _course(kafka: str, folder: Path, plan: Plan, shape: Shape) -> Course:
    orders = backlog(
        plan.orders,
        shape=shape,
        wallets=plan.wallets,
        partitions=PARTITIONS,
        start=time.time() - plan.backlog_s,  # noqa: TID251 - orders of now
        seconds=plan.backlog_s,
    )
    rule_file = rules.fifty(folder / "fifty.yaml")
    expected = Expected.of(orders, load_rules(rule_file.read_text(encoding="utf-8")))
    return Course(kafka, folder, orders, rule_file, expected, plan.flush_s)


async def _repetition(
    course: Course, name: str, turns: Sequence[str], contestants: Mapping[str, Contestant]
) -> AsyncIterator[tuple[str, Figures]]:
    """Write the orders anew, and let everyone get through them, one after the other; yield the figures of each."""
    topic = await fill(course.kafka, f"{name}.", course.orders)
    for system in turns:
        if system == RAW:
            yield system, await raw.measured(course.kafka, topic, course.orders.orders)
            continue
        contest = Contest(course.kafka, course.folder, topic, f"{name}-{system}.", course.rules, course.flush_s)
        figures = await run(contest, contestants[system], course.orders.orders)
        verified = await verify(course.kafka, contest.prefix, course.expected)
        yield system, figures | {"verified": verified._asdict()}


async def _main(plan: Plan, say: Say, systems: Sequence[str]) -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="walletstream-duel-"))
    say(f"starting Kafka; logs of the processes are in {folder}")
    async with LocalKafka() as kafka:
        return await duel(kafka.bootstrap, folder, plan, say, systems)


def main() -> None:
    """Measure and print the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.duel", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small repetition, to try it out")
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=[RAW, *CONTESTANTS],
        default=USUAL,
        metavar="SYSTEM",
        help=f"who takes part, of {', '.join([RAW, *CONTESTANTS])} (default: {' '.join(USUAL)})",
    )
    parser.add_argument("--out", type=Path, help="write the figures to this file instead of the terminal, as JSON")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of elections that it waits for
    say = teller()
    found = orjson.dumps(
        uvloop.run(_main(QUICK if given.quick else Plan(), say, given.systems)), option=orjson.OPT_INDENT_2
    )
    if given.out:
        given.out.write_bytes(found)
    else:
        print(found.decode())  # noqa: T201 - the result


if __name__ == "__main__":
    main()
