"""
Dome's dialect.

Documented: subscribe, update, unsubscribe, the ack of a subscribe, the event. Not documented:
acks of updates (the official TypeScript client waits for one of the same shape and id, so they
are expected) and of unsubscribes (ignored if they come), and errors (a frame of type "error"
with a code and a message is read as a refusal, like the dialects derived from this one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from connector.contract.checks import shown
from connector.dialects import Ack, Event, Message, Refusal, Unreadable
from connector.packing import Quota

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Dome:
    """See the module."""

    name = "dome"
    default_url = "wss://ws.domeapi.io/{key}"
    quotas: Mapping[str, Quota] = {"free": Quota(2, 5), "dev": Quota(500, 500)}

    def subscribe(self, wallets: Sequence[str]) -> str:
        """Return the frame that subscribes to these wallets' orders."""
        return _frame("subscribe", platform="polymarket", type="orders", filters={"users": list(wallets)})

    def update(self, subscription_id: str, wallets: Sequence[str]) -> str:
        """Return the frame that replaces a subscription's wallets."""
        return _frame(
            "update",
            subscription_id=subscription_id,
            platform="polymarket",
            type="orders",
            filters={"users": list(wallets)},
        )

    def unsubscribe(self, subscription_id: str) -> str:
        """Return the frame that ends a subscription."""
        return _frame("unsubscribe", subscription_id=subscription_id)

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Return what a frame means; never raises."""
        kind = frame.get("type")
        subscription_id = frame.get("subscription_id")
        if not isinstance(subscription_id, str):
            subscription_id = None
        if kind == "event":
            data = frame.get("data")
            if isinstance(data, dict):
                return Event(data, subscription_id)
            return Unreadable("bad-frame", f"an event's data should be an object, got {shown(data)}")
        if kind == "ack":
            if subscription_id:
                return Ack(subscription_id)
            return Unreadable("bad-frame", "an ack without subscription_id")
        if kind == "error":
            return _refusal(frame, subscription_id)
        return Unreadable("unknown-type", f"type {shown(kind)}")


def _frame(action: str, **fields: object) -> str:
    return orjson.dumps({"action": action, "version": 1, **fields}).decode()


def _refusal(frame: Mapping[str, Any], subscription_id: str | None) -> Refusal:
    message = frame.get("message") or frame.get("error") or "no message"
    code = frame.get("code") or "ERROR"
    return Refusal(code=str(code)[:100], message=str(message)[:500], subscription_id=subscription_id)
