"""`python -m connector dead`. Shell."""

from __future__ import annotations

import asyncio
import sys
import time
from argparse import ArgumentTypeError, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from connector.contract.topics import ORDERS_DEAD
from connector.dead.letters import Letter, as_json, read_letter, table
from connector.dead.replay import Replay
from connector.dead.reread import Result, outcomes, reread
from connector.kafka.admin import partitions_of
from connector.kafka.errors import ClusterUnreachable
from connector.kafka.reader import reading
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from connector.process.pages import page
from connector.process.terminal import terminal
from connector.settings import PROVIDERS
from connector.watch.since import InvalidSince, parse_time

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from connector.dead.reread import Found
    from connector.kafka.settings import KafkaSettings

_KAFKA_TIMEOUT_S = 300.0

_SETTINGS = "Kafka only, no API key: KAFKA, TOPIC_PREFIX, KAFKA_...; python -m connector --help lists them"
_CODES = {DONE: "", FAILED: "there is no such letter", USAGE: "", KAFKA: "", INTERRUPTED: ""}
_MANUAL = page(
    "Shows what could not be processed, and publishes it after all: topic orders-dead.v1, kept for 30 days.",
    "python -m connector dead list",
    "python -m connector dead replay --dry-run",
    codes=_CODES | {FAILED: "see the action"},
    settings=_SETTINGS,
)
_LIST = page(
    "Shows the latest letters: when, why, whose, and the bytes.",
    "python -m connector dead list --since 2h --reason invalid-order",
    codes=_CODES,
    settings=_SETTINGS,
)
_REPLAY = page(
    """\
Reads the letters' bytes again with today's code. An order that is valid now, and not in orders.v1 yet, is published
there, marked source=replay. Every letter's outcome is shown. A connector that runs meanwhile learns of the order
from the topic; if both published it at the same moment, it is there twice with one event_id, and that is shown.
""",
    "python -m connector dead replay --dry-run",
    "python -m connector dead replay --partition 3 --offset 41",
    codes=_CODES | {FAILED: "there is no such letter, or an order is in the topic twice now"},
    settings=_SETTINGS,
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its actions."""
    raw = RawDescriptionHelpFormatter
    dead = commands.add_parser("dead", help="what could not be processed", description=_MANUAL, formatter_class=raw)
    actions = dead.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the latest letters", description=_LIST, formatter_class=raw)
    listing.add_argument("--since", type=_since_ms, metavar="TIME", help="2026-11-01, unix seconds, or 2h for ago")
    listing.add_argument("--limit", type=_positive, default=50, help="at most so many, the latest [50]")
    listing.add_argument("--json", action="store_true", help="the records themselves")
    replaying = actions.add_parser(
        "replay",
        help="publish the orders in them, if today's code can read them",
        description=_REPLAY,
        formatter_class=raw,
    )
    replaying.add_argument("--since", type=_since_ms, metavar="TIME", help="letters written since then only")
    replaying.add_argument("--offset", type=int, help="one letter; needs --partition")
    replaying.add_argument("--dry-run", action="store_true", help="say what would be published, and publish nothing")
    for action in (listing, replaying):
        action.add_argument("--partition", type=int, help="letters of this partition only")
        action.add_argument("--reason", help="letters of this reason only, e.g. invalid-order")


async def run(given: argparse.Namespace, settings: KafkaSettings) -> int:
    """
    Carry out the action and return the exit code.

    Raises:
        KafkaShellError: no Kafka, no topic, or it does not answer.
        ContractError: a record in the topic of orders is no order.
    """
    if given.action == "replay" and given.offset is not None and given.partition is None:
        sys.stderr.write("--offset needs --partition: offsets are counted in each partition\n")
        return 2
    try:
        async with asyncio.timeout(_KAFKA_TIMEOUT_S):
            topic = settings.topic_prefix + ORDERS_DEAD.name
            numbers = await partitions_of(settings.kafka, topic, **settings.client())
            if given.partition is not None and given.partition not in numbers:
                sys.stderr.write(f"--partition {given.partition}: {topic} has 0 to {numbers[-1]}\n")
                return 2
            return await (_list if given.action == "list" else _replay)(given, settings)
    except TimeoutError as error:
        raise ClusterUnreachable(f"Kafka did not answer in full within {_KAFKA_TIMEOUT_S:.0f} s") from error


async def _list(given: argparse.Namespace, settings: KafkaSettings) -> int:
    kept: list[Letter] = []
    total = 0
    async for letter in _letters(given, settings):
        total += 1
        kept.append(letter)
        if len(kept) > 2 * given.limit:  # letters are large
            kept = _latest(kept, given.limit)
    letters = _latest(kept, given.limit)
    if given.json:
        sys.stdout.buffer.write(as_json(letters) + b"\n")
    else:
        terminal().print(table(letters, total))
    return 0


async def _replay(given: argparse.Namespace, settings: KafkaSettings) -> int:
    replay = Replay(settings)
    found: dict[str, Found] = {}
    async for letter in _letters(given, settings):
        result = reread(letter, PROVIDERS)
        if isinstance(result, Result):
            replay.results[letter.place] = result
        else:
            found[letter.place] = result
    await replay.plan(found)
    if not given.dry_run:
        await replay.publish()
    terminal().print(outcomes(replay.results))
    twice = any(result.outcome == "published twice" for result in replay.results.values())
    return 1 if twice or not replay.results else 0


async def _letters(given: argparse.Namespace, settings: KafkaSettings) -> AsyncIterator[Letter]:
    """Yield the letters asked for, by partition in order of their offsets."""
    offset = getattr(given, "offset", None)
    async with reading(
        settings.kafka,
        settings.topic_prefix + ORDERS_DEAD.name,
        partitions=None if given.partition is None else [given.partition],
        begin=None if offset is None else {given.partition: offset},
        since_ms=given.since,
        **settings.client(),
    ) as batches:
        async for batch in batches:
            for record in batch:
                if offset is not None and record.offset != offset:
                    return
                letter = read_letter(
                    partition=record.partition,
                    offset=record.offset,
                    at_ms=record.timestamp,
                    key=record.key,
                    value=record.value,
                )
                if given.reason is None or letter.reason == given.reason:
                    yield letter


def _latest(letters: list[Letter], limit: int) -> list[Letter]:
    return sorted(letters, key=lambda letter: (letter.at_ms, letter.partition, letter.offset))[-limit:]


def _since_ms(text: str) -> int:
    try:
        return parse_time(text, time.time_ns() // 1_000_000_000) * 1000
    except InvalidSince as error:
        raise ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a number from 1 on, got {text}")
    return int(text)
