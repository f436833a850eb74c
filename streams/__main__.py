"""
Commands of streams.

    python -m streams worker     fold orders into statistics and alerts until SIGTERM

Settings come from the environment and `.env`; see `streams.settings`.
Exit codes: 0 stopped by a signal, 1 a defect or Kafka gone for good, 2 settings or rules are wrong.
"""

from __future__ import annotations

import argparse

from connector.logs import Scrubber, configure
from streams.rules.interface import NoRules
from streams.settings import Settings
from streams.worker import run_worker


def main() -> None:
    """Parse the command line and run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m streams", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["worker"])
    parser.parse_args()
    configure(level="info", form="auto", scrubber=Scrubber([]))
    run_worker(Settings(), NoRules())


if __name__ == "__main__":
    main()
