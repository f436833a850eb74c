"""Book and topic in terms that can be compared."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.contract.record import decode_order

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from connector.simulator import Book

Ids = list[tuple[str, str]]
"""Wallet and event id, in order."""


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
