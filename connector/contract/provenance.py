"""
Provenance: where a record came from and when, carried in Kafka headers.

Times are unix nanoseconds. Each stage adds its own, so that the headers of a derived record
hold the whole latency waterfall of the order that caused it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from connector.contract.errors import InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

Source = Literal["ws", "backfill", "replay"]
Headers = list[tuple[str, bytes]]
HEADERS: Final = frozenset(("source", "provider", "received_ns", "published_ns", "subscription_id", "gap_id", "label"))
"""Names of all headers that `Provenance.headers` writes."""

_SOURCES: dict[bytes, Source] = {name.encode(): name for name in get_args(Source)}


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """How an order reached us."""

    source: Source
    provider: str
    received_ns: int
    """When its bytes left the socket."""
    subscription_id: str | None = None
    gap_id: str | None = None
    """The wallet's gap that was open when the order was published; None: its coverage was complete."""
    label: str | None = None
    """The wallet's label on the watch-list when the order was published."""

    def headers(self, published_ns: int) -> Headers:
        """Return the headers of the record handed to the producer at `published_ns`."""
        headers = [
            ("source", self.source.encode()),
            ("provider", self.provider.encode()),
            ("received_ns", b"%d" % self.received_ns),
            ("published_ns", b"%d" % published_ns),
        ]
        if self.subscription_id is not None:
            headers.append(("subscription_id", self.subscription_id.encode()))
        if self.gap_id is not None:
            headers.append(("gap_id", self.gap_id.encode()))
        if self.label is not None:
            headers.append(("label", self.label.encode()))
        return headers


def read_provenance(headers: Iterable[tuple[str, bytes | None]]) -> Provenance:
    """
    Read the provenance back from a record's headers.

    Raises:
        InvalidRecord: a header is missing or not what this module writes.
    """
    named = {name: value for name, value in headers if value is not None}
    try:
        subscription, gap, label = (named.get(name) for name in ("subscription_id", "gap_id", "label"))
        return Provenance(
            source=_SOURCES[named["source"]],
            provider=named["provider"].decode(),
            received_ns=int(named["received_ns"]),
            subscription_id=None if subscription is None else subscription.decode(),
            gap_id=None if gap is None else gap.decode(),
            label=None if label is None else label.decode(),
        )
    except (KeyError, ValueError) as error:
        raise InvalidRecord(f"provenance headers: {error!r}") from error


def header_ns(headers: Iterable[tuple[str, bytes | None]], name: str) -> int | None:
    """Return a time header in nanoseconds, or None when it is absent or not a number."""
    for key, value in headers:
        if key == name and value is not None and value.isdigit():
            return int(value)
    return None
