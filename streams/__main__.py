"""`python -m streams`: the worker, notifications, and everything about rules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from connector.process.environment import SettingsError, manual
from streams.commands import board, explain, notify, rules, worker
from streams.rules.errors import InvalidDocument
from streams.settings import Settings
from streams.shards.shard import Shard

_MANUAL = f"""\
settings of worker and rules, from the environment and from a file of NAME=value lines; notify --help has its own:
{manual(Settings)}

exit codes:
  0  stopped as asked, or everything is fine
  1  a defect, or something that cannot be repaired by trying again: see the log
  2  settings or rules are missing or wrong
  4  Kafka cannot be reached, or a topic has other settings than the contract's
"""


def main(*, shard_type: type[Shard[Any]] = Shard) -> int:
    """Run a command and return the exit code; `shard_type` is for experiments with other ways to admit."""
    given = _parser(shard_type).parse_args()
    try:
        code: int = given.run(given)
    except (SettingsError, InvalidDocument, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return code


def _parser(shard_type: type[Shard[Any]]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streams", epilog=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="file with settings [.env]")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    worker.register(commands, shard_type=shard_type)
    rules.register(commands)
    explain.register(commands)
    board.register(commands)
    notify.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
