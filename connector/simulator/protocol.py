"""
The server's side of one socket, without I/O.

Frames go in, `Accepted` or `Rejected` comes out. What was accepted takes effect only with `activate`, so that
the caller decides when: normally together with the ack, otherwise when a fault says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
import orjson

from connector.simulator.filters import FilterIndex, Filters, InvalidFilters, parse_filters

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.book import Executed
    from connector.simulator.dialect import Dialect
    from connector.simulator.filters import Status
    from connector.simulator.settings import Switches
    from connector.simulator.tiers import Quota

Action = Literal["subscribe", "update", "unsubscribe"]


class Accepted(msgspec.Struct, frozen=True):
    """A request to carry out and acknowledge."""

    action: Action
    subscription: str
    filters: Filters


class Rejected(msgspec.Struct, frozen=True):
    """A request to answer with an error frame."""

    code: str
    message: str


class _Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Rejected(code, message)


class ServerSession:
    """Subscriptions of one connection."""

    def __init__(self, *, dialect: Dialect, quota: Quota, switches: Switches, new_id: Callable[[], str]) -> None:
        self._dialect = dialect
        self._quota = quota
        self._switches = switches
        self._new_id = new_id
        self._filters: dict[str, Filters] = {}
        self._live = FilterIndex(switches.combine)

    @property
    def subscriptions(self) -> list[str]:
        """Ids of what is subscribed, acknowledged or not."""
        return list(self._filters)

    def receive(self, text: str | bytes) -> Accepted | Rejected:
        """Judge one frame of the client's."""
        try:
            request = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return Rejected("PARSE_ERROR", f"not JSON: {error}")
        if not isinstance(request, dict):
            return Rejected("PARSE_ERROR", "expected a JSON object")
        handle = {"subscribe": self._subscribe, "update": self._update, "unsubscribe": self._unsubscribe}.get(
            str(request.get("action"))
        )
        if handle is None:
            return Rejected(
                "UNKNOWN_ACTION", f"action: expected subscribe, update or unsubscribe, got {_name(request)}"
            )
        try:
            if request["action"] in self._dialect.full_requests:
                _expect_orders(request)
            return handle(request)
        except _Refusal as refusal:
            return refusal.answer

    def activate(self, accepted: Accepted) -> None:
        """Let an accepted request take effect; one whose subscription has gone meanwhile has none."""
        if accepted.subscription in self._filters:
            self._live.put(accepted.subscription, accepted.filters)

    def revoke(self, accepted: Accepted) -> None:
        """Take an accepted request back: a subscription is gone, an update leaves the old filters in effect."""
        if accepted.action == "subscribe":
            self._cancel(accepted.subscription)

    def matching(self, order: Executed) -> list[str]:
        """Return the live subscriptions that the order matches."""
        return self._live.matching(order)

    def status(self, subscription: str) -> Status:
        """Return which events of an order a live subscription gets."""
        return self._live.status(subscription)

    def close(self) -> None:
        """Cancel everything: the server remembers nothing of a connection that ended."""
        for subscription in self.subscriptions:
            self._cancel(subscription)

    def _subscribe(self, request: dict[str, Any]) -> Accepted:
        filters = self._allowed(request)
        if not self._quota.take():
            most = self._quota.tier.subscriptions
            raise _Refusal("SUBSCRIPTION_LIMIT", f"this plan allows {most} subscriptions")
        if not self._quota.hold(filters.items):
            self._quota.give_back()
            raise self._too_many()
        subscription = self._new_id()
        self._filters[subscription] = filters
        return Accepted("subscribe", subscription, filters)

    def _update(self, request: dict[str, Any]) -> Accepted:
        subscription = self._known(request)
        filters = self._allowed(request)
        if not self._quota.hold(filters.items - self._filters[subscription].items):
            raise self._too_many()
        self._filters[subscription] = filters
        return Accepted("update", subscription, filters)

    def _unsubscribe(self, request: dict[str, Any]) -> Accepted:
        subscription = self._known(request)
        filters = self._filters[subscription]
        self._cancel(subscription)
        return Accepted("unsubscribe", subscription, filters)

    def _cancel(self, subscription: str) -> None:
        self._quota.hold(-self._filters.pop(subscription).items)
        self._live.remove(subscription)
        self._quota.give_back()

    def _too_many(self) -> _Refusal:
        return _Refusal("ITEMS_LIMIT", f"filters: this plan allows {self._quota.tier.total} entries in all")

    def _known(self, request: dict[str, Any]) -> str:
        subscription = request.get("subscription_id")
        if not isinstance(subscription, str) or subscription not in self._filters:
            raise _Refusal("SUBSCRIPTION_NOT_FOUND", f"subscription_id: {subscription!r} is not one of this connection")
        return subscription

    def _allowed(self, request: dict[str, Any]) -> Filters:
        tier = self._quota.tier
        try:
            filters = parse_filters(
                request.get("filters"), fold_case=self._switches.fold_case, one_filter=self._dialect.one_filter
            )
        except InvalidFilters as error:
            raise _Refusal("INVALID_FILTERS", str(error)) from error
        if filters.status != "confirmed" and not tier.pending:
            raise _Refusal("PLAN_REQUIRED", "filters.status: this plan has confirmed trades only")
        if filters.wildcard and not tier.wildcard:
            raise _Refusal("WILDCARD_NOT_ALLOWED", "filters: this plan allows no *")
        if filters.items > tier.items:
            raise _Refusal(
                "ITEMS_PER_SUB_LIMIT", f"filters: this plan allows {tier.items} entries, got {filters.items}"
            )
        return filters


def _expect_orders(request: dict[str, Any]) -> None:
    for name, expected in (("platform", "polymarket"), ("version", 1), ("type", "orders")):
        if request.get(name) != expected:
            raise _Refusal("PARSE_ERROR", f"{name}: expected {expected!r}, got {request.get(name)!r}")


def _name(request: dict[str, Any]) -> str:
    return repr(request.get("action"))[:80]
