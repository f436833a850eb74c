"""What dialects of the Dome family share: the frames they send, and how acks and errors look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from connector.dialects import Ack, Refusal, Severity, Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEVERITIES: Mapping[str, Severity] = {
    "AUTH_REQUIRED": "fatal",
    "AUTH_FAILED": "fatal",
    "PLAN_REQUIRED": "fatal",
    "RATE_LIMIT": "retry",
    "CONNECTION_LIMIT": "retry",
}
"""Other codes concern one subscription."""


def request(action: str, **fields: object) -> str:
    """Return a frame to send."""
    return orjson.dumps({"action": action, **fields}).decode()


def subscription_of(frame: Mapping[str, Any]) -> str | None:
    """Return the subscription that a frame names, if it names one."""
    subscription_id = frame.get("subscription_id")
    return subscription_id if isinstance(subscription_id, str) else None


def acknowledgement(frame: Mapping[str, Any]) -> Ack | Unreadable:
    """Return what an ack means."""
    subscription_id = subscription_of(frame)
    return Ack(subscription_id) if subscription_id else Unreadable("bad-frame", "an ack without subscription_id")


def refusal(frame: Mapping[str, Any]) -> Refusal:
    """Return what an error means."""
    code = str(frame.get("code") or "ERROR")[:100]
    subscription_id = subscription_of(frame)
    return Refusal(
        code=code,
        message=str(frame.get("message") or frame.get("error") or "no message")[:500],
        subscription_id=subscription_id,
        severity=_SEVERITIES.get(code, "subscription"),
        ended=code == "SUBSCRIPTION_NOT_FOUND" and subscription_id is not None,
    )
