"""
Identity of an order: `event_id`, fixed from the first version on.

`event_id` is 32 hex digits, a dash and the occurrence number:
the digits are the first 16 bytes of SHA-256 over

    tx_hash | user | token_id | side | shares | price_micros

joined by "|", hex in lower case, numbers in decimal. Timestamp, taker, order_hash, title,
block_number and log_index are left out because WebSocket, REST and the dialects disagree on
them or leave them null. Occurrence n (from 0) is the n-th fill of equal content.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.contract.order import Order


def content_id(order: Order) -> str:
    """Return the 32 hex digits that equal fills share."""
    content = "|".join(
        (
            order.tx_hash,
            order.user,
            order.token_id,
            order.side,
            str(order.shares),
            str(order.price_micros),
        )
    )
    return hashlib.sha256(content.encode("ascii")).hexdigest()[:32]


def event_id(content: str, occurrence: int) -> str:
    """Return the id of the `occurrence`-th fill (from 0) of this content."""
    return f"{content}-{occurrence}"
