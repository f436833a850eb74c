"""
Dome's dialect.

Documented: subscribe, update, unsubscribe, the ack of a subscribe, the event. Not documented:
acks of updates (the official TypeScript client waits for one of the same shape and id, so they
are expected) and of unsubscribes (ignored if they come), and errors (a frame of type "error"
with a code and a message is read as a refusal, like the dialects derived from this one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.contract.checks import shown
from connector.dialects import Event, Message, PageRows, Unreadable
from connector.dialects.frames import acknowledgement, refusal, request, subscription_of
from connector.dialects.pages import page_rows
from connector.packing import Quota

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ORDERS: Mapping[str, Any] = {"platform": "polymarket", "version": 1, "type": "orders"}
_REST_LIMITS: Mapping[str, tuple[tuple[float, int], ...]] = {
    "free": ((1.0, 10), (10.0, 100)),
    "dev": ((1.0, 100), (10.0, 500)),
}
"""The table was removed from the documentation in 2026; these are its last figures."""


class Dome:
    """See the module."""

    name = "dome"
    default_url = "wss://ws.domeapi.io/{key}"
    quotas: Mapping[str, Quota] = {"free": Quota(2, 5), "dev": Quota(500, 500)}
    acks_updates = True
    fatal_close_codes: frozenset[int] = frozenset()
    rest_url = "https://api.domeapi.io"
    rest_page_limit = 1000

    def subscribe(self, wallets: Sequence[str]) -> str:
        """Return the frame that subscribes to these wallets' orders."""
        return request("subscribe", **_ORDERS, filters={"users": list(wallets)})

    def update(self, subscription_id: str, wallets: Sequence[str]) -> str:
        """Return the frame that replaces a subscription's wallets."""
        return request("update", subscription_id=subscription_id, **_ORDERS, filters={"users": list(wallets)})

    def unsubscribe(self, subscription_id: str) -> str:
        """Return the frame that ends a subscription."""
        return request("unsubscribe", version=1, subscription_id=subscription_id)

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Return what a frame means; never raises."""
        kind = frame.get("type")
        if kind == "event":
            data = frame.get("data")
            if isinstance(data, dict):
                return Event(data, subscription_of(frame))
            return Unreadable("bad-frame", f"an event's data should be an object, got {shown(data)}")
        if kind == "ack":
            return acknowledgement(frame)
        if kind == "error":
            return refusal(frame)
        return Unreadable("unknown-type", f"type {shown(kind)}")

    def order_data(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return an event's or row's data in the form that `parse_order` takes: both have it already."""
        return data

    def rest_limits(self, tier: str) -> tuple[tuple[float, int], ...]:
        """Return the documented rate limits of a key, each as seconds and requests within them."""
        return _REST_LIMITS[tier]

    def rest_headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry the key: they must reach no log and no error."""
        return {"Authorization": f"Bearer {key}"}

    def rest_query(
        self, wallet: str, start_s: int, end_s: int, limit: int, cursor: str | None
    ) -> tuple[str, dict[str, str]]:
        """Return path and parameters that ask for a wallet's orders in [start_s, end_s] unix seconds."""
        params = {"user": wallet, "start_time": str(start_s), "end_time": str(end_s), "limit": str(limit)}
        if cursor is not None:
            params["pagination_key"] = cursor
        return "/v1/polymarket/orders", params

    def rest_page(self, body: Any) -> PageRows:
        """
        Read a decoded answer.

        Raises:
            UnreadablePage: it has not the documented shape.
        """
        return page_rows(body, "orders", self.order_data)
