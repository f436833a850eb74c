"""
The order: one executed fill of a watched wallet, as the provider reports it.

Units: `shares` are raw shares (1e-6 share), `price` is USDC per share in [0, 1],
`timestamp` is in whole seconds (block time), money is in integer micro-USDC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from connector.contract.checks import (
    MAX_SHARES,
    hex_string,
    integer,
    normalized_matches,
    number,
    optional_hex,
    optional_integer,
    optional_text,
    side_of,
    token,
    unix_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

Side = Literal["BUY", "SELL"]

DOCUMENTED_FIELDS = frozenset(
    {
        "token_id",
        "token_label",
        "side",
        "market_slug",
        "condition_id",
        "shares",
        "shares_normalized",
        "price",
        "tx_hash",
        "title",
        "timestamp",
        "order_hash",
        "user",
        "taker",
        "block_number",
        "log_index",
    }
)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """
    One fill. Addresses and hashes are lower case; null and "" both read as None.

    `condition_id` may be None because live feeds are known to leave market metadata
    empty; such an order counts for its wallet but for no market.
    """

    user: str
    token_id: str
    side: Side
    shares: int
    price: float
    tx_hash: str
    timestamp: int
    condition_id: str | None = None
    market_slug: str | None = None
    title: str | None = None
    token_label: str | None = None
    order_hash: str | None = None
    taker: str | None = None
    block_number: int | None = None
    log_index: int | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    """Fields the provider sent that the contract does not know, untouched."""

    @property
    def shares_normalized(self) -> float:
        """Shares, as the provider's own derived field: raw shares / 1e6."""
        return self.shares / 1_000_000

    @property
    def notional(self) -> int:
        """
        Micro-USDC paid or received: raw shares times price.

        Rounding: the IEEE-754 double product, rounded half to even, so that any
        language computes the same integer.
        """
        return round(self.shares * self.price)

    @property
    def price_micros(self) -> int:
        """Price in micro-USDC per share, rounded half to even from the double product."""
        return round(self.price * 1_000_000)


def parse_order(data: Mapping[str, Any]) -> Order:
    """
    Build an `Order` from a provider's decoded JSON object.

    Raises:
        InvalidOrder: a field is missing or malformed; the error names it.
    """
    shares = integer(data, "shares", minimum=1, maximum=MAX_SHARES)
    normalized_matches(data, shares)
    return Order(
        user=hex_string(data, "user", digits=40),
        token_id=token(data, "token_id"),
        side=side_of(data, "side"),
        shares=shares,
        price=number(data, "price", minimum=0.0, maximum=1.0),
        tx_hash=hex_string(data, "tx_hash", digits=64),
        timestamp=unix_seconds(data, "timestamp"),
        condition_id=optional_hex(data, "condition_id", digits=64),
        market_slug=optional_text(data, "market_slug"),
        title=optional_text(data, "title"),
        token_label=optional_text(data, "token_label"),
        order_hash=optional_hex(data, "order_hash", digits=64),
        taker=optional_hex(data, "taker", digits=40),
        block_number=optional_integer(data, "block_number"),
        log_index=optional_integer(data, "log_index"),
        extra={name: value for name, value in data.items() if name not in DOCUMENTED_FIELDS},
    )
