"""The command line: `python -m connector.local`."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from connector.contract.errors import ContractError
from connector.contract.topics import DEFAULT_PARTITIONS
from connector.kafka.errors import KafkaShellError
from connector.local.broker import logging_option
from connector.local.config import TOOL_OPTIONS, java_command
from connector.local.demo import demo, run_provided, run_simulated
from connector.local.errors import LocalError
from connector.local.interrupts import Interrupts
from connector.local.jars import cache_dir, jars_of
from connector.local.java import find_java
from connector.local.plan import MOST_WALLETS, Plan, lasting_data_dir
from connector.process.environment import SettingsError, load
from connector.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_MANUAL = """\
The whole system on one machine, with a real Apache Kafka and no Docker.

  up       Kafka, simulator, connector, streams worker and a live view, until Ctrl-C
  demo     the same on topics of its own, then an audit of the topics against the simulator's book;
           DEMO_SECONDS=30 ends it by itself
  run      the same on a provider, with your settings (PROVIDER, API_KEY, WALLETS, ...) from the environment
           and from `.env` here; `python -m connector --help` lists them. Topics and state outlive it
  consume  Kafka's own Java console consumer, e.g.
           consume alerts.v1 --kafka HOST:PORT --from-beginning --max-messages 3

Settings of the pieces come from the environment: RULES, PARTITIONS, TOPIC_PREFIX, ...
Exit codes: 0 fine, 1 something did not start, died, or the audit found a fault, 2 wrong usage or settings,
130 a demo interrupted before its audit.
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code."""
    given, rest = _parser().parse_known_args(arguments)
    if given.command == "consume":
        return _consume(given.topic, given.kafka, rest)
    if rest:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    console = Console()
    try:
        _check_worker(env_file=".env" if given.command == "run" else os.devnull)
        return asyncio.run(_run(given, _plan(given), console))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (LocalError, KafkaShellError, ContractError) as error:
        console.print(f"{type(error).__name__}: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        return 1


def _check_worker(env_file: str) -> None:
    """
    Let the worker check its settings and rules before anything is started.

    Raises:
        SettingsError: in the worker's words.
    """
    command = [sys.executable, "-m", "streams", "--env-file", env_file, "worker", "--check"]
    checked = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)  # noqa: S603 (the command is ours)
    if checked.returncode:
        raise SettingsError(checked.stderr.rstrip())


def _consume(topic: str, kafka: str, options: Sequence[str]) -> int:
    """Run Kafka's own console consumer on our terminal."""
    try:
        jars, java = jars_of("tools"), find_java()
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    command = java_command(
        java,
        jars,
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", kafka, "--topic", topic, *options),
        options=(*TOOL_OPTIONS, logging_option(cache_dir())),
    )
    return subprocess.run(command, check=False).returncode  # noqa: S603 (the command is ours)


async def _run(given: argparse.Namespace, plan: Plan, console: Console) -> int:
    interrupts = Interrupts(_current_task())
    try:
        if given.command == "demo":
            return 0 if await demo(plan, console, interrupts, seconds=given.seconds) else 1
        await (run_provided if given.command == "run" else run_simulated)(plan, console, interrupts)
    except asyncio.CancelledError:
        return 130 if given.command == "demo" else 0
    return 0


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (asyncio.run made one)
    return task


def _plan(given: argparse.Namespace) -> Plan:
    """A demo has topics of its own, so that its audit sees this run only."""
    if given.command == "run":
        return _provided_plan(given)
    prefix = os.environ.get("TOPIC_PREFIX", "")
    if given.command == "demo":
        prefix += f"demo-{uuid.uuid4().hex[:8]}."
    return Plan(
        kafka=given.kafka,
        data_dir=given.data,
        prefix=prefix,
        partitions=given.partitions,
        port=given.port,
        rate=given.rate,
        wallets=given.wallets,
        seed=given.seed,
        scenario=given.scenario,
    )


def _provided_plan(given: argparse.Namespace) -> Plan:
    """
    Return the plan of somebody's real settings.

    Raises:
        SettingsError: with every fault of them.
    """
    settings = load(Settings, Path(".env"))
    return Plan(
        kafka=given.kafka or (settings.kafka if "kafka" in settings.model_fields_set else None),
        data_dir=given.data or lasting_data_dir(os.environ, Path.home()),
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        port=given.port,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connector.local", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    kinds = {"up": "run on a simulator until Ctrl-C", "demo": "the same, then audit", "run": "run on a provider"}
    for name, text in kinds.items():
        command = commands.add_parser(name, help=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        _kafka_options(command, kept=name == "run")
        if name != "run":
            _market_options(command)
    commands.choices["demo"].add_argument(
        "--seconds", type=_seconds, default=os.environ.get("DEMO_SECONDS"), help="DEMO_SECONDS; without: until Ctrl-C"
    )
    consumer = commands.add_parser("consume", help="Kafka's own console consumer; further options are passed to it")
    consumer.add_argument("topic", help="the topic's full name")
    consumer.add_argument("--kafka", metavar="HOST:PORT", default=os.environ.get("KAFKA", "127.0.0.1:9092"))
    return parser


def _kafka_options(command: argparse.ArgumentParser, *, kept: bool) -> None:
    where = "XDG_DATA_HOME/walletstream/kafka, else ~/.local/share/..." if kept else "a temporary folder"
    cluster = "KAFKA, else one of our own" if kept else "one of our own"
    command.add_argument("--kafka", metavar="HOST:PORT", help=f"an existing cluster (default: {cluster})")
    command.add_argument(
        "--data", type=Path, metavar="DIR", help=f"where our own Kafka keeps its data (default: {where})"
    )
    command.add_argument("--port", type=int, default=0, help="port of our own Kafka; 0: any free one")


def _market_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rate", type=float, default=50.0, help="generated orders per second")
    command.add_argument("--wallets", type=_wallets, default=200, help="wallets watched, the busiest")
    command.add_argument("--seed", type=int, default=1, help="of the market")
    command.add_argument(
        "--partitions", type=int, default=os.environ.get("PARTITIONS", DEFAULT_PARTITIONS), help="PARTITIONS"
    )
    command.add_argument("--scenario", type=Path, metavar="FILE", help="faults of the simulator (YAML)")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text}")
    return seconds


def _wallets(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MOST_WALLETS:
        raise argparse.ArgumentTypeError(f"expected 1 to {MOST_WALLETS} (one subscription), got {text}")
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
