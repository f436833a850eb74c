"""
Sends mutated frames through session, intake and memory: `python -m tests.fuzz`.

Every frame ends as exactly one of order, duplicate, unsettled, dead letter, ack, refusal or ignored; no exception,
no memory that grows, and every dead letter can be read back. A failing seed replays.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from connector.dialects.dome import Dome
from connector.dialects.predexon import Predexon
from tests.fuzz.run import FrameFailed, Result, run

_MOST_GROWTH = 1.1


def main() -> int:
    """Run each dialect with half of the frames and print what became of them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=1_000_000, help="in all (default: a million)")
    parser.add_argument("--seed", type=int, help="of a run to see again")
    given = parser.parse_args()
    seed = random.randrange(2**32) if given.seed is None else given.seed
    grown = False
    for dialect in (Dome(), Predexon()):
        began = time.perf_counter()
        try:
            result = run(dialect, given.frames // 2, seed)
        except FrameFailed as error:
            sys.stderr.write(f"FAILED {error}\n")
            return 1
        _tell(dialect.name, seed, result, time.perf_counter() - began)
        grown |= result.growth > _MOST_GROWTH
    return int(grown)


def _tell(dialect: str, seed: int, result: Result, seconds: float) -> None:
    frames = sum(result.outcomes.values())
    sys.stdout.write(
        f"{dialect}, seed {seed}: {frames:,} frames in {seconds:.1f} s, {frames / seconds:,.0f} a second\n"
    )
    for title, counts in (("became", result.outcomes), ("counted", result.counts)):
        line = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
        sys.stdout.write(f"  {title}: {line}\n")
    sys.stdout.write(
        f"  memory: {result.resident[-1] / 1e6:.1f} MB, last quarter / first quarter {result.growth:.3f}"
        f" (at most {_MOST_GROWTH})\n"
    )


if __name__ == "__main__":
    sys.exit(main())
