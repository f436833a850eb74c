"""`python -m streams board`."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from connector.kafka.loop import new_loop
from connector.process import collector
from connector.process.environment import load, manual
from connector.process.logs import Scrubber, configure
from streams.board.settings import Settings
from streams.commands import command

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands

_DOC = f"""\
Serve the live board: orders, wallets, markets, alerts and coverage on one page, until SIGTERM or Ctrl-C.

It reads the topics like any other consumer, without a group, and writes nothing. By default only this machine sees it;
BOARD_ADDRESS=0.0.0.0:8080 opens it to others, who log in with BOARD_TOKEN (programs send it as a bearer token). It
speaks plain HTTP: put TLS before it where the network is not yours. While Kafka is away the page stays and says so.

settings, from the environment and from a file of NAME=value lines:
{manual(Settings)}

example:
  python -m streams board

exit codes:
  0  stopped as asked
  1  a defect, see the log
  2  settings are wrong, or an address is taken
"""

log = structlog.get_logger("streams.board")

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def register(commands: Commands) -> None:
    """Add `board`."""
    parser = command(commands, "board", _DOC)
    parser.add_argument("--check", action="store_true", help="check the settings and exit")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    settings = load(Settings, given.env_file)
    if given.check:
        return 0
    secrets = [settings.kafka_password.get_secret_value(), settings.token]
    configure(level=settings.log_level, form=settings.log_format, scrubber=Scrubber(secrets))
    collector.spare()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve_until_signal(settings))
    except OSError as error:
        sys.stderr.write(f"BOARD_ADDRESS or STATUS_ADDRESS: {error}\n")
        return 2
    except Exception:
        log.exception("board.crashed", exit_code=1)
        return 1
    return 0


async def _serve_until_signal(settings: Settings) -> None:
    from streams.board.service import serve  # noqa: PLC0415 - no other command needs a web server to start

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOPPING:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    await serve(settings, stop)
