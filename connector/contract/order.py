"""
The order: one executed fill of a watched wallet, as the provider reports it.

Units: `shares` are raw shares (1e-6 share), `price` is USDC per share in [0, 1],
`timestamp` is in whole seconds (block time), money is in integer micro-USDC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from connector.contract.checks import (
    MAX_SHARES,
    hex_string,
    integer,
    normalized_matches,
    number,
    optional_address,
    optional_hash,
    optional_integer,
    optional_text,
    side_of,
    token,
    unix_seconds,
)
from connector.contract.errors import InvalidOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")

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
    """
    Fields the provider sent that the contract does not know, untouched, and documented
    optional ones whose value it does not allow: they read as None rather than cost the order.
    """

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

    Identity and money are strict, every other field is kept in `extra` if it is malformed.

    Raises:
        InvalidOrder: a field is missing or malformed; the error names it.
    """
    shares = integer(data, "shares", minimum=1, maximum=MAX_SHARES)
    normalized_matches(data, shares)
    extra = {name: value for name, value in data.items() if name not in DOCUMENTED_FIELDS}
    return Order(
        user=hex_string(data, "user", digits=40),
        token_id=token(data, "token_id"),
        side=side_of(data, "side"),
        shares=shares,
        price=number(data, "price", minimum=0.0, maximum=1.0),
        tx_hash=hex_string(data, "tx_hash", digits=64),
        timestamp=unix_seconds(data, "timestamp"),
        condition_id=_lenient(optional_hash, data, "condition_id", extra),
        market_slug=_lenient(optional_text, data, "market_slug", extra),
        title=_lenient(optional_text, data, "title", extra),
        token_label=_lenient(optional_text, data, "token_label", extra),
        order_hash=_lenient(optional_hash, data, "order_hash", extra),
        taker=_lenient(optional_address, data, "taker", extra),
        block_number=_lenient(optional_integer, data, "block_number", extra),
        log_index=_lenient(optional_integer, data, "log_index", extra),
        extra=extra,
    )


def _lenient(
    read: Callable[[Mapping[str, Any], str], _T], data: Mapping[str, Any], field: str, extra: dict[str, Any]
) -> _T | None:
    try:
        return read(data, field)
    except InvalidOrder:
        extra[field] = data[field]
        return None
