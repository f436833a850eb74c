"""The command line: `python -m connector.local`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from connector.contract.errors import ContractError
from connector.kafka.errors import KafkaShellError
from connector.kafka.settings import KafkaSettings
from connector.local.broker import logging_option
from connector.local.config import TOOL_OPTIONS, java_command
from connector.local.demo import demo, run_provided, run_simulated
from connector.local.errors import LocalError
from connector.local.interrupts import Interrupts
from connector.local.jars import cache_dir, jars_of
from connector.local.java import find_java
from connector.local.options import make_parser
from connector.local.plan import FAULTS, Plan, lasting_data_dir
from connector.process.environment import SettingsError, load
from connector.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code."""
    parser = make_parser()
    given, rest = parser.parse_known_args(arguments)
    if given.command == "consume":
        return _consume(given.topic, given.kafka, rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
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
        scenario=given.scenario or (FAULTS if os.environ.get("DEMO_FAULTS", "0") != "0" else None),
        security=load(KafkaSettings).client() if given.kafka is not None else {},
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
        security=settings.client(),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
