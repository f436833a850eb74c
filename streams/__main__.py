"""`python -m streams`: the worker, notifications, and everything about rules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from connector.process.environment import SettingsError, manual
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from connector.process.pages import page
from streams.commands import board, explain, notify, rules, worker
from streams.rules.errors import InvalidDocument
from streams.settings import Settings
from streams.shards.shard import Shard

_MANUAL = page(
    """\
Statistics, alerts and rules on the orders of orders.v1, a page of them, and notifications.

Each command has a page of its own: `COMMAND --help`.
""",
    "KAFKA=broker:9092 python -m streams worker",
    "python -m streams rules check my-rules.yaml",
    codes={
        DONE: "stopped as asked, or everything is fine",
        FAILED: "a defect, or something that cannot be repaired by trying again: see the log",
        USAGE: "settings or rules are missing or wrong",
        KAFKA: "",
        INTERRUPTED: "",
    },
    settings=(
        "of worker and rules, from the environment and from a file of NAME=value lines; notify and board tell theirs"
        f"\n{manual(Settings)}"
    ),
)


def main(*, shard_type: type[Shard[Any]] = Shard) -> int:
    """Run a command and return the exit code; `shard_type` is for experiments with other ways to admit."""
    given = _parser(shard_type).parse_args()
    try:
        code: int = given.run(given)
    except (SettingsError, InvalidDocument) as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n" if error.filename else f"{error}\n")
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parser(shard_type: type[Shard[Any]]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streams", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
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
