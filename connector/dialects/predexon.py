"""
Predexon's dialect: Dome's envelope, with extensions of its own.

Its log indexes are hex texts, its feed also brings mempool (`pending`) trades and fee refunds, which are
no fills, and its REST rows have normalized shares and neither block nor log index: they match the socket's
orders by content. A pending trade and its confirmation are one fill, of which only the latter counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from connector.contract.checks import shown
from connector.dialects import Event, Ignored, Message, PageRows, Unreadable
from connector.dialects.frames import acknowledgement, refusal, request, subscription_of
from connector.dialects.pages import page_rows
from connector.packing import Quota

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEX = re.compile(r"0x[0-9a-f]{1,13}", re.ASCII | re.IGNORECASE)
_MOST_SHARES = 1e15
"""Beyond, a product with a million is no exact number; `parse_order` refuses it by name."""
_IGNORED = frozenset({"fee_refund", "pending"})
_REST_LIMITS: Mapping[str, tuple[tuple[float, int], ...]] = {
    "free": ((1.0, 1),),
    "dev": ((1.0, 20),),
    "pro": ((1.0, 100),),
}


class Predexon:
    """See the module."""

    name = "predexon"
    default_url = "wss://wss.predexon.com/v1/{key}"
    quotas: Mapping[str, Quota] = {"free": Quota(0, 0), "dev": Quota(10, 10), "pro": Quota(100, 500)}
    """The free plan has REST only. The documented totals, 100 and 50,000 wallets, are these products."""
    acks_updates = True
    fatal_close_codes = frozenset({4001})
    """4000 ends an idle connection and 4002 one too many: both may be tried again."""
    rest_url = "https://api.predexon.com"
    rest_page_limit = 500

    def subscribe(self, wallets: Sequence[str]) -> str:
        """Return the frame that subscribes to these wallets' orders."""
        return request("subscribe", platform="polymarket", version=1, type="orders", filters={"users": list(wallets)})

    def update(self, subscription_id: str, wallets: Sequence[str]) -> str:
        """Return the frame that replaces a subscription's wallets."""
        return request("update", subscription_id=subscription_id, filters={"users": list(wallets)})

    def unsubscribe(self, subscription_id: str) -> str:
        """Return the frame that ends a subscription."""
        return request("unsubscribe", subscription_id=subscription_id)

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Return what a frame means; never raises."""
        kind = frame.get("type")
        if kind in ("event", "trade"):
            return _event(frame)
        if kind == "ack":
            return acknowledgement(frame)
        if kind == "error":
            return refusal(frame)
        if kind == "connected":
            return Ignored("connected")
        return Unreadable("unknown-type", f"type {shown(kind)}")

    def order_data(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return an event's data in the form that `parse_order` takes; None: it is no confirmed fill."""
        return _with_decimal_index(data) if _other_than_a_fill(data) is None else None

    def rest_limits(self, tier: str) -> tuple[tuple[float, int], ...]:
        """Return the documented rate limits of a key, each as seconds and requests within them."""
        return _REST_LIMITS[tier]

    def rest_headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry the key: they must reach no log and no error."""
        return {"x-api-key": key}

    def rest_query(
        self, wallet: str, start_s: int, end_s: int, limit: int, cursor: str | None
    ) -> tuple[str, dict[str, str]]:
        """Return path and parameters that ask for a wallet's orders in [start_s, end_s] unix seconds."""
        params = {
            "wallet": wallet,
            "start_time": str(start_s),
            "end_time": str(end_s),
            "order": "desc",
            "limit": str(limit),
        }
        if cursor is not None:
            params["pagination_key"] = cursor
        return "/v2/polymarket/trades", params

    def rest_page(self, body: Any) -> PageRows:
        """
        Read a decoded answer.

        Raises:
            UnreadablePage: it has not the documented shape.
        """
        return page_rows(body, "trades", self._row)

    def _row(self, row: dict[str, Any]) -> dict[str, Any] | None:
        data = self.order_data(row)
        return None if data is None else _with_raw_shares(data)


def _event(frame: Mapping[str, Any]) -> Message:
    data = frame.get("data")
    if not isinstance(data, dict):
        return Unreadable("bad-frame", f"an event's data should be an object, got {shown(data)}")
    other = _other_than_a_fill(data)
    if other is None:
        return Event(_with_decimal_index(data), subscription_of(frame))
    if isinstance(other, str) and other in _IGNORED:
        return Ignored(other)
    return Unreadable("unknown-type", f"event {shown(other)}")


def _other_than_a_fill(data: Mapping[str, Any]) -> object:
    """Return None for a confirmed fill, otherwise the event's type or status that says what it is instead."""
    for field, expected in (("event_type", "order_filled"), ("status", "confirmed")):
        value = data.get(field)
        if value not in (None, expected):
            return value
    return None


def _with_decimal_index(data: dict[str, Any]) -> dict[str, Any]:
    """Read a hex index; any other text is left for `parse_order` to judge."""
    index = data.get("log_index")
    return data | {"log_index": int(index, 16)} if isinstance(index, str) and _HEX.fullmatch(index) else data


def _with_raw_shares(row: dict[str, Any]) -> dict[str, Any]:
    shares = row.get("shares")
    if isinstance(shares, bool) or not isinstance(shares, int | float) or not abs(shares) < _MOST_SHARES:
        return row
    return row | {"shares": round(shares * 1_000_000), "shares_normalized": shares}
