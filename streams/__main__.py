"""
Commands of streams.

    python -m streams worker     fold orders into statistics and alerts until SIGTERM

Settings come from the environment and `.env`; see `streams.settings`.
Exit codes: 0 stopped by a signal, 1 a defect or Kafka gone for good, 2 settings or rules are wrong.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from connector.logs import Scrubber, configure
from streams.rules.engine import load_rules
from streams.rules.errors import InvalidRules
from streams.settings import Settings
from streams.shards.shard import Shard
from streams.worker import run_worker


def main(*, shard_type: type[Shard[Any]] = Shard) -> None:
    """Parse the command line and run the command; `shard_type` is for experiments with other ways to admit."""
    parser = argparse.ArgumentParser(
        prog="python -m streams", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["worker"])
    parser.parse_args()
    configure(level="info", form="auto", scrubber=Scrubber([]))
    settings = Settings()
    try:
        rules = load_rules(settings.rules.read_text(), name=str(settings.rules), topic=settings.source_topic)
    except (InvalidRules, OSError) as error:
        sys.exit(f"{error}")
    run_worker(settings, rules, shard_type=shard_type)


if __name__ == "__main__":
    main()
