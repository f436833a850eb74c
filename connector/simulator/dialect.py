"""What the providers say differently. One class each, without I/O or state; this is the interface, and Dome's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import orjson

from connector.simulator.rest import limit_of, parse_query
from connector.simulator.tiers import DEV, FREE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.simulator.book import Executed
    from connector.simulator.filters import Status
    from connector.simulator.protocol import Action
    from connector.simulator.rest import Page, Query
    from connector.simulator.settings import Switches
    from connector.simulator.tiers import Tier


class Dialect(Protocol):
    """One provider's side of sockets and REST."""

    name: str
    tiers: Mapping[str, Tier]
    """By prefix of the key."""
    default_tier: Tier
    """Of keys with another prefix."""
    greeting: str | None
    """First frame on every connection."""
    full_requests: frozenset[Action]
    """Actions that must name platform, version and type."""
    one_filter: bool
    """Whether a subscription has exactly one kind of filter, next to its `status`."""
    idle_close: int | None
    """Code that closes a connection which has had no subscription for a while; None: none does."""
    drop_bytes: int | None
    """Bytes queued for one socket beyond which its events are dropped."""
    buffer_bytes: int
    """Bytes queued for one socket beyond which it is cut."""
    rest_path: str
    rest_user: str
    """Name of the parameter that holds the wallet."""
    rest_key: tuple[str, ...]
    """Headers that may hold the key."""

    def new_id(self, pick: Callable[[str], str]) -> str:
        """Return the id of a subscription; `pick` returns one character of a text, at random."""

    def acks(self, action: Action, switches: Switches) -> bool:
        """Tell whether a request is acknowledged."""

    def ack(self, subscription: str) -> bytes:
        """Return the answer to a request that was accepted."""

    def error(self, code: str, message: str) -> bytes:
        """Return the answer to a request that was refused."""

    def event(self, subscription: str, data: bytes) -> bytes:
        """Return an event around encoded data."""

    def data(self, order: Executed) -> bytes:
        """Return the data of an order's event."""

    def before(self, order: Executed, status: Status, switches: Switches) -> list[bytes]:
        """Return the data of events that come before an order's own."""

    def after(self, order: Executed, switches: Switches) -> list[bytes]:
        """Return the data of events that come after an order's own."""

    def query(self, params: Mapping[str, str], switches: Switches) -> Query:
        """Read the parameters of a REST request; raises `RestError`."""

    def body(self, page: Page) -> bytes:
        """Return the answer to a REST request."""


class Dome:
    """
    Dome's own frames.

    Its error frames are not documented; these have the shape that the compatible provider Predexon uses.
    """

    name = "dome"
    tiers: Mapping[str, Tier] = {"free-": FREE, "dev-": DEV}
    default_tier: Tier = DEV
    greeting: str | None = None
    full_requests: frozenset[Action] = frozenset({"subscribe", "update"})
    one_filter = False
    idle_close: int | None = None
    drop_bytes: int | None = None
    buffer_bytes = 16_000_000
    rest_path = "/v1/polymarket/orders"
    rest_user = "user"
    rest_key: tuple[str, ...] = ("Authorization", "x-api-key")

    def new_id(self, pick: Callable[[str], str]) -> str:
        """Return `sub_` and 11 base-36 digits."""
        return "sub_" + "".join(pick("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(11))

    def acks(self, action: Action, switches: Switches) -> bool:
        """Tell what the switches say; a subscribe is always acknowledged."""
        return {"subscribe": True, "update": switches.ack_update, "unsubscribe": switches.ack_unsubscribe}[action]

    def ack(self, subscription: str) -> bytes:
        """Return the answer to a request that was accepted."""
        return orjson.dumps({"type": "ack", "subscription_id": subscription})

    def error(self, code: str, message: str) -> bytes:
        """Return the answer to a request that was refused."""
        return orjson.dumps({"type": "error", "code": code, "message": message})

    def event(self, subscription: str, data: bytes) -> bytes:
        """Return an event around an encoded order."""
        return b'{"type":"event","subscription_id":"%b","data":%b}' % (subscription.encode(), data)

    def data(self, order: Executed) -> bytes:
        """Return the row as it is, encoded once."""
        return order.wire

    def before(self, order: Executed, status: Status, switches: Switches) -> list[bytes]:  # noqa: ARG002 - see Dialect
        """Return nothing."""
        return []

    def after(self, order: Executed, switches: Switches) -> list[bytes]:  # noqa: ARG002 - see Dialect
        """Return nothing."""
        return []

    def query(self, params: Mapping[str, str], switches: Switches) -> Query:
        """Read the parameters of a REST request; raises `RestError`."""
        return parse_query(params, limit=limit_of(params, 1000), requires_filter=switches.rest_requires_filter)

    def body(self, page: Page) -> bytes:
        """Return the answer to a REST request."""
        pagination: dict[str, Any] = {
            "limit": page.query.limit,
            "offset": page.query.offset,
            "total": page.total,
            "has_more": page.key is not None,
        }
        if page.key is not None:
            pagination["pagination_key"] = page.key
        return b'{"orders":[%b],"pagination":%b}' % (
            b",".join(order.json for order in page.orders),
            orjson.dumps(pagination),
        )
