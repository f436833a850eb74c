"""Book against topic: what should be in `orders.v1`, what is, and how the two differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaConsumer

from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.contract.record import decode_order

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from connector.simulator import Book

Ids = list[tuple[str, str]]
"""Wallet and event id, in order."""


class Difference(msgspec.Struct, frozen=True):
    """How a topic differs from the book."""

    missing: set[str]
    double: set[str]
    foreign: set[str]
    """In the topic, but never delivered."""
    disordered: set[str]
    """Wallets whose orders are not in order of arrival."""


def reached(book: Book) -> Ids:
    """Return the orders that reached a socket, each once, in order of first arrival."""
    seen: set[int] = set()
    occurrences: Counter[str] = Counter()
    ids: Ids = []
    for delivery in book.deliveries:
        if delivery.reached and delivery.order not in seen:
            seen.add(delivery.order)
            order = parse_order(book.orders[delivery.order - 1].row)
            content = content_id(order)
            ids.append((order.user, event_id(content, occurrences[content])))
            occurrences[content] += 1
    return ids


def published(records: list[ConsumerRecord]) -> Ids:
    """Return the orders in a topic, in order per wallet."""
    orders = [decode_order(record.value) for record in records]
    return [(order.user, order.event_id) for order in orders]


def compare(expected: Ids, found: Ids) -> Difference:
    """Return the differences; all empty means exactly once and in order."""
    counts = Counter(event for _, event in found)
    known = {event for _, event in expected}
    return Difference(
        missing=known - set(counts),
        double={event for event, count in counts.items() if count > 1},
        foreign=set(counts) - known,
        disordered={wallet for wallet, events in _by_wallet(expected).items() if _by_wallet(found)[wallet] != events},
    )


def _by_wallet(ids: Ids) -> defaultdict[str, list[str]]:
    wallets: defaultdict[str, list[str]] = defaultdict(list)
    for wallet, event in ids:
        wallets[wallet].append(event)
    return wallets


async def read_topic(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Return all records of a topic, as far as it goes now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.subscribe([topic])
        await consumer.getmany(timeout_ms=100)
        ends = await consumer.end_offsets(list(consumer.assignment()))
        await consumer.seek_to_beginning()
        records: list[ConsumerRecord] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
    finally:
        await consumer.stop()
    return records
