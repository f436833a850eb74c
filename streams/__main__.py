"""`python -m streams`: the worker, and what helps to write rules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from connector.contract.errors import ContractError
from connector.kafka.errors import KafkaShellError
from connector.process.environment import SettingsError, load, manual
from connector.process.logs import Scrubber, configure
from streams.rules.engine import load_rules
from streams.rules.errors import InvalidRules
from streams.rules.reference import reference
from streams.settings import SHIPPED_RULES, Settings
from streams.shards.shard import Shard
from streams.worker import run_worker

if TYPE_CHECKING:
    from streams.rules.engine import Engine

_MANUAL = f"""\
commands:
  worker                fold orders.v1 into statistics and alerts, until SIGTERM or Ctrl-C
  worker --check        check settings and rules, and exit
  rules check [FILE]    type-check a rules file; default: the rules shipped
  rules vocabulary      every variable that a rule can use, as a Markdown table

settings of the worker, from the environment and from a file of NAME=value lines:
{manual(Settings)}

exit codes:
  0  stopped as asked, or the rules are fine
  1  a defect, or something that cannot be repaired by trying again: see the log
  2  settings or rules are missing or wrong
  4  Kafka cannot be reached, or a topic has other settings than the contract's
"""


def main(*, shard_type: type[Shard[Any]] = Shard) -> int:
    """Run a command and return the exit code; `shard_type` is for experiments with other ways to admit."""
    given = _parser().parse_args()
    try:
        if given.command == "worker":
            _worker(given.env_file, shard_type, check=given.check)
        elif given.action == "vocabulary":
            sys.stdout.write(reference() + "\n")
        else:
            sys.stdout.write(f"{len(_rules(given.file).rules)} rules, all fine\n")
    except (SettingsError, InvalidRules, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _worker(env_file: Path, shard_type: type[Shard[Any]], *, check: bool) -> None:
    settings = load(Settings, env_file)
    rules = _rules(settings.rules, topic=settings.source_topic)
    if check:
        return
    configure(level=settings.log_level, form=settings.log_format, scrubber=Scrubber([]))
    try:
        run_worker(settings, rules, shard_type=shard_type)
    except (KafkaShellError, ContractError) as error:
        structlog.get_logger("streams").error("worker.failed", error=str(error), exit_code=4)
        sys.exit(4)


def _rules(path: Path, **options: str) -> Engine:
    return load_rules(path.read_text(encoding="utf-8"), name=str(path), **options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streams", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="file with settings [.env]")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("worker").add_argument("--check", action="store_true")
    actions = commands.add_parser("rules").add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("check").add_argument("file", type=Path, nargs="?", default=SHIPPED_RULES)
    actions.add_parser("vocabulary")
    return parser


if __name__ == "__main__":
    sys.exit(main())
