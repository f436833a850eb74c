"""
Providers' dialects: what each says differently on the same kind of feed.

A dialect is one small class in one file, with its quotas, its URL, its outgoing frames and
the meaning of its incoming ones. It holds no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol
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


Severity = Literal["fatal", "retry", "subscription"]


class Refusal(msgspec.Struct, frozen=True):
    """The provider says no."""

    code: str
    message: str
    subscription_id: str | None = None
    severity: Severity = "subscription"
    """fatal: the key is turned away. retry: not now. subscription: not this request."""
    ended: bool = False
    """The provider no longer has the subscription that it names."""


class Ignored(msgspec.Struct, frozen=True):
    """A message that is known and of no use to us: counted, and no dead letter."""

    what: str
    """Stable name, like `connected` or `pending`."""


class Unreadable(msgspec.Struct, frozen=True):
    """A frame that means nothing to us: kept as a dead letter, never fatal."""

    reason: str
    """Stable code: `unknown-type` or `bad-frame`."""
    detail: str


Message = Ack | Event | Refusal | Ignored | Unreadable


class PageRows(msgspec.Struct, frozen=True):
    """One page of a provider's REST answer."""

    rows: list[dict[str, Any]]
    """In the form that `parse_order` takes, in the provider's order: newest first."""
    cursor: str | None = None
    """Opaque: asks for the page after this one."""
    more: bool | None = None
    """Whether rows follow; None: the provider did not say."""


class UnreadablePage(Exception):
    """A REST answer is not what the provider documents; the message says where."""


class Dialect(Protocol):
    """What the session needs to know of a provider."""

    name: str
    default_url: str
    """With `{key}` where the API key goes."""
    quotas: Mapping[str, Quota]
    """By tier."""
    fatal_close_codes: frozenset[int]
    """Codes with which the provider ends a connection of a key that it would refuse again."""
    acks_updates: bool
    """Whether an update is acknowledged; if not, it counts as in force once sent."""
    rest_url: str
    """Default base of the REST URLs, without a slash at the end."""
    rest_page_limit: int
    """Most rows that one page may ask for."""

    def subscribe(self, wallets: Sequence[str]) -> str:
        """Return the frame that subscribes to these wallets' orders."""

    def update(self, subscription_id: str, wallets: Sequence[str]) -> str:
        """Return the frame that replaces a subscription's wallets."""

    def unsubscribe(self, subscription_id: str) -> str:
        """Return the frame that ends a subscription."""

    def classify(self, frame: Mapping[str, Any]) -> Message:
        """Return what a frame means; never raises."""

    def order_data(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return an event's or row's data in the form that `parse_order` takes; None: it is no order to publish."""

    def rest_limits(self, tier: str) -> tuple[tuple[float, int], ...]:
        """Return the documented rate limits of a key, each as seconds and requests within them."""

    def rest_headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry the key: they must reach no log and no error."""

    def rest_query(
        self, wallet: str, start_s: int, end_s: int, limit: int, cursor: str | None
    ) -> tuple[str, dict[str, str]]:
        """Return path and parameters that ask for a wallet's orders in [start_s, end_s] unix seconds."""

    def rest_page(self, body: Any) -> PageRows:
        """
        Read a decoded answer.

        Raises:
            UnreadablePage: it has not the documented shape.
        """


def connection_url(template: str, key: str) -> str:
    """Return the URL to connect to. It holds the key: it must reach no log and no error."""
    return template.replace("{key}", quote(key, safe=""))
