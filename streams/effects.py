"""What the fold reads of Kafka, and what it wants sent. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol

from connector.contract.topics import ORDERS, ORDERS_DEAD
from streams.topics import (
    ALERT_GRADES,
    ALERTS,
    ALERTS_SHADOW,
    MARKET_STATE,
    MARKET_STATS,
    ORDERS_BY_MARKET,
    RULE_SCORES,
    RULES,
    WALLET_STATE,
    WALLET_STATS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.record import DeadRecord
    from streams.records import Alert

Headers = list[tuple[str, bytes]]
Item = tuple[bytes, bytes | None, Headers]
"""Key, value, headers."""


class LogRecord(Protocol):
    """What is read of a Kafka record."""

    @property
    def topic(self) -> str:
        """Name of the topic."""

    @property
    def partition(self) -> int:
        """Partition it lies in."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Append time, unix milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Key bytes."""

    @property
    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Headers in order; strangers may send empty ones."""


def set_headers(record: LogRecord) -> Headers:
    """Return the headers of a record that have a value."""
    return [(name, value) for name, value in record.headers if value is not None]


class Output(NamedTuple):
    """A record for the partition of its key."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    about: Alert | DeadRecord | None = None
    """What the value says, for whoever counts."""


class Effects:
    """Urgent records one by one, bulk by topic and partition, each in order."""

    def __init__(self, admitted_ns: int) -> None:
        self.admitted_ns = admitted_ns
        """When the worker took the records, unix nanoseconds."""
        self.urgent: list[Output] = []
        self.bulk: dict[tuple[str, int], list[Item]] = defaultdict(list)

    def take_urgent(self) -> list[Output]:
        """Return the urgent records and forget them."""
        urgent, self.urgent = self.urgent, []
        return urgent

    def take_bulk(self) -> dict[tuple[str, int], list[Item]]:
        """Return the bulk records and forget them."""
        bulk, self.bulk = self.bulk, defaultdict(list)
        return bulk


class Topics:
    """Names of this deployment's topics."""

    def __init__(self, prefix: str, source: str = "") -> None:
        self.orders = source or prefix + ORDERS.name
        self.dead = prefix + ORDERS_DEAD.name
        self.orders_by_market = prefix + ORDERS_BY_MARKET.name
        self.wallet_state = prefix + WALLET_STATE.name
        self.wallet_stats = prefix + WALLET_STATS.name
        self.market_state = prefix + MARKET_STATE.name
        self.market_stats = prefix + MARKET_STATS.name
        self.alerts = prefix + ALERTS.name
        self.alerts_shadow = prefix + ALERTS_SHADOW.name
        self.alert_grades = prefix + ALERT_GRADES.name
        self.rules = prefix + RULES.name
        self.rule_scores = prefix + RULE_SCORES.name
