"""`python -m connector watch`. Shell."""

from __future__ import annotations

import sys
import time
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from connector.contract.address import parse_address
from connector.contract.errors import InvalidAddress
from connector.watch.actions import add, remove, show
from connector.watch.entries import Entry, InvalidEntry, make_entry, parse_file
from connector.watch.since import InvalidSince
from connector.watch.store import WatchStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from connector.kafka.settings import KafkaSettings

_MANUAL = """\
Which wallets are watched. A change is live within a second, without a restart and without a gap for the others.
Needs Kafka only: KAFKA, TOPIC_PREFIX, PARTITIONS and KAFKA_... for security, as the connector. No API key.

exit codes: 0 done, 1 something was wrong with what was given (nothing is changed) or not live in time,
2 wrong usage or settings, 4 Kafka cannot be reached, or a topic has other settings than the contract's.
"""

_FILE = """\
A line is a wallet, then label, note and since where wanted, with commas, semicolons or tabs between. A first line
that names the columns (wallet,label,note,since) may choose others. # begins a comment. `-` reads standard input.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    raw = RawDescriptionHelpFormatter
    watch = commands.add_parser("watch", help="which wallets are watched", description=_MANUAL, formatter_class=raw)
    actions = watch.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="watch wallets, or change label, note or since")
    adding.add_argument("wallets", nargs="+", metavar="ADDRESS")
    adding.add_argument("--label", help='short name for people; "" for none')
    adding.add_argument("--note", help='for people; "" for none')
    adding.add_argument(
        "--since",
        metavar="TIME",
        help="fetch orders from then on when the watch begins: 2026-11-01, unix seconds, or how long ago (2h, 7d)",
    )
    removing = actions.add_parser("remove", help="end the watch of wallets")
    removing.add_argument("wallets", nargs="+", metavar="ADDRESS")
    shown = actions.add_parser("list", help="who is watched by whom, since when, and up to when orders are complete")
    shown.add_argument("--json", action="store_true", help="the records themselves")
    shown.add_argument(
        "--wait-live", type=float, metavar="SECONDS", help="wait until every wallet on the list is live; 1 if not"
    )
    file = actions.add_parser("import", help="watch the wallets of a file", description=_FILE, formatter_class=raw)
    file.add_argument("file")
    file.add_argument("--skip-bad", action="store_true", help="import the good lines though others are bad")


async def run(given: argparse.Namespace, settings: KafkaSettings) -> int:
    """
    Carry out the action and return the exit code.

    Raises:
        KafkaShellError: no Kafka, or it does not answer.
        ContractError: a topic has other settings than the contract's.
    """
    store = WatchStore(settings)
    try:
        if given.action == "list":
            return await show(store, wait_s=given.wait_live, form="json" if given.json else "table")
        if given.action == "remove":
            return await remove(_addresses(given.wallets), store)
        return await add(_imported(given) if given.action == "import" else _given(given), store)
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1


class Refused(Exception):
    """What was given cannot be used; the message says why, one line for each fault."""


def _given(given: argparse.Namespace) -> list[Entry]:
    now_s = time.time_ns() // 1_000_000_000
    try:
        return [
            make_entry(wallet, label=given.label, note=given.note, since=given.since, now_s=now_s)
            for wallet in _addresses(given.wallets)
        ]
    except (InvalidSince, InvalidEntry) as error:
        raise Refused(str(error)) from error


def _addresses(texts: Iterable[str]) -> list[str]:
    wallets, faults = [], []
    for text in texts:
        try:
            wallets.append(parse_address(text))
        except InvalidAddress as error:
            faults.append(str(error))
    if faults:
        raise Refused("\n".join(faults))
    return list(dict.fromkeys(wallets))


def _imported(given: argparse.Namespace) -> list[Entry]:
    try:
        raw = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
        entries, bad = parse_file(raw.decode("utf-8-sig"), time.time_ns() // 1_000_000_000)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{given.file}: is no text file that can be read: {error}") from error
    for line in bad:
        sys.stderr.write(f"{given.file}:{line.number}: {line.reason}\n")
    if bad and not given.skip_bad:
        raise Refused(f"nothing imported: correct the lines above, or import the {len(entries)} others with --skip-bad")
    return entries
