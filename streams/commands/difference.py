"""`python -m streams rules diff`. Shell."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from rich.table import Table

from connector.process.environment import load
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from connector.process.terminal import terminal
from streams.commands import ON_KAFKA, command
from streams.commands.alerts import alerts_with
from streams.commands.kafka import run
from streams.difference import Versions
from streams.effects import Topics
from streams.settings import Settings
from streams.texts import instant

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands
    from streams.difference import VersionsDifference

_SHOWN = 50

_DOC = """\
Compare the shadow version of a rule with the active one.

Reads alerts.v1 and alerts-shadow.v1 of the deployment that KAFKA, TOPIC_PREFIX, ... name, and says which alerts began
in both versions, and which in one of them only: an alert is the same where subject, group and the order that tipped it
are. Of each mode the version counts that fired last; compared is the time from the first alert in shadow on.
"""


def register(actions: Commands) -> None:
    """Add `diff`."""
    parser = command(
        actions,
        "diff",
        _DOC,
        "rules diff whale-buys --since 2026-11-01",
        codes={DONE: "compared", FAILED: "no alert of such a rule", USAGE: "", KAFKA: "", INTERRUPTED: ""},
        settings=ON_KAFKA,
    )
    parser.add_argument("rule", metavar="ID", help="of the rule; both versions have it")
    parser.add_argument(
        "--since", type=_time_ms, metavar="TIME", help="compare from then on: 2026-11-01 or 2026-11-01T12:30, UTC"
    )
    parser.add_argument("--json", action="store_true", help="for programs, with all alerts")
    parser.set_defaults(run=lambda given: run(_diff(given)))


async def _diff(given: argparse.Namespace) -> int:
    settings = load(Settings, given.env_file)
    topics = Topics(settings.topic_prefix, settings.source_topic)
    versions = Versions(given.rule)
    async for alert in alerts_with(settings, (topics.alerts, topics.alerts_shadow), given.rule):
        versions.take(alert)
    found = versions.difference(given.since)
    if found.active_hash is None and found.shadow_hash is None:
        sys.stderr.write(
            f"{given.rule}: no alert of such a rule in {topics.alerts} or {topics.alerts_shadow}: check the id and"
            " TOPIC_PREFIX, and give a version with mode SHADOW time to fire\n"
        )
        return FAILED
    if given.json:
        sys.stdout.buffer.write(msgspec.json.encode(_plain(found)) + b"\n")
    else:
        _show(found)
    return 0


def _plain(found: VersionsDifference) -> dict[str, object]:
    counts = {"both": found.counts.both, "only_active": found.counts.only_one, "only_shadow": found.counts.only_other}
    return {**msgspec.to_builtins(found), "counts": counts}


def _show(found: VersionsDifference) -> None:
    console = terminal(highlight=False)
    since = "" if found.since is None else f", since {instant(found.since)}"
    both, active, shadow = found.counts
    hashes = [each or "(never fired)" for each in (found.active_hash, found.shadow_hash)]
    console.print(f"{found.rule}: active {hashes[0]}, shadow {hashes[1]}{since}", markup=False)
    console.print(f"{both:,} in both, {active:,} only active, {shadow:,} only shadow\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("began", "in", "subject", "group", "tipped by", "message"):
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    for begin in found.begins[-_SHOWN:]:
        group = ", ".join(begin.group.values())
        table.add_row(instant(begin.at), begin.which, begin.subject, group, begin.tipped_by, begin.message)
    console.print(table, markup=False)
    if len(found.begins) > _SHOWN:
        console.print(f"the last {_SHOWN} of {len(found.begins):,}; --json has all")


def _time_ms(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a time such as 2026-11-01 or 2026-11-01T12:30, got {text!r}") from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1_000)
