"""`python -m connector watch`. Shell."""

from __future__ import annotations

import sys
import time
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from connector.contract.address import parse_address
from connector.contract.errors import InvalidAddress
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from connector.process.pages import page
from connector.watch.actions import add, remove, show
from connector.watch.entries import Entry, InvalidEntry, make_entry, parse_file
from connector.watch.since import InvalidSince
from connector.watch.store import WatchStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from connector.kafka.settings import KafkaSettings

_WHALE = "0x6031b6eed1c97e853c6e0f03ad3ce3529351f96d"


def _page(what: str, *examples: str, failed: str) -> str:
    """Return the help page of an action; `failed` is what exit code 1 means."""
    return page(
        what,
        *(f"python -m connector watch {example}" for example in examples),
        codes={DONE: "", FAILED: failed, USAGE: "", KAFKA: "", INTERRUPTED: ""},
        settings=(
            "Kafka only, no API key: KAFKA, TOPIC_PREFIX, PARTITIONS, KAFKA_...; python -m connector --help lists them"
        ),
    )


_WRONG = "something was wrong with what was given: nothing is changed"
_MANUAL = _page(
    "Says which wallets are watched. A change is live within a second, without a restart and without a gap for others.",
    f"add {_WHALE} --label whale",
    "list",
    failed="see the action",
)
_ADD = _page(
    "Watches wallets, or changes label, note or since of those that are watched already; what is not given stays.",
    f"add {_WHALE} --label whale --since 2h",
    failed=_WRONG,
)
_REMOVE = _page(
    "Ends the watch of wallets. Their orders stay in the topic.",
    f"remove {_WHALE}",
    failed="a wallet is no address (nothing is changed), or was not on the list (the others are removed)",
)
_LIST = _page(
    "Shows who is watched by whom, since when, and up to when orders are complete (covered) and compared with REST.",
    "list",
    "list --json --wait-live 30",
    failed="not all were live in time",
)
_FILE = _page(
    """\
Watches the wallets of a file: all of them or, if a line is bad, none.

A line is a wallet, then label, note and since where wanted, with commas, semicolons or tabs between. A first line
that names the columns (wallet,label,note,since) may choose others. # begins a comment. `-` reads standard input.
""",
    "import wallets.csv",
    "import - --skip-bad < wallets.csv",
    failed=_WRONG,
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    raw = RawDescriptionHelpFormatter
    watch = commands.add_parser("watch", help="which wallets are watched", description=_MANUAL, formatter_class=raw)
    actions = watch.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser(
        "add", help="watch wallets, or change label, note or since", description=_ADD, formatter_class=raw
    )
    adding.add_argument("wallets", nargs="+", metavar="ADDRESS")
    adding.add_argument("--label", help='short name for people; "" for none')
    adding.add_argument("--note", help='for people; "" for none')
    adding.add_argument(
        "--since",
        metavar="TIME",
        help="fetch orders from then on when the watch begins: 2026-11-01, unix seconds, or how long ago (2h, 7d)",
    )
    removing = actions.add_parser("remove", help="end the watch of wallets", description=_REMOVE, formatter_class=raw)
    removing.add_argument("wallets", nargs="+", metavar="ADDRESS")
    shown = actions.add_parser(
        "list",
        help="who is watched by whom, since when, and up to when orders are complete",
        description=_LIST,
        formatter_class=raw,
    )
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
