"""
Measures ours against the least that could do the job, and against others: `python -m tests.bench`.

latency     wire -> alert, against a floor without logic, at several loads
pump        wire -> orders.v1, the connector alone, against a bare socket and a bare producer
moments     wire -> alert while a worker dies, another one joins, the garbage collector runs
throughput  orders per CPU-second of the complete job, against a raw read; bytes of state per wallet
duel        the wallet half against Kafka Streams and Quix Streams, with the same answers
fold        what folding an order costs by rules, wallets and density, without Kafka
scale       the same by 10^3 to 10^6 wallets and 4 to 16 windows; bytes of memory per wallet
recovery    restoring 10^5 and 10^6 wallets, against the bare read
watching    a connector with 100 and 10,000 watched wallets

One run, one real broker, repetitions interleaved. Compare ratios: absolute figures are the machine's, and of how
quiet it is.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import orjson
import uvloop
from rich.console import Console

from tests.bench.plan import DEFAULT, QUICK
from tests.bench.report import tables
from tests.bench.run import PARTS, run
from tests.support.progress import teller


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small repetition of each, to try it out")
    parser.add_argument("--repetitions", type=int, help="of each measurement (default: 3)")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="measure these parts")
    parser.add_argument("--out", type=Path, help="write all figures of all repetitions to this file, as JSON")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains of elections that it waits for
    say = teller()
    plan = (QUICK if given.quick else DEFAULT).repeated(given.repetitions)
    results = uvloop.run(run(plan, given.only or list(PARTS), say))
    Console(width=120).print(tables(results))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
        say(f"figures of every repetition: {given.out}")


if __name__ == "__main__":
    main()
