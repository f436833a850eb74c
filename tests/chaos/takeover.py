"""
How long a lost replica's wallets are without one: `python -m tests.chaos.takeover`.

Three replicas share the wallets; one is killed, or asked to stop. Measured until each of its wallets is subscribed by
another one, as the simulator sees it. At the end the ledger says whether an order was missed; the exit code is 1 if so.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from typing import TYPE_CHECKING, Literal

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from tests.bench.figures import figure, percentile
from tests.chaos.journal import now_ms
from tests.chaos.live import subscribed
from tests.chaos.options import Options
from tests.chaos.run import begin, evidence_of, repaired
from tests.chaos.verdict import judge
from tests.chaos.world import world

if TYPE_CHECKING:
    from tests.chaos.replicas import Replica
    from tests.chaos.verdict import Verdict
    from tests.chaos.world import World

How = Literal["SIGKILL", "SIGTERM"]

_POLL_S = 0.02
_PATIENCE_S = 120.0
_CALM_S = 8.0


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """One replica lost. Times are in seconds from the signal."""

    how: How
    wallets: int
    first_s: float
    median_s: float
    last_s: float
    unheard: int
    """Orders of its wallets that no socket brought meanwhile; the repair has to fetch them."""


async def lose(made: World, replica: Replica, how: How) -> Takeover:
    """End a replica, and wait until each of its wallets is live elsewhere."""
    mine = subscribed(made.simulator)[replica.key]
    began_ms, began = now_ms(), time.perf_counter()
    ending = asyncio.create_task(_end(made, replica, how))
    live: dict[str, float] = {}
    async with asyncio.timeout(_PATIENCE_S):
        while len(live) < len(mine):
            others = [found for key, found in subscribed(made.simulator).items() if key != replica.key]
            for wallet in mine.difference(live).intersection(*[set().union(*others)]):
                live[wallet] = time.perf_counter() - began
            await asyncio.sleep(_POLL_S)
    await ending
    ends = {wallet: began_ms + after * 1e3 for wallet, after in live.items()}
    reached = {delivery.order for delivery in made.simulator.book.deliveries if delivery.reached}
    unheard = sum(
        began_ms <= order.executed_ns / 1e6 <= ends.get(order.user, 0) and order.seq not in reached
        for order in made.simulator.book.orders
    )
    times = sorted(live.values())
    return Takeover(
        how=how, wallets=len(mine), first_s=times[0], median_s=percentile(times, 50), last_s=times[-1], unheard=unheard
    )


async def _end(made: World, replica: Replica, how: How) -> None:
    async with replica.lock:
        with made.journal.during("replica_kill" if how == "SIGKILL" else "replica_term", replica=replica.name):
            await (replica.kill() if how == "SIGKILL" else replica.term())


async def measure(options: Options, repetitions: int, console: Console) -> tuple[list[Takeover], Verdict]:
    """Lose each replica in turn, in both ways."""
    found: list[Takeover] = []
    async with world(options) as made:
        await begin(made)
        ways: tuple[How, ...] = ("SIGKILL", "SIGTERM")
        for number in range(repetitions * len(ways)):
            replica = made.replicas[number % len(made.replicas)]
            takeover = await lose(made, replica, ways[number % len(ways)])
            console.print(
                f"{takeover.how}: {takeover.wallets} wallets live elsewhere after {takeover.first_s:.2f} -"
                f" {takeover.last_s:.2f} s; {takeover.unheard} orders to fetch"
            )
            found.append(takeover)
            await replica.start()
            async with asyncio.timeout(_PATIENCE_S):
                while not subscribed(made.simulator).get(replica.key):  # noqa: ASYNC110 - the simulator tells when asked
                    await asyncio.sleep(_POLL_S)
            await asyncio.sleep(_CALM_S)
        made.simulator.pause()
        left = await repaired(made)
        return found, judge(await evidence_of(made, {}), unsettled=left)


def table(found: list[Takeover]) -> Table:
    """Return the figures, the two ways side by side."""
    made = Table(title="Until another replica is live, s: median (least - most)", title_justify="left")
    for column in ("", "takeovers", "wallets", "first wallet", "median wallet", "last wallet", "orders to fetch"):
        made.add_column(column, justify="right")
    for how in ("SIGKILL", "SIGTERM"):
        runs = [each for each in found if each.how == how]
        if runs:
            made.add_row(
                how,
                str(len(runs)),
                f"{figure(each.wallets for each in runs):.0f}",
                *(f"{figure(getattr(each, name) for each in runs):.2f}" for name in ("first_s", "median_s", "last_s")),
                f"{figure(each.unheard for each in runs):.0f}",
            )
    return made


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.takeover",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repetitions", type=int, default=5, help="of each way (default: %(default)s)")
    parser.add_argument("--session-timeout", type=float, default=10.0, help="seconds (default: the connector's own)")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # members leave here on purpose
    options = Options(session_timeout=given.session_timeout, streams=False, listed=90, static=0)
    console = Console(width=120, highlight=False)
    found, verdict = uvloop.run(measure(options, given.repetitions, Console(stderr=True, highlight=False)))
    console.print(table(found))
    console.print(f"orders executed {verdict.executed}, owed {verdict.owed}, missed {len(verdict.lost)}")
    for line in verdict.faults:
        console.print(f"WRONG {line}", markup=False, soft_wrap=True)
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
