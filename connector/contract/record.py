"""Records of the topics of orders and dead letters."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from connector.contract.codec import decode, encode
from connector.contract.identity import event_id
from connector.contract.order import Order

if TYPE_CHECKING:
    from connector.contract.provenance import Provenance

__all__ = [
    "DEAD_SCHEMA",
    "MAX_RAW",
    "ORDER_SCHEMA",
    "DeadRecord",
    "OrderRecord",
    "dead_record",
    "decode_dead",
    "decode_order",
    "encode",
    "order_record",
]

ORDER_SCHEMA: Final = 1
DEAD_SCHEMA: Final = 1

MAX_RAW = 256 * 1024
"""Bytes of a faulty message that its dead letter keeps: base64 of them stays under Kafka's 1 MiB."""


class OrderRecord(Order, frozen=True, kw_only=True):
    """Value of `orders.v1`: the order, its identity and its money, flat."""

    schema: Literal[1] = ORDER_SCHEMA
    event_id: str
    notional_micros: int
    """Micro-USDC; see `Order.notional` for the rounding."""
    normalized: float = msgspec.field(name="shares_normalized")


class DeadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `orders-dead.v1`: what could not be processed, and why."""

    schema: Literal[1] = DEAD_SCHEMA
    reason: str
    """Stable code: `bad-json`, `bad-frame`, `invalid-order`, `bad-record`, ..."""
    detail: str
    """For people: the field, what was expected, what came."""
    field: str | None = None
    raw: str
    """The bytes as received, base64; the first `MAX_RAW` of them."""
    size: int | None = None
    """Bytes received, where `raw` does not hold them all."""
    origin: str
    """Where it came from: `ws`, `backfill`, or topic/partition/offset."""
    provider: str | None = None
    subscription_id: str | None = None
    received_ns: int


_order_decoder = msgspec.json.Decoder(OrderRecord)
_dead_decoder = msgspec.json.Decoder(DeadRecord)


def order_record(order: Order, content: str, occurrence: int) -> OrderRecord:
    """Return the record that `orders.v1` holds for this occurrence of this order."""
    return OrderRecord(
        user=order.user,
        token_id=order.token_id,
        side=order.side,
        shares=order.shares,
        price=order.price,
        tx_hash=order.tx_hash,
        timestamp=order.timestamp,
        condition_id=order.condition_id,
        market_slug=order.market_slug,
        title=order.title,
        token_label=order.token_label,
        order_hash=order.order_hash,
        taker=order.taker,
        block_number=order.block_number,
        log_index=order.log_index,
        extra=order.extra,
        event_id=event_id(content, occurrence),
        notional_micros=order.notional,
        normalized=order.shares_normalized,
    )


def dead_record(
    raw: bytes, *, reason: str, detail: str, provenance: Provenance, field: str | None = None
) -> DeadRecord:
    """Return the dead letter for bytes that came from a provider."""
    return DeadRecord(
        reason=reason,
        detail=detail,
        field=field,
        raw=base64.b64encode(raw[:MAX_RAW]).decode("ascii"),
        size=len(raw) if len(raw) > MAX_RAW else None,
        origin=provenance.source,
        provider=provenance.provider,
        subscription_id=provenance.subscription_id,
        received_ns=provenance.received_ns,
    )


def decode_order(value: bytes) -> OrderRecord:
    """
    Read a value of `orders.v1` or `orders-by-market.v1`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    return decode(_order_decoder, value)


def decode_dead(value: bytes) -> DeadRecord:
    """Read a value of `orders-dead.v1`; raises `InvalidRecord` like `decode_order`."""
    return decode(_dead_decoder, value)
