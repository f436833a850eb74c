"""`python -m streams explain`. Shell."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from connector.contract.keys import market_key
from connector.kafka.errors import TopicMissing
from connector.kafka.partitioner import partitioner
from connector.kafka.reader import reading
from connector.process.environment import load
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from streams.commands import ON_KAFKA, command
from streams.commands.alerts import alerts_with
from streams.commands.kafka import patience, run
from streams.commands.known import known_rules
from streams.effects import Topics
from streams.explain.comparison import Comparison, compare, not_refolded
from streams.explain.places import Places
from streams.explain.refold import Refold
from streams.explain.text import refolded, stored
from streams.settings import Settings
from streams.texts import instant

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable

    from connector.kafka.reader import Reading
    from streams.commands import Commands
    from streams.records import Alert
    from streams.rules.active import Active

_DOC = """\
Say why an alert came, and fold its orders again.

Shows what the alert itself says: the condition part by part with its operands, the orders and where they lie, times,
the rule's hash, and whether orders were known to be missing. Then its partition of the orders is read again from the
first order that is retained up to the alert, with the same rule, and compared operand by operand. The rule is looked
for by its hash in the file RULES and in rules.v1, former versions too as far as compaction has left them.

ALERT_ID is the field alert_id of a record of alerts.v1 or alerts-shadow.v1, or the first digits of it.
"""

LEAST_DIGITS = 8


def register(commands: Commands) -> None:
    """Add `explain`."""
    parser = command(
        commands,
        "explain",
        _DOC,
        "explain 0f3a9c1e77",
        codes={
            DONE: "the alert was found, whatever folding again came to (verdict in --json)",
            FAILED: "there is no such alert",
            USAGE: "",
            KAFKA: "",
            INTERRUPTED: "",
        },
        settings=ON_KAFKA,
    )
    parser.add_argument("alert_id", metavar="ALERT_ID")
    parser.add_argument("--json", action="store_true", help="for programs: the alert, and the comparison")
    parser.set_defaults(run=lambda given: run(_explain(given)))


async def _explain(given: argparse.Namespace) -> int:
    settings = load(Settings, given.env_file)
    if len(given.alert_id) < LEAST_DIGITS or not all(digit in "0123456789abcdef" for digit in given.alert_id):
        sys.stderr.write(f"ALERT_ID: expected {LEAST_DIGITS} to 32 hex digits in lower case, got {given.alert_id!r}\n")
        return 2
    topics = Topics(settings.topic_prefix, settings.source_topic)
    found = await _find(settings, topics, given.alert_id)
    if len(found) != 1:
        sys.stderr.write(_not_one(given.alert_id, topics, found))
        return 1
    (alert,) = found.values()
    comparison = await _refold(settings, topics, alert, await known_rules(settings))
    if given.json:
        both = {"alert": alert, "refold": comparison}
        sys.stdout.buffer.write(msgspec.json.encode(both) + b"\n")
    else:
        sys.stdout.write("\n".join([*stored(alert), *refolded(comparison)]) + "\n")
    return 0


async def _find(settings: Settings, topics: Topics, digits: str) -> dict[str, Alert]:
    found = {}
    async for alert in alerts_with(settings, (topics.alerts, topics.alerts_shadow), digits):
        if alert.alert_id.startswith(digits):
            found[alert.alert_id] = alert
    return found


def _not_one(digits: str, topics: Topics, found: dict[str, Alert]) -> str:
    if found:
        return f"{digits}: there are {len(found)} alerts that begin so, give more digits: {', '.join(found)}\n"
    return (
        f"{digits}: no such alert in {topics.alerts} or {topics.alerts_shadow}: check the id and TOPIC_PREFIX; alerts"
        " are kept for 30 days\n"
    )


async def _refold(settings: Settings, topics: Topics, alert: Alert, rules: list[Active]) -> Comparison:
    active = next((each for each in rules if each.rule.hash == alert.rule_hash), None)
    if active is None:
        namesake = any(each.rule.id == alert.rule for each in rules)
        known = "other versions only" if namesake else "no rule of this id"
        wanted = f"rule {alert.rule} of hash {alert.rule_hash}"
        return not_refolded([f"{wanted} is no longer known: {settings.rules} and {topics.rules}: {known}"])
    places = Places(alert.orders)
    refold = Refold(alert, active, topics)
    missing: list[str] = []
    try:
        async with patience() as answered:
            if alert.scope == "market":
                await _look_up(settings, places, topics.orders, missing, answered)
            async with _partition(settings, topics, alert) as batches:
                await _feed(refold, batches, places, answered)
                if alert.scope == "wallet":
                    missing += places.missing(batches.begins)
    except TopicMissing as error:
        return not_refolded([str(error)])
    result = refold.result()
    begin = next(iter(batches.begins.values()))
    if begin > 0:
        since = "nothing" if result.began_at is None else instant(result.began_at)
        missing.append(f"what lies before offset {begin} is no longer retained: folded from {since} on")
    return compare(alert, result, missing)


@asynccontextmanager
async def _partition(settings: Settings, topics: Topics, alert: Alert) -> AsyncIterator[Reading]:
    """Yield the records that the alert was folded from."""
    if alert.scope == "wallet":
        topic, number = topics.orders, alert.orders[0].partition
    else:
        topic, number = topics.orders_by_market, partitioner(settings.partitions)(market_key(alert.subject))
    async with reading(settings.kafka, topic, partitions=[number], **settings.client()) as batches:
        yield batches


async def _feed(refold: Refold, batches: Reading, places: Places, answered: Callable[[], Any]) -> None:
    async for batch in batches:
        answered()
        for record in batch:
            places.see(record)
            refold.feed(record)
        if refold.done:
            return


async def _look_up(
    settings: Settings, places: Places, topic: str, missing: list[str], answered: Callable[[], Any]
) -> None:
    """See whether a market alert's orders still lie in the topic of orders."""
    spans = places.spans()
    async with reading(settings.kafka, topic, partitions=list(spans), **settings.client()) as whole:
        begins = whole.begins
    for partition, (first, last) in spans.items():
        begin, end = max(first, begins[partition]), min(last + 1, whole.ends[partition])
        if begin >= end:
            continue
        async with reading(
            settings.kafka,
            topic,
            partitions=[partition],
            begin={partition: begin},
            until={partition: end},
            **settings.client(),
        ) as batches:
            async for batch in batches:
                answered()
                for record in batch:
                    places.see(record)
    missing += places.missing(begins)
