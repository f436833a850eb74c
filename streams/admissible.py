"""
What an order has to be for a state to hold it and for a record to carry it on. Pure.

The connector keeps stricter limits; anybody may write to the topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connector.contract.checks import MAX_INDEX, MAX_TEXT
from connector.contract.errors import InvalidRecord
from connector.contract.record import decode_order

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.effects import LogRecord

MOST_MONEY: Final = 2**46
"""Micro-USDC of one order, 70 million USDC: a hundred thousand of them fit into the sums of a state."""

MOST_SHARES: Final = 2**50
"""Raw shares of one order."""

MOST_BYTES: Final = 900_000
"""Of a record: it is forwarded with more headers, and Kafka takes a megabyte."""


def read_order(record: LogRecord) -> OrderRecord:
    """
    Decode an order; its ids are the fold's to check.

    Raises:
        InvalidRecord: it is none, or one that no state can hold.
    """
    if record.value is None:
        raise InvalidRecord("a tombstone where an order was expected")
    if len(record.value) > MOST_BYTES:
        raise InvalidRecord(f"expected at most {MOST_BYTES} bytes, got {len(record.value)}")
    order = decode_order(record.value)
    if not (
        1 <= order.shares <= MOST_SHARES
        and 0 <= order.notional_micros <= MOST_MONEY
        and 0 <= order.timestamp <= MAX_INDEX
        and 0.0 <= order.price <= 1.0
        and 0 <= (order.block_number or 0) <= MAX_INDEX
        and 0 <= (order.log_index or 0) <= MAX_INDEX
    ):
        raise _beyond(order)
    if any(len(text or "") > MAX_TEXT for text in (order.title, order.market_slug, order.token_label)):
        raise InvalidRecord(f"title, market_slug, token_label: expected at most {MAX_TEXT} characters")
    return order


def _beyond(order: OrderRecord) -> InvalidRecord:
    limits: tuple[tuple[str, float | None, float, float], ...] = (
        ("shares", order.shares, 1, MOST_SHARES),
        ("notional_micros", order.notional_micros, 0, MOST_MONEY),
        ("timestamp", order.timestamp, 0, MAX_INDEX),
        ("price", order.price, 0, 1),
        ("block_number", order.block_number, 0, MAX_INDEX),
        ("log_index", order.log_index, 0, MAX_INDEX),
    )
    faults = (
        f"{field}: expected {least} to {most}, got {value}"
        for field, value, least, most in limits
        if value is not None and not least <= value <= most
    )
    return InvalidRecord(next(faults, "a number is beyond its limits"))
