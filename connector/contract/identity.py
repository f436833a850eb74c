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
import re
from typing import TYPE_CHECKING

from connector.contract.errors import InvalidRecord

if TYPE_CHECKING:
    from connector.contract.order import Order

_EVENT_ID = re.compile(r"([0-9a-f]{32})-(0|[1-9][0-9]{0,8})", re.ASCII)


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


def split_event_id(text: str) -> tuple[str, int]:
    """
    Return the content and the occurrence number of an event id.

    Raises:
        InvalidRecord: `text` is no event id.
    """
    match = _EVENT_ID.fullmatch(text)
    if match is None:
        raise InvalidRecord(f"event_id: expected 32 hex digits, a dash and a number, got {text[:60]!r}")
    return match[1], int(match[2])
