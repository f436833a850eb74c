"""
Measures ours against the least that could do the job: `python -m tests.bench`.

(a) wire -> alert latency against a floor without logic, (b) events per CPU-second of the complete job
against a raw read, (c) bytes of state per wallet, (d) what folding an order costs by rules, wallets and
density. One run, one real broker, repetitions interleaved.
Compare ratios: absolute figures are the machine's, and of how quiet it is.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import orjson
import uvloop
from rich.console import Console

from tests.bench.plan import DEFAULT, QUICK
from tests.bench.report import tables
from tests.bench.run import run

PARTS = ("latency", "throughput", "fold")


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small repetition of each, to try it out")
    parser.add_argument("--only", choices=PARTS, help="measure one part")
    parser.add_argument("--out", type=Path, help="write all figures of all repetitions to this file, as JSON")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of elections that it waits for
    progress = Console(stderr=True, highlight=False)
    began = time.perf_counter()

    def say(text: str) -> None:
        progress.print(f"[dim]{time.perf_counter() - began:5.0f} s[/]  {text}", soft_wrap=True)

    results = uvloop.run(run(QUICK if given.quick else DEFAULT, {given.only} if given.only else set(PARTS), say))
    Console(width=120).print(tables(results))
    if given.out:
        given.out.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
        say(f"figures of every repetition: {given.out}")


if __name__ == "__main__":
    main()
