"""`python -m streams notify`. Shell."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from connector.contract.errors import ContractError, InvalidRecord
from connector.kafka.errors import KafkaShellError
from connector.kafka.loop import new_loop
from connector.kafka.reader import reading
from connector.process import collector
from connector.process.environment import load, manual
from connector.process.logs import Scrubber, configure
from streams.commands import command
from streams.commands.kafka import UNREACHABLE, patience, run
from streams.durations import format_duration, parse_duration
from streams.notify import document
from streams.notify.batch import Place
from streams.notify.document import InvalidNotifications, read_config
from streams.notify.message import message
from streams.notify.rehearsal import Rehearsal
from streams.notify.routes import Route, walk
from streams.notify.secrets import Sources
from streams.notify.settings import NotifySettings
from streams.records import Alert, decode
from streams.rules.errors import Fault
from streams.texts import instant
from streams.topics import ALERTS

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands
    from streams.notify.config import Config

WRONG = 2
"""Exit code of settings that are wrong."""

log = structlog.get_logger("streams")

_DOC = f"""\
Tell people of alerts: by Telegram, Slack, Discord, mail, a webhook, and whatever else Apprise knows, until SIGTERM.

Reads alerts.v1. Alerts that a silence marks are left out. Sends at least once: what was under way when the process
ended is sent again, with the same idempotency key. Run one; several share the partitions, and each groups its own.

--check FILE reads a file of notifications and says what is in it, with every fault and its line.
--dry-run prints what would be sent of the alerts of the last hours (--since), or of a file (--alerts, JSON lines as
`rules backtest --alerts` writes them), at the times of the alerts. Nothing is sent, and nothing is committed.

{(document.__doc__ or "").strip()}

settings, from the environment and from a file of NAME=value lines:
{manual(NotifySettings)}

examples:
  NOTIFY_CONFIG=notify.yaml python -m streams notify
  python -m streams notify --check notify.yaml
  NOTIFY_CONFIG=notify.yaml python -m streams notify --dry-run --since 2h

exit codes:
  0  stopped as asked, or everything is fine
  1  a defect: see the log
  2  settings or the file of notifications are missing or wrong
  4  Kafka cannot be reached, or a topic has other settings than the contract's
"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "notify", _DOC)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", type=Path, metavar="FILE", help="check a file of notifications, and exit")
    what.add_argument("--dry-run", action="store_true", help="print what would be sent, and exit")
    parser.add_argument(
        "--since", type=parse_duration, default=parse_duration("24h"), metavar="TIME", help="of the dry run [24h]"
    )
    parser.add_argument("--alerts", type=Path, metavar="FILE", help="of the dry run: alerts as JSON lines")
    parser.set_defaults(run=_notify)


def _notify(given: argparse.Namespace) -> int:
    if given.check is not None:
        _show(read_file(given.check))
        return 0
    settings = load(NotifySettings, given.env_file)
    config = read_file(settings.notify_config)
    if given.dry_run:
        return run(_rehearse(settings, config, given))
    scrubber = Scrubber([settings.kafka_password.get_secret_value(), *config.secrets])
    configure(level=settings.log_level, form=settings.log_format, scrubber=scrubber)
    collector.spare()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(settings, config))
    except (KafkaShellError, ContractError) as error:
        return _not_started(error, UNREACHABLE)
    except OSError as error:
        return _not_started(error, WRONG)
    except Exception as error:  # a defect: what Python would print of it is not scrubbed
        log.critical("notify.failed", exc_info=error, exit_code=1)
        return 1
    return 0


def _not_started(error: Exception, code: int) -> int:
    log.error("notify.not_started", error=str(error), exit_code=code)
    return code


async def _serve(settings: NotifySettings, config: Config) -> None:
    from streams.notify.service import Service  # noqa: PLC0415 - Apprise is half a second, which no other command needs

    await Service(settings, config).run()


def read_file(path: Path) -> Config:
    """Return what a file of notifications says; raises `InvalidNotifications` and OSError."""
    from streams.notify.apprising import usable  # noqa: PLC0415 - as above

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidNotifications(str(path), [Fault(1, "document", f"no text in UTF-8: {error.reason}")]) from None
    sources = Sources(os.environ, lambda name: Path(name).read_text(encoding="utf-8"))
    return read_config(text, sources, usable, name=str(path))


def _show(config: Config) -> None:
    for name, targets in config.receivers.items():
        sys.stdout.write(f"receiver {name}: {len(targets)} address{'' if len(targets) == 1 else 'es'}\n")
    for route in walk(config.route):
        sys.stdout.write(f"{'  ' * route.path.count('.')}{_line(route)}\n")


def _line(route: Route) -> str:
    matchers = ", ".join(f'{each.name} {each.operator} "{each.value}"' for each in route.matchers) or "every alert"
    times = [format_duration(each) for each in (route.timing.group_wait_ms, route.timing.group_interval_ms)]
    grouped = ", ".join(route.group_by) or "nothing"
    go_on = ", and on" if route.go_on else ""
    return f"{matchers} -> {route.receiver}{go_on} (by {grouped}; after {times[0]}, every {times[1]})"


async def _rehearse(settings: NotifySettings, config: Config, given: argparse.Namespace) -> int:
    from streams.notify.sending import sender_of  # noqa: PLC0415 - as above

    alerts = _of_file(given.alerts) if given.alerts else await _of_kafka(settings, given.since)
    senders = {target.name: sender_of(target, time.monotonic) for target in config.all_targets()}
    rehearsal = Rehearsal(config)
    for at, target, notification in rehearsal.run(sorted(alerts, key=lambda each: each[0])):
        text = message(notification, config.templates, most=senders[target].most)
        sys.stdout.write(f"--- {instant(at)} {target} {notification.key}\n{text.title}\n\n{text.body}\n\n")
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in rehearsal.outcomes.items())
    sys.stdout.write(f"{len(alerts):,} alerts{': ' if told else ''}{told}\n")
    return 0


def _of_file(path: Path) -> list[tuple[int, Alert, Place]]:
    alerts = []
    with path.open("rb") as lines:
        for number, line in zip(count(1), lines, strict=False):
            try:
                alert = decode(Alert, line)
            except InvalidRecord as error:
                raise InvalidNotifications(str(path), [Fault(number, "alert", str(error))]) from None
            alerts.append((alert.as_of, alert, Place(0, number)))
    return alerts


async def _of_kafka(settings: NotifySettings, since_ms: int) -> list[tuple[int, Alert, Place]]:
    alerts = []
    since = time.time_ns() // 1_000_000 - since_ms
    topic = settings.topic_prefix + ALERTS.name
    async with (
        patience() as answered,
        reading(settings.kafka, topic, since_ms=since, **settings.client()) as batches,
    ):
        async for batch in batches:
            answered()
            for record in batch:
                try:
                    alert = decode(Alert, record.value or b"")
                except InvalidRecord:
                    continue
                alerts.append((record.timestamp, alert, Place(record.partition, record.offset)))
    return alerts
