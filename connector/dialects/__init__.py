"""
Providers' dialects: what each says differently on the same kind of feed.

A dialect is one small class in one file, with its quotas, its URL, its outgoing frames and
the meaning of its incoming ones. It holds no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.packing import Quota


class Ack(msgspec.Struct, frozen=True):
    """The provider confirms a request; which one, only the order of acks tells."""

    subscription_id: str


class Event(msgspec.Struct, frozen=True):
    """An order, as the provider's decoded JSON."""

    data: dict[str, Any]
    subscription_id: str | None


class Refusal(msgspec.Struct, frozen=True):
    """The provider says no."""

    code: str
    message: str
    subscription_id: str | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """A frame that means nothing to us: kept as a dead letter, never fatal."""

    reason: str
    """Stable code: `unknown-type` or `bad-frame`."""
    detail: str


Message = Ack | Event | Refusal | Unreadable


class Dialect(Protocol):
    """What the session needs to know of a provider."""

    name: str
    default_url: str
    """With `{key}` where the API key goes."""
    quotas: Mapping[str, Quota]
    """By tier."""

    def subscribe(self, wallets: Sequence[str]) -> str:
        """Return the frame that subscribes to these wallets' orders."""

    def update(self, subscription_id: str, wallets: Sequence[str]) -> str:
        """Return the frame that replaces a subscription's wallets."""

    def unsubscribe(self, subscription_id: str) -> str:
        """Return the frame that ends a subscription."""

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Return what a frame means; never raises."""


def connection_url(template: str, key: str) -> str:
    """Return the URL to connect to. It holds the key: it must reach no log and no error."""
    return template.replace("{key}", quote(key, safe=""))
