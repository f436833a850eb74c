"""`python -m streams worker`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog

from connector.contract.errors import ContractError
from connector.kafka.errors import KafkaShellError
from connector.process.environment import load
from connector.process.exits import DONE, FAILED, KAFKA, USAGE
from connector.process.logs import Scrubber, configure
from streams.commands import command
from streams.commands.known import compile_file
from streams.rules.registry import Registry
from streams.settings import Settings
from streams.shards.shard import Shard
from streams.worker import run_worker

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands

_DOC = """\
Fold orders.v1 into statistics and alerts, until SIGTERM or Ctrl-C.

Several workers share the partitions. State is kept in Kafka, exact across crashes; a restart goes on where it was.
"""


def register(commands: Commands, *, shard_type: type[Shard[Any]] = Shard) -> None:
    """Add the command; `shard_type` is for experiments with other ways to admit."""
    parser = command(
        commands,
        "worker",
        _DOC,
        "worker",
        "worker --check",
        codes={DONE: "", FAILED: "a defect, see the log", USAGE: "settings or rules are missing or wrong", KAFKA: ""},
        settings="python -m streams --help lists them",
    )
    parser.add_argument("--check", action="store_true", help="check settings and rules, and exit")
    parser.set_defaults(run=lambda given: _worker(given, shard_type))


def _worker(given: argparse.Namespace, shard_type: type[Shard[Any]]) -> int:
    settings = load(Settings, given.env_file)
    rules = compile_file(settings.rules)
    if given.check:
        return DONE
    scrubber = Scrubber([settings.kafka_password.get_secret_value()])
    configure(level=settings.log_level, form=settings.log_format, scrubber=scrubber)
    try:
        run_worker(settings, Registry(rules, delay_ms=round(settings.rules_delay * 1_000)), shard_type=shard_type)
    except (KafkaShellError, ContractError) as error:
        structlog.get_logger("streams").error("worker.failed", error=str(error), exit_code=KAFKA)
        sys.exit(KAFKA)
