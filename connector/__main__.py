"""`python -m connector`: the connector as a process."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from connector.contract.errors import ContractError, TopicMismatch
from connector.dead import command as dead
from connector.doctor import command as doctor
from connector.errors import DeadLetterFlood, DrainTimeout, ProviderRefused, PublishFailed, StatusUnserved
from connector.kafka.errors import InstanceTaken, KafkaShellError
from connector.kafka.loop import new_loop
from connector.kafka.settings import KafkaSettings
from connector.process import collector
from connector.process.environment import SettingsError, load, manual
from connector.process.exits import DONE, FAILED, FLOODED, INTERRUPTED, KAFKA, REFUSED, UNPUBLISHED, USAGE
from connector.process.logs import Scrubber, configure
from connector.process.pages import page
from connector.service import serve
from connector.settings import Settings
from connector.watch import command as watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


_EXIT_CODES: dict[type[BaseException], int] = {
    StatusUnserved: USAGE,
    InstanceTaken: USAGE,
    ProviderRefused: REFUSED,
    KafkaShellError: KAFKA,
    TopicMismatch: KAFKA,
    PublishFailed: UNPUBLISHED,
    DrainTimeout: UNPUBLISHED,
    DeadLetterFlood: FLOODED,
}

_TOOLS = {"watch": watch, "dead": dead}
"""Commands beside running the connector: modules with `add_parser` and `run`."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)

_WHAT = """\
Subscribes to the orders of watched wallets on a provider's WebSocket and publishes each one
once to Kafka, topic orders.v1 (what cannot be read goes to orders-dead.v1). What a socket may
have missed is fetched from REST; gaps.v1 and coverage.v1 tell what is complete.

SIGTERM or Ctrl-C closes the socket, publishes what had reached it, and exits within 10 s.
"""
_CODES = {
    DONE: "stopped as asked, everything published",
    FAILED: "unexpected error, see the log",
    USAGE: "settings are missing or wrong: also an address or a name that another process has",
    REFUSED: "",
    KAFKA: "",
    UNPUBLISHED: "",
    FLOODED: "",
}
_MANUAL = page(
    f"{_WHAT}\nWithout a command it runs; `COMMAND --help` is the page of each of the others.",
    "python -m connector doctor",
    "PROVIDER=predexon TIER=dev API_KEY=... KAFKA=broker:9092 python -m connector",
    "python -m connector watch add 0x6031b6eed1c97e853c6e0f03ad3ce3529351f96d --label whale",
    codes=_CODES,
    settings=f"from the environment and from a file of NAME=value lines\n{manual(Settings)}",
)
_RUN = page(
    _WHAT,
    "PROVIDER=predexon TIER=dev API_KEY=... KAFKA=broker:9092 python -m connector run",
    "python -m connector run --check",
    codes=_CODES,
    settings="python -m connector --help lists them",
)


def main() -> int:
    """Run, and return the exit code."""
    options = _parser().parse_args()
    try:
        if options.command == "doctor":
            return doctor.run(options)
        if options.command in _TOOLS:
            return _tool(_TOOLS[options.command], options)
        settings = load(Settings, options.env_file)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    scrubber = Scrubber([*settings.secrets, settings.kafka_password.get_secret_value()])
    configure(level=settings.log_level, form=settings.log_format, scrubber=scrubber)
    return DONE if options.check else _run(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connector", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="file with settings [.env]")
    parser.add_argument("--check", action="store_true", help="check the settings and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    running = commands.add_parser(
        "run",
        help="run the connector, as without a command",
        description=_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    running.add_argument("--check", action="store_true", default=argparse.SUPPRESS, help="check the settings and exit")
    for tool in (doctor, *_TOOLS.values()):
        tool.add_parser(commands)
    return parser


def _tool(tool: ModuleType, options: argparse.Namespace) -> int:
    """Run a command that works on Kafka alone, and return the exit code."""
    settings = load(KafkaSettings, options.env_file)
    configure(level="warning", form="console", scrubber=Scrubber([settings.kafka_password.get_secret_value()]))
    try:
        return int(asyncio.run(tool.run(options, settings)))
    except (KafkaShellError, ContractError) as error:
        sys.stderr.write(f"{error}\n")
        return KAFKA
    except KafkaError as error:
        sys.stderr.write(f"the Kafka at {settings.kafka} does not do it: {error!r}\n")
        return KAFKA
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(settings: Settings) -> int:
    log = structlog.get_logger("connector")
    collector.spare()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve_until_signal(settings))
    except Exception as error:
        expected = {str(leaf): _exit_code(leaf) for leaf in _leaves(error)}
        if FAILED in expected.values():
            log.exception("connector.crashed", exit_code=FAILED)
            return FAILED
        for message, code in expected.items():
            log.error("connector.failed", error=message, exit_code=code)  # noqa: TRY400 - expected: no trace
        return max(expected.values())
    return DONE


def _exit_code(error: BaseException) -> int:
    return next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), FAILED)


async def _serve_until_signal(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOPPING:
        # Not the loop's own handlers: it takes them back at its end, and a second signal would kill a clean exit.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        await serve(settings, stop)
    finally:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
