"""`python -m connector doctor`. Shell."""

from __future__ import annotations

import asyncio
import sys
from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from connector.doctor import ask_provider, judge_provider
from connector.doctor.checks import Check, as_json, exit_code, fail, line, masked, ok, skip, total
from connector.doctor.cluster import Cluster
from connector.doctor.keys import key_checks
from connector.kafka.settings import KafkaSettings
from connector.process.environment import SettingsError, load
from connector.process.exits import DONE, FAILED, INTERRUPTED, USAGE
from connector.process.logs import Scrubber, configure
from connector.process.pages import page
from connector.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable

_WRONG = "the settings are wrong"

_MANUAL = page(
    """\
Checks whether everything that a connector needs is in place, and says what to do where it is not: settings, keys,
the provider's hosts (DNS, TCP, TLS), REST and WebSocket with each key, clocks, Kafka and its topics, what this user
may do there, who runs, and whether the watch-list fits into the keys' quota.

It writes nothing, subscribes to nothing, and asks REST for one page with each key. While connectors run, no socket is
opened with their keys: a provider may count connections; --socket opens one all the same. Keys and passwords are
never shown.
""",
    "python -m connector doctor",
    "PROVIDER=predexon TIER=dev API_KEY=... KAFKA=broker:9092 python -m connector doctor --json",
    settings="those of the connector: python -m connector --help lists them",
    codes={
        DONE: "all is well, warnings aside",
        FAILED: "something failed: its line says what to do",
        USAGE: "",
        INTERRUPTED: "",
    },
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="check that everything is in place, and say what to do where it is not",
        description=_MANUAL,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--socket", action="store_true", help="open a socket with each key even while connectors run")


def run(given: argparse.Namespace) -> int:
    """Look at everything, tell, and return the exit code."""
    settings, kafka, check = _settings(given)
    scrubber = Scrubber(_secrets(settings, kafka))
    configure(level="error", form="console", scrubber=scrubber)
    told: list[Check] = []

    def tell(found: Check) -> None:
        told.append(masked(found, scrubber.text))
        if not given.json:
            sys.stdout.write(line(told[-1]) + "\n")
            sys.stdout.flush()

    tell(check)
    try:
        asyncio.run(_told(examined(settings, kafka, socket=given.socket), tell))
    except KeyboardInterrupt:
        return INTERRUPTED
    sys.stdout.write(as_json(told).decode() + "\n" if given.json else f"\n{total(told)}\n")
    return exit_code(told)


async def _told(checks: AsyncIterator[Check], tell: Callable[[Check], None]) -> None:
    async for check in checks:
        tell(check)


def _settings(given: argparse.Namespace) -> tuple[Settings | None, KafkaSettings | None, Check]:
    """Return the settings as far as they are right, and what is to be said of them."""
    try:
        settings = load(Settings, given.env_file)
    except SettingsError as error:
        problem = fail("settings", str(error), "python -m connector --help lists all settings")
    else:
        replica = "" if settings.replica is None else f", replica {settings.replica} of {settings.replicas}"
        told = f"PROVIDER={settings.provider}, TIER={settings.tier}, KAFKA={settings.kafka}{replica}"
        return settings, settings, ok("settings", told)
    try:
        return None, load(KafkaSettings, given.env_file), problem
    except SettingsError:
        return None, None, problem


def _secrets(settings: Settings | None, kafka: KafkaSettings | None) -> list[str]:
    password = [] if kafka is None else [kafka.kafka_password.get_secret_value()]
    return [*(() if settings is None else settings.secrets), *password]


async def examined(settings: Settings | None, kafka: KafkaSettings | None, *, socket: bool) -> AsyncIterator[Check]:
    """
    Yield what is found beyond the settings themselves.

    Args:
        settings: None where they are wrong; then only what `kafka` alone is enough for is looked at.
        kafka: None where even these are wrong.
        socket: Whether to open a socket with each key although connectors run.
    """
    offsets: ask_provider.Offsets = []
    running = 0
    if settings is None:
        yield skip("provider", _WRONG)
    else:
        async for check in _provider(settings, offsets):
            yield check
    if kafka is None:
        yield skip("kafka", _WRONG)
    else:
        cluster = Cluster(kafka, settings)
        async for check in cluster.checks():
            yield check
        running = cluster.running
    if settings is not None and running and not socket:
        yield skip("websocket", "connectors run, and their own sockets count; --socket opens one more")
    elif settings is not None:
        async for check in ask_provider.sockets(settings, offsets):
            yield check
    if settings is not None:
        yield judge_provider.clock(offsets) or skip("clock", "no answer of the provider's told its time")


async def _provider(settings: Settings, offsets: ask_provider.Offsets) -> AsyncIterator[Check]:
    for check in key_checks("API_KEY", settings.keys, provider=settings.provider, tier=settings.tier):
        yield check
    mirror = {"provider": settings.mirror_provider, "tier": settings.mirror_tier}
    for check in key_checks("MIRROR_API_KEY", settings.mirror_keys, **mirror):
        yield check
    async for check in ask_provider.hosts(settings):
        yield check
    async for check in ask_provider.rest(settings, offsets):
        yield check
