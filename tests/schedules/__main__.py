"""
Fault schedules of the workers: `python -m tests.schedules`.

Workers are killed, stopped and added, the broker dies, rules change and orders come out of order; then statistics have
to equal the oracle's exactly, and alerts those of a replay of the same logs, word for word. A seed decides the
schedule, so a run that fails is repeated with its seed. The exit code is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from connector.local.broker import LocalKafka
from tests.schedules.run import Result, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS_PER_BROKER = 5
"""A broker with many topics comes back slowly."""


def main() -> int:
    """Do all runs, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.schedules", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    runs, seed = int(os.environ.get("SCHEDULES", "10")), int(os.environ.get("SCHEDULES_SEED", "1"))
    parser.add_argument("--runs", type=int, default=runs, help="how many seeds (default: SCHEDULES, else 10)")
    parser.add_argument("--seed", type=int, default=seed, help="the first one (default: SCHEDULES_SEED, else 1)")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers die here on purpose
    seeds = range(given.seed, given.seed + given.runs)
    results = asyncio.run(run_all(seeds, Console(stderr=True, highlight=False)))
    Console(width=120, highlight=False).print(_table(results))
    return 1 if any(result.faults for result in results.values()) else 0


async def run_all(seeds: Sequence[int], progress: Console) -> dict[int, Result]:
    """Do the runs one after the other."""
    results: dict[int, Result] = {}
    for first in range(0, len(seeds), RUNS_PER_BROKER):
        async with LocalKafka() as kafka:
            for seed in seeds[first : first + RUNS_PER_BROKER]:
                folder = Path(tempfile.mkdtemp(prefix=f"walletstream-schedule-{seed}-"))
                result = results[seed] = await Run(kafka, folder, seed).go()
                verdict = "exact" if not result.faults else "NOT exact: " + "\n".join(result.faults)
                progress.print(f"seed {seed}: {', '.join(result.acts)}: {verdict}", soft_wrap=True)
    return results


def _table(results: dict[int, Result]) -> Table:
    exact = sum(not result.faults for result in results.values())
    acts = Counter(act.partition(" ")[0] for result in results.values() for act in result.acts)
    table = Table(title=f"{exact} of {len(results)} schedules exact", title_justify="left", show_header=False)
    for act, count in acts.most_common():
        table.add_row(act, f"{count:,}")
    table.add_row("changes of rules in force", f"{sum(result.changes for result in results.values()):,}")
    table.add_row("orders", f"{sum(result.orders for result in results.values()):,}")
    table.add_row("alerts compared", f"{sum(result.alerts for result in results.values()):,}")
    table.add_row("seeds that failed", ", ".join(str(seed) for seed, each in results.items() if each.faults) or "none")
    return table


if __name__ == "__main__":
    sys.exit(main())
