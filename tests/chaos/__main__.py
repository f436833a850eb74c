"""
The ledger test: `python -m tests.chaos`. A schedule of faults of every kind, then the book against the topics.

A seed decides the whole schedule, so a run that fails is repeated with its seed. The exit code is 1 when an order is
lost, published twice beyond the promise, or anything else is wrong; each fault is then told with its story.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

import msgspec
import uvloop
from rich.console import Console

from tests.chaos.options import Options
from tests.chaos.report import tables
from tests.chaos.run import run
from tests.support.progress import teller


def main() -> int:
    """Run, print the tables, and return the exit code."""
    given = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers die here on purpose
    say = teller()
    options = Options(
        faults=given.faults,
        seed=given.seed,
        replicas=given.replicas,
        dialect=given.dialect,
        mean_s=given.mean,
        naive=given.naive,
    )
    say(f"seed {options.seed}, {options.faults} faults, {options.dialect}")
    verdict, evidence = uvloop.run(run(options, say))
    if given.json:
        sys.stdout.write(
            msgspec.json.encode({"options": options, "struck": evidence.struck, "verdict": verdict}).decode()
        )
    else:
        Console(width=160, soft_wrap=True, highlight=False).print(tables(verdict, evidence))
    say(f"{'NOT ' if verdict.faults else ''}as promised; seed {options.seed}")
    return 1 if verdict.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    faults, seed = int(os.environ.get("CHAOS_FAULTS", "60")), int(os.environ.get("CHAOS_SEED", "1"))
    parser.add_argument("--faults", type=int, default=faults, help="how many (default: CHAOS_FAULTS, else 60)")
    parser.add_argument("--seed", type=int, default=seed, help="of the schedule (default: CHAOS_SEED, else 1)")
    parser.add_argument("--replicas", type=int, default=3, help="of the connector (default: %(default)s)")
    parser.add_argument("--dialect", choices=("dome", "predexon"), default="dome", help="of the provider")
    parser.add_argument("--mean", type=float, default=1.5, help="seconds between faults (default: %(default)s)")
    parser.add_argument(
        "--naive", choices=("repair", "dedupe"), help="show what is found without back-fill, or without deduplication"
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
