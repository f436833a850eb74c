"""Subscription filters, and the index that finds the subscriptions an order matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.book import Executed

Combine = Literal["and", "or"]
_FIELDS = {"users": "user", "condition_ids": "condition_id", "market_slugs": "market_slug"}
WILDCARD = "*"
Status = Literal["confirmed", "pending", "all"]


class InvalidFilters(Exception):
    """The `filters` of a request are not what the protocol allows."""


class Filters(msgspec.Struct, frozen=True):
    """Allowed values by field of the order; a field that is absent is not filtered on."""

    allowed: dict[str, frozenset[str]]
    status: Status = "confirmed"

    @property
    def items(self) -> int:
        """Entries in all lists."""
        return sum(map(len, self.allowed.values()))

    @property
    def wildcard(self) -> bool:
        """Whether any list holds `*`."""
        return any(WILDCARD in values for values in self.allowed.values())

    @property
    def users(self) -> frozenset[str]:
        """The wallets named."""
        return self.allowed.get("user", frozenset())

    def match(self, order: Executed, combine: Combine) -> bool:
        """Tell whether the order passes."""
        tests = (WILDCARD in values or getattr(order, field) in values for field, values in self.allowed.items())
        return all(tests) if combine == "and" else any(tests)


def parse_filters(data: Any, *, fold_case: bool, one_filter: bool = False) -> Filters:
    """
    Read the `filters` of a subscribe or update; with `one_filter` exactly one, and perhaps a `status`.

    Raises:
        InvalidFilters: not an object, no filter at all, an unknown one, too many, or a list that is not one of texts.
    """
    if not isinstance(data, dict) or not data:
        raise InvalidFilters(f"filters: expected an object with one of {', '.join(_FIELDS)}")
    status = _status(data.get("status")) if one_filter else "confirmed"
    lists = {name: values for name, values in data.items() if not (one_filter and name == "status")}
    fold: Callable[[str], str] = str.lower if fold_case else str
    allowed = {}
    for name, values in lists.items():
        if name not in _FIELDS:
            raise InvalidFilters(f"filters.{name}: unknown, expected one of {', '.join(_FIELDS)}")
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise InvalidFilters(f"filters.{name}: expected a list of texts")
        if values:
            allowed[_FIELDS[name]] = frozenset(map(fold, values))
    if not allowed:
        raise InvalidFilters("filters: every list is empty")
    if one_filter and len(lists) > 1:
        raise InvalidFilters(f"filters: expected one of {', '.join(_FIELDS)}, got {', '.join(lists)}")
    return Filters(allowed, status)


def _status(value: Any) -> Status:
    for status in get_args(Status):
        if value == status:
            return cast("Status", status)
    if value is None:
        return "confirmed"
    raise InvalidFilters(f"filters.status: expected one of {', '.join(get_args(Status))}")


class FilterIndex:
    """Live subscriptions by the values they name."""

    def __init__(self, combine: Combine) -> None:
        self._combine = combine
        self._filters: dict[str, Filters] = {}
        self._by: dict[tuple[str, str], dict[str, None]] = {}

    def put(self, subscription: str, filters: Filters) -> None:
        """Add a subscription, or replace its filters."""
        self.remove(subscription)
        self._filters[subscription] = filters
        for entry in _entries(filters):
            self._by.setdefault(entry, {})[subscription] = None

    def remove(self, subscription: str) -> None:
        """Remove a subscription, if it is there."""
        filters = self._filters.pop(subscription, None)
        for entry in _entries(filters) if filters is not None else ():
            del self._by[entry][subscription]
            if not self._by[entry]:
                del self._by[entry]

    def status(self, subscription: str) -> Status:
        """Return a subscription's status filter."""
        return self._filters[subscription].status

    def matching(self, order: Executed) -> list[str]:
        """Return the subscriptions that the order matches, each once."""
        found: dict[str, None] = {}
        for field in _FIELDS.values():
            found |= self._by.get((field, getattr(order, field)), {})
            found |= self._by.get((field, WILDCARD), {})
        return [subscription for subscription in found if self._filters[subscription].match(order, self._combine)]


def _entries(filters: Filters) -> list[tuple[str, str]]:
    return [(field, value) for field, values in filters.allowed.items() for value in values]
