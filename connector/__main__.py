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
from connector.process.logs import Scrubber, configure
from connector.service import serve
from connector.settings import Settings
from connector.watch import command as watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


_EXIT_CODES: dict[type[BaseException], int] = {
    StatusUnserved: 2,
    InstanceTaken: 2,
    ProviderRefused: 3,
    KafkaShellError: 4,
    TopicMismatch: 4,
    PublishFailed: 5,
    DrainTimeout: 5,
    DeadLetterFlood: 6,
}

_TOOLS = {"watch": watch, "dead": dead}
"""Commands beside running the connector: modules with `add_parser` and `run`."""

_STOPPING = (signal.SIGTERM, signal.SIGINT)

_MANUAL = f"""\
Subscribes to the orders of watched wallets on a provider's WebSocket and publishes each one
once to Kafka, topic orders.v1 (what cannot be read goes to orders-dead.v1). What a socket may
have missed is fetched from REST; gaps.v1 and coverage.v1 tell what is complete.

SIGTERM or Ctrl-C closes the socket, publishes what had reached it, and exits within 10 s.

settings, from the environment and from a file of NAME=value lines:
{manual(Settings)}

exit codes:
  0  stopped as asked, everything published
  1  unexpected error, see the log
  2  settings are missing or wrong: also an address or a name that another process has
  3  the provider refused the API key
  4  Kafka cannot be reached, or a topic has other settings than the contract's
  5  Kafka did not take every record; the next start fetches those orders from REST
  6  too many dead letters in a minute (DEAD_LIMIT): the fault may be this version's
"""


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
        return 2
    scrubber = Scrubber([*settings.secrets, settings.kafka_password.get_secret_value()])
    configure(level=settings.log_level, form=settings.log_format, scrubber=scrubber)
    return 0 if options.check else _run(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m connector", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env-file", type=Path, default=Path(".env"), help="file with settings [.env]")
    parser.add_argument("--check", action="store_true", help="check the settings and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    running = commands.add_parser("run", help="run the connector, as without a command")
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
        return 4
    except KafkaError as error:
        sys.stderr.write(f"the Kafka at {settings.kafka} does not do it: {error!r}\n")
        return 4
    except KeyboardInterrupt:
        return 130


def _run(settings: Settings) -> int:
    log = structlog.get_logger("connector")
    collector.spare()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve_until_signal(settings))
    except Exception as error:
        expected = {str(leaf): _exit_code(leaf) for leaf in _leaves(error)}
        if 1 in expected.values():
            log.exception("connector.crashed", exit_code=1)
            return 1
        for message, code in expected.items():
            log.error("connector.failed", error=message, exit_code=code)  # noqa: TRY400 - expected: no trace
        return max(expected.values())
    return 0


def _exit_code(error: BaseException) -> int:
    return next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), 1)


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
